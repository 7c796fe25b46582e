//! A link in a paper leads to a file that exists, and to a heading in it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::sources::{all, none, root};

/// The lines of a paper outside of its code blocks, numbered from 1.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push((number, line.to_owned()));
        }
    }
    lines
}

/// The targets of `[text](target)` in one line, outside of inline code.
fn targets(line: &str) -> Vec<String> {
    let links = line.match_indices("](").filter(|(at, _)| {
        // Behind an odd number of backticks the bracket is inside of code.
        line.get(..*at).is_some_and(|before| before.matches('`').count() % 2 == 0)
    });
    let target = |(at, bracket): (usize, &str)| {
        let after = line.get(at + bracket.len()..)?;
        after.split(')').next().map(|target| target.trim().to_owned())
    };
    links.filter_map(target).collect()
}

/// The anchors of a paper, as GitHub makes them of its headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in prose(text) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let slug = slug.to_lowercase();
        let numbered = (1..).map(|n| format!("{slug}-{n}"));
        let free = std::iter::once(slug.clone()).chain(numbered).find(|s| !found.contains(s));
        found.extend(free);
    }
    found
}

/// The fault of a link in the paper at `from`.
fn fault(from: &str, text: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() {
        PathBuf::from(from)
    } else {
        Path::new(from).parent().unwrap().join(file)
    };
    let absolute = root().join(&path);
    if !absolute.exists() {
        return Some(format!("there is no {}", path.display()));
    }
    if path.components().filter(|c| *c == Component::ParentDir).count() >= path.components().count()
    {
        return Some("leads out of the repository".to_owned());
    }
    if anchor.is_empty() {
        return None;
    }
    let there = if file.is_empty() {
        anchors(text)
    } else {
        anchors(&std::fs::read_to_string(absolute).unwrap())
    };
    (!there.contains(anchor)).then(|| format!("{} has no heading #{anchor}", path.display()))
}

fn dead_links(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for target in targets(&line) {
            let why = fault(path, text, &target);
            found.extend(why.map(|why| format!("{path}:{number}: ({target}): {why}")));
        }
    }
    found
}

#[test]
fn every_link_in_the_papers_leads_somewhere() {
    let found: Vec<_> = all("md").into_iter().flat_map(|s| dead_links(&s.path, &s.text)).collect();
    none("dead links", &found);
}

#[test]
fn a_dead_link_is_found() {
    let text = "# A heading: of `this` paper\n[a](#a-heading-of-this-paper) [b](setup.md)\n\
                [c](nowhere.md) [d](#nowhere)\n[e](setup.md#nowhere)\n```\n[f](nowhere.md)\n```\n\
                `[g](nowhere.md)` [`h`](nowhere.md) <https://example.com> [i](https://x.y/z)";
    let found = dead_links("README.md", text);
    let lines: Vec<_> = found.iter().filter_map(|f| f.split(": ").next()).collect();
    assert_eq!(lines, ["README.md:3", "README.md:3", "README.md:4", "README.md:8"], "{found:?}");
}

/// An error message of the topology names this heading.
#[test]
fn the_heading_that_an_error_message_names_exists() {
    let papers = all("md");
    let paper = papers.iter().find(|paper| paper.path == "docs/messages.md").unwrap();
    assert!(anchors(&paper.text).contains("when-a-queue-exists-in-another-shape"));
}
