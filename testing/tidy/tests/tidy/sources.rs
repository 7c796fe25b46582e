//! The files that the rules are about. `TIDY_ROOT` names another checkout to read instead of this
//! one, so that its counts can be compared.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use testkit::binaries::workspace;

/// Directories whose files are generated or foreign.
const FOREIGN_DIRS: [&str; 5] = ["target", "node_modules", ".git", ".local", "corpus"];
/// Files that tools write.
const GENERATED: [&str; 2] = ["Cargo.lock", "package-lock.json"];

/// A text file, named from the root of the checkout.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A crate of the checkout.
#[derive(Clone, Debug)]
pub(crate) struct Crate {
    pub(crate) name: String,
    /// The directory of its manifest, with a slash at the end.
    pub(crate) dir: String,
    pub(crate) manifest: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    /// Returns true for a file that holds nothing but tests.
    pub(crate) fn is_test(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        let journeys = self.path.starts_with("testing/journeys/");
        journeys || parts.iter().any(|part| *part == "tests" || *part == "tests.rs")
    }

    /// The text up to the file's own tests.
    pub(crate) fn without_tests(&self) -> &str {
        let end = self.text.find("\n#[cfg(test)]\nmod ").map_or(self.text.len(), |end| end + 1);
        self.text.get(..end).unwrap_or_default()
    }

    /// Returns true for the rules themselves, whose samples break them.
    pub(crate) fn is_rule(&self) -> bool {
        self.path.starts_with("testing/tidy/")
    }
}

pub(crate) fn root() -> PathBuf {
    std::env::var_os("TIDY_ROOT").map_or_else(|| workspace().to_owned(), PathBuf::from)
}

/// Every text file of the checkout, sorted by path.
pub(crate) fn every() -> &'static [Source] {
    static EVERY: OnceLock<Vec<Source>> = OnceLock::new();
    EVERY.get_or_init(|| {
        let mut found = Vec::new();
        collect(&root(), &root(), &mut found);
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    })
}

fn collect(root: &Path, dir: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() {
            if !FOREIGN_DIRS.contains(&&*name) {
                collect(root, &path, found);
            }
        } else if !GENERATED.contains(&&*name)
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            let path = path.strip_prefix(root).unwrap().to_string_lossy();
            found.push(Source::new(&path, &text));
        }
    }
}

/// Every file whose name ends in `.extension`.
pub(crate) fn all(extension: &str) -> Vec<&'static Source> {
    let suffix = format!(".{extension}");
    let found: Vec<_> = every().iter().filter(|source| source.path.ends_with(&suffix)).collect();
    assert!(!found.is_empty(), "no {suffix} below {:?}", root());
    found
}

/// The text of one file.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The code of the programs and of the libraries below them.
pub(crate) fn product() -> Vec<&'static Source> {
    let mut sources = all("rs");
    sources.retain(|source| !source.path.starts_with("testing/") && source.path.contains("/src/"));
    sources
}

/// Files in the `tests` directory of a crate.
pub(crate) fn tests() -> Vec<&'static Source> {
    let mut sources = all("rs");
    sources.retain(|source| source.path.contains("/tests/"));
    sources
}

/// Every crate, sorted by directory.
pub(crate) fn crates() -> Vec<Crate> {
    let manifests = every().iter().filter_map(|source| {
        let dir = source.path.strip_suffix("Cargo.toml").filter(|dir| !dir.is_empty())?;
        let name = source.text.lines().find_map(|line| line.strip_prefix("name = \""))?;
        let name = name.trim_end_matches('"').to_owned();
        Some(Crate { name, dir: dir.to_owned(), manifest: source.text.clone() })
    });
    let crates: Vec<Crate> = manifests.collect();
    assert!(crates.len() > 5, "only {crates:?}");
    crates
}

/// The crate that a file belongs to.
pub(crate) fn crate_of<'a>(path: &str, crates: &'a [Crate]) -> Option<&'a Crate> {
    crates.iter().filter(|own| path.starts_with(&own.dir)).max_by_key(|own| own.dir.len())
}

/// Fails with all of `found`, one per line.
pub(crate) fn none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{} times: {rule}:\n  {}\n", found.len(), found.join("\n  "));
}
