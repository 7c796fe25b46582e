//! The rules about manifests: the crates that a crate may depend on.

use super::super::sources::{Crate, crates, none};

/// The libraries, each with the crates of ours below it. A crate that is not in the list is a
/// program, or is for tests.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("messages", &["domain"]),
    ("telemetry", &["domain"]),
    ("service", &["domain", "telemetry"]),
    ("batcher", &["service", "telemetry"]),
    ("amqp", &["batcher", "messages", "service", "telemetry"]),
    ("log-shipping", &["amqp", "service", "telemetry"]),
    ("db", &["batcher", "domain", "messages", "service", "telemetry"]),
];
/// The crates of ours that a program may not depend on, and the reason.
const PROGRAMS: &[(&str, &[&str], &str)] = &[
    ("auditor", &["amqp", "log-shipping", "messages"], "the auditor compares stored rows"),
    ("log-collector", &["messages"], "the collector has no part in the order pipeline"),
    ("model", &["domain", "db", "amqp"], "code of the product would agree with its own mistakes"),
];
/// Foreign crates that only some crates of the product may depend on, and the reason.
const FOREIGN: &[(&str, &[&str], &str)] = &[
    ("lapin", &["amqp", "log-shipping"], "the broker is reached through amqp"),
    ("tokio-postgres", &["db"], "the store is reached through db"),
    ("deadpool-postgres", &["db"], "the store is reached through db"),
    ("refinery", &["db"], "the store is reached through db"),
    ("opentelemetry", &["telemetry"], "spans are recorded through telemetry::trace"),
    ("opentelemetry_sdk", &["telemetry"], "spans are recorded through telemetry::trace"),
    ("opentelemetry-otlp", &["telemetry"], "spans are recorded through telemetry::trace"),
    (
        "actix-web",
        &["auditor", "log-collector", "order-management", "service"],
        "HTTP is a door of programs",
    ),
];

/// The names in the sections of a manifest that ship: `[dependencies]` and those for a target.
fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut ships = false;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(manifest.lines()) {
        if line.starts_with('[') {
            ships = line.ends_with("dependencies]") && !line.ends_with("dev-dependencies]");
        } else if ships && let Some((name, _)) = line.split_once([' ', '.', '=']) {
            found.push((number, name.to_owned()));
        }
    }
    found.retain(|(_, name)| !name.is_empty() && !name.starts_with('#'));
    found
}

fn violations(own: &Crate, crates: &[Crate]) -> Vec<String> {
    let ours = |name: &str| crates.iter().find(|krate| krate.name == name);
    let for_tests = |krate: &Crate| krate.dir.starts_with("testing/");
    let mut found = Vec::new();
    for (line, name) in dependencies(&own.manifest) {
        let mut report = |because: &str| {
            found.push(format!("{}Cargo.toml:{line}: `{name}`: {because}", own.dir));
        };
        if let Some((_, below)) = LIBRARIES.iter().find(|(library, _)| *library == own.name)
            && ours(&name).is_some()
            && !below.contains(&&*name)
        {
            report(&format!("{} is built on {below:?} only", own.name));
        }
        for (_, never, because) in PROGRAMS.iter().filter(|(program, ..)| *program == own.name) {
            if never.contains(&&*name) {
                report(because);
            }
        }
        if for_tests(own) {
            continue;
        }
        if ours(&name).is_some_and(for_tests) {
            report("crates under testing/ are not shipped");
        }
        for (_, only, because) in FOREIGN.iter().filter(|(foreign, ..)| *foreign == name) {
            if !only.contains(&&*own.name) {
                report(because);
            }
        }
    }
    found
}

#[test]
fn manifests_name_crates_below() {
    let crates = crates();
    let found: Vec<_> = crates.iter().flat_map(|own| violations(own, &crates)).collect();
    none("crates are built on crates below (docs/decisions/0006-imports-only-go-down.md)", &found);
}

#[test]
fn every_rule_is_about_a_crate_that_exists() {
    let crates = crates();
    let names = LIBRARIES.iter().flat_map(|(name, below)| below.iter().chain([name]));
    let names = names.chain(PROGRAMS.iter().map(|(name, ..)| name));
    let names = names.chain(FOREIGN.iter().flat_map(|(_, only, _)| *only));
    let gone = names.filter(|name| !crates.iter().any(|krate| krate.name == **name));
    let gone: Vec<_> = gone.map(|name| format!("{name}: no such crate: adapt the rule")).collect();
    none("rules are about crates", &gone);
    let folders = |krate: &&Crate| krate.dir.starts_with("common/") || krate.dir == "db/";
    let libraries = crates.iter().filter(folders);
    let new = libraries.filter(|krate| !LIBRARIES.iter().any(|(name, _)| *name == krate.name));
    let new: Vec<_> = new.map(|krate| format!("{}: add it to LIBRARIES", krate.dir)).collect();
    none("every library has a rule", &new);
}

#[test]
fn a_dependency_that_goes_up_is_found() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\nlapin = { workspace = true }\n\
                    db.workspace = true\n# actix-web = \"4\"\n[dev-dependencies]\ntestkit = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\ntestkit = \"1\"\n";
    let mut crates = crates();
    for (name, expected) in [
        ("domain", &["x/Cargo.toml:4", "x/Cargo.toml:5", "x/Cargo.toml:10"][..]),
        ("auditor", &["x/Cargo.toml:4", "x/Cargo.toml:10"]),
    ] {
        let (name, dir) = (name.to_owned(), "x/".to_owned());
        let own = Crate { name, dir, manifest: manifest.to_owned() };
        let found = violations(&own, &crates);
        let mut lines: Vec<_> = found.iter().filter_map(|f| f.split(": ").next()).collect();
        lines.dedup();
        assert_eq!(lines, expected, "{found:?}");
    }
    let model = crates.iter_mut().find(|krate| krate.name == "model").unwrap();
    model.manifest.push_str("\n[dependencies]\ndomain = { workspace = true }\n");
    let model = model.clone();
    assert_eq!(violations(&model, &crates).len(), 1);
}
