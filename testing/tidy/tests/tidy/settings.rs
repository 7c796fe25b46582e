//! setup.md lists the settings that the programs have, with their defaults.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use testkit::binaries;

use super::sources::{none, read};

type Settings = BTreeMap<String, String>;

/// The heading of the settings in the help text of a program.
const HEADING: &str = "Settings (environment variables):";

/// The settings and defaults in the help text of a program.
fn printed(help: &str) -> Settings {
    let mut found = Settings::new();
    let mut name = "";
    for line in help.lines().skip_while(|line| line.trim() != HEADING).skip(1) {
        if let Some(text) = line.strip_prefix("      ") {
            let default = text.rsplit_once("default: ").map(|(_, rest)| rest.trim_end_matches(']'));
            if let Some(default) = default {
                found.insert(name.to_owned(), default.to_owned());
            }
        } else {
            name = line.trim();
        }
    }
    found
}

/// The settings in the tables below a heading `### …`, with the defaults as they are written.
fn listed(paper: &str, heading: &str) -> Settings {
    let below = paper.lines().skip_while(|line| *line != format!("### {heading}")).skip(1);
    let section = below.take_while(|line| !line.starts_with('#'));
    let rows = section.filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match cells[..] {
            ["", name, _, default, ..] => {
                Some((name.strip_prefix('`')?.strip_suffix('`')?, default))
            }
            _ => None,
        }
    });
    rows.map(|(name, default)| (name.to_owned(), default.to_owned())).collect()
}

/// Returns true if the default in setup.md means the printed one.
fn agrees(written: &str, printed: &str, program: &Settings) -> bool {
    if written == "one for each processor" {
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        return printed == processors.to_string();
    }
    if let Some(other) = written.strip_prefix("that of ") {
        return program.get(other.trim_matches('`')).is_some_and(|default| default == printed);
    }
    // A program hides its default passwords; setup.md has them behind a comma.
    let hidden =
        printed == "a development default" && written.starts_with("a development default, ");
    hidden || written.trim_matches('`') == printed
}

fn differences(program: &str, printed: &Settings, listed: &Settings) -> Vec<String> {
    let mut found = Vec::new();
    for (name, default) in printed {
        match listed.get(name) {
            None => found.push(format!("{program}: setup.md does not list {name}")),
            Some(written) if !agrees(written, default, printed) => found.push(format!(
                "{program}: setup.md says {written:?} is the default of {name}, --help {default:?}"
            )),
            Some(_) => {}
        }
    }
    let too_many = listed.keys().filter(|name| !printed.contains_key(*name));
    found.extend(too_many.map(|name| format!("{program}: setup.md lists {name}, which is none")));
    found
}

fn help(binary: &Path) -> Settings {
    let output = Command::new(binary).arg("--help").env_clear().output().unwrap();
    assert!(output.status.success(), "{binary:?} --help: {output:?}");
    printed(&String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn setup_md_lists_the_settings_that_the_programs_have() {
    let binaries = binaries::fresh().await.unwrap();
    let paper = read("setup.md");
    let every = listed(&paper, "Every process");
    let mut services = listed(&paper, "Both services");
    services.extend(every.clone());
    let mut found = Vec::new();
    for (program, binary, shared) in [
        ("order-management", &binaries.order_management, &services),
        ("payment-processor", &binaries.payment_processor, &services),
        ("auditor", &binaries.auditor, &every),
        ("log-collector", &binaries.log_collector, &every),
    ] {
        let mut settings = listed(&paper, program);
        settings.extend(shared.clone());
        let printed = help(binary);
        assert!(printed.len() > 10, "{program} --help lists only {printed:?}");
        found.extend(differences(program, &printed, &settings));
    }
    none("setup.md lists every setting", &found);
}

#[test]
fn a_difference_is_found() {
    let printed = printed(
        "About.\n\nOptions:\n  -h, --help  Print help\n\nSettings (environment variables):\n  \
         A\n      Does a, in a text\n      of two lines. [text; default: x]\n  B\n      Does b. \
         [n; default: 5]\n",
    );
    let paper = "### p\n\n| setting | unit | default |\n|---|---|---|\n| `A` | text | that of `B` |\n\
                 | `C` | text | `1` |\n### q\n| `B` | n | `5` |\n";
    let found = differences("p", &printed, &listed(paper, "p"));
    assert_eq!(
        found,
        [
            "p: setup.md says \"that of `B`\" is the default of A, --help \"x\"",
            "p: setup.md does not list B",
            "p: setup.md lists C, which is none",
        ]
    );
}
