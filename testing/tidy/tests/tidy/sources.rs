//! The files that the rules are about.

use std::path::Path;

use testkit::binaries::workspace;

/// What neither belongs to us nor is written by hand.
const NOT_OURS: [&str; 4] = ["target", "node_modules", ".git", ".local"];

/// A file, named from the root of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every file below the root whose name ends in `.extension`, sorted.
pub(crate) fn all(extension: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(workspace(), extension, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no .{extension} below {:?}", workspace());
    found
}

/// The services' and libraries' own code, and the model of it, without the test kit.
pub(crate) fn product() -> Vec<Source> {
    let rooms = [
        "auditor/src/",
        "common/src/",
        "db/src/",
        "log-collector/src/",
        "order-management/src/",
        "payment-processor/src/",
        "model/src/",
    ];
    let mut sources = all("rs");
    sources.retain(|source| rooms.iter().any(|room| source.path.starts_with(room)));
    sources
}

/// What stands in a `tests` directory of a crate.
pub(crate) fn tests() -> Vec<Source> {
    let mut sources = all("rs");
    sources.retain(|source| source.path.split('/').nth(1) == Some("tests"));
    sources
}

/// Fails with all of `found`, one a line.
pub(crate) fn none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n  {}\n", found.join("\n  "));
}

fn collect(dir: &Path, extension: &str, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && !NOT_OURS.contains(&&*name) {
            collect(&path, extension, found);
        } else if path.is_file() && path.extension().is_some_and(|e| e == extension) {
            let text = std::fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(workspace()).unwrap().to_string_lossy().into_owned();
            found.push(Source { path, text });
        }
    }
}

/// Every crate that the workspace's manifest knows, as code names it.
pub(crate) fn workspace_crates() -> Vec<String> {
    let manifest = std::fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let lines = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let mut crates: Vec<_> = names.map(|name| name.replace('-', "_")).collect();
    crates.extend(["testkit", "model"].map(str::to_owned));
    assert!(crates.len() > 10, "the manifest names only {crates:?}");
    crates
}
