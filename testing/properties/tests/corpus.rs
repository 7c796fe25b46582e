//! Every property over every input that the fuzzer kept, and over inputs larger than its own:
//! without a fuzzer, in every run of the tests.

use std::collections::BTreeSet;
use std::path::Path;

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz");

#[test]
fn every_property_holds_for_everything_in_its_corpus() {
    for (name, property) in properties::ALL {
        let files = std::fs::read_dir(Path::new(FUZZ).join("corpus").join(name)).unwrap();
        let files: BTreeSet<_> = files.map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 5, "the corpus of {name} has only {} files", files.len());
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            let held = std::panic::catch_unwind(|| property(&bytes));
            assert!(held.is_ok(), "{name} does not hold for {}", file.display());
        }
    }
}

#[test]
fn every_property_has_a_fuzz_target_and_every_target_a_property() {
    let targets = std::fs::read_dir(Path::new(FUZZ).join("fuzz_targets")).unwrap();
    let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let targets: BTreeSet<_> = targets.map(|entry| stem(&entry.unwrap().path())).collect();
    let named: BTreeSet<_> = properties::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(targets, named);
    let manifest = std::fs::read_to_string(Path::new(FUZZ).join("Cargo.toml")).unwrap();
    for name in named {
        let path = format!("fuzz_targets/{name}.rs");
        assert!(manifest.contains(&path), "fuzz/Cargo.toml does not name {path}");
        let target = std::fs::read_to_string(Path::new(FUZZ).join(&path)).unwrap();
        assert!(target.contains(&format!("properties::{name}(")), "{path} runs another property");
    }
}

#[test]
fn every_property_holds_for_hundreds_of_kilobytes_of_one_piece() {
    const TIMES: usize = 300_000;
    for piece in ["[", "{\"a\":", "[{},", "\u{0}", "9", "\"", "a=b&", "\u{ff}", "-1e"] {
        let text = piece.repeat(TIMES / piece.len());
        for (_, property) in properties::ALL {
            property(text.as_bytes());
            property(format!("[{text}]").as_bytes());
            property(format!("{{\"orderId\":{text}").as_bytes());
        }
    }
}
