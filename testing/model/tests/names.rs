//! The steps of the model name functions of the code. A function that is renamed or moved fails
//! this test, so that the model is reviewed.

use std::collections::HashSet;
use std::path::Path;

use model::{Origin, Verb};

/// True if the file declares this function outside its tests.
fn declares(text: &str, function: &str) -> bool {
    let code = text.lines().take_while(|line| *line != "#[cfg(test)]");
    let mut code = code.map(str::trim_start).filter(|line| !line.starts_with("//"));
    code.any(|line| {
        let name = line.split_once("fn ").map(|(_, after)| after.split(['(', '<']).next());
        name == Some(Some(function))
    })
}

#[test]
fn every_step_of_the_code_names_an_existing_function() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut missing = Vec::new();
    for verb in Verb::ALL {
        if let Origin::Code(file, function) = verb.origin() {
            let text = std::fs::read_to_string(workspace.join(file)).unwrap_or_default();
            if !declares(&text, function) {
                missing.push(format!("{verb:?}: no `{function}` in {file}"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_verb_is_tried() {
    assert_eq!(HashSet::from(Verb::ALL).len(), Verb::ALL.len());
    let of_code = Verb::ALL.iter().filter(|verb| matches!(verb.origin(), Origin::Code(..)));
    assert_eq!(of_code.count(), 21, "the environment's steps are marked as such");
}

#[test]
fn a_missing_function_is_found() {
    let text = "pub(crate) async fn place<T>(a: T) {}\n// fn gone() {}\n\
                fn place_all() {}\n#[cfg(test)]\nmod tests {\n    fn tested() {}\n}\n";
    assert!(declares(text, "place") && declares(text, "place_all"));
    assert!(!declares(text, "gone") && !declares(text, "tested") && !declares(text, "plac"));
}
