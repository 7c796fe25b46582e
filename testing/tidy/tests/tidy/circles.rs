//! The modules of a crate do not import each other in circles. Two exceptions: a module may use the
//! items of its parent, and the modules of `testing/model` may import each other, because its state
//! and its steps are one thing.

mod graph;

use super::sources::{Source, all, none};
use graph::Graph;
pub(crate) use graph::OfParents;

/// The crate whose modules may import each other.
const EXEMPT: &str = "testing/model/";

/// Each circle as the imports between its files.
pub(crate) fn circles(sources: &[&Source], of_parents: OfParents) -> Vec<String> {
    let mut found = Vec::new();
    for graph in Graph::of_crates(sources, of_parents) {
        for circle in graph.circles() {
            let imports = graph.imports_within(&circle);
            found.push(format!("{} ({} files)", imports.join("; "), circle.len()));
        }
    }
    found
}

/// The files that the rule is about.
pub(crate) fn sources() -> Vec<&'static Source> {
    let mut sources = all("rs");
    sources.retain(|source| !source.path.starts_with(EXEMPT));
    sources
}

#[test]
fn modules_do_not_import_each_other_in_circles() {
    let right = "move what both need to a third module, or pass it as a parameter";
    none(&format!("no import circles ({right})"), &circles(&sources(), OfParents::Ignore));
}

fn found_in(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> =
        files.iter().map(|(path, text)| Source::new(&format!("x/src/{path}"), text)).collect();
    circles(&sources.iter().collect::<Vec<_>>(), OfParents::Ignore)
}

#[test]
fn a_circle_is_found() {
    let between_siblings = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B;\npub struct A;"),
        ("b.rs", "pub struct B;\nfn b() { super::c::c(); }"),
        ("c.rs", "use crate::{\n  a::A,\n};\npub fn c() {}"),
    ];
    let found = found_in(&between_siblings);
    assert_eq!(found.len(), 1, "{found:?}");
    for import in ["a.rs:1: `crate::b::B`", "b.rs:2: `super::c::c`", "c.rs:2: `crate::a::A`"] {
        assert!(found.concat().contains(&format!("x/src/{import}")), "{import}: {found:?}");
    }
    let through_an_alias = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b;\nfn a() { b::f(); }"),
        ("b.rs", "use crate::a as other;\npub fn f() { other::a(); }"),
    ];
    assert_eq!(found_in(&through_an_alias).len(), 1);
}

#[test]
fn imports_that_go_one_way_are_no_circle() {
    let of_a_sibling_through_the_parent = [
        ("lib.rs", "mod a;"),
        ("a.rs", "mod b; mod c;\npub use b::B; pub use c::C;\npub struct A;"),
        ("a/b.rs", "use super::{A, C};\npub struct B;"),
        ("a/c.rs", "use super::A;\npub struct C;"),
    ];
    assert_eq!(found_in(&of_a_sibling_through_the_parent), [""; 0]);
    let with_a_parent = [
        ("lib.rs", "mod a;"),
        ("a.rs", "mod b;\nuse b::B;\npub struct A;"),
        ("a/b.rs", "use super::A;\npub struct B;"),
    ];
    assert_eq!(found_in(&with_a_parent), [""; 0]);
    let tests = [
        ("lib.rs", "mod a;"),
        ("a.rs", "pub struct A;\n#[cfg(test)]\nmod tests;\nmod t { use super::A; }"),
        ("a/tests.rs", "use super::*;"),
    ];
    assert_eq!(found_in(&tests), [""; 0]);
}
