//! The metrics and labels that an expression names. The parser assumes a valid expression, which
//! Prometheus checks.

use std::collections::BTreeSet;

/// A selector of an expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Selector {
    pub(super) name: String,
    /// The labels it selects by.
    pub(super) labels: BTreeSet<String>,
    /// Its text in the expression.
    pub(super) text: String,
}

/// The names in an expression.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) selectors: Vec<Selector>,
    /// The labels by which it is grouped or matched.
    pub(super) grouping: BTreeSet<String>,
}

/// Keywords that are followed by labels in brackets.
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Operators that may be followed by labels before the aggregated expression.
const AGGREGATORS: [&str; 12] = [
    "sum",
    "min",
    "max",
    "avg",
    "group",
    "stddev",
    "stdvar",
    "count",
    "count_values",
    "bottomk",
    "topk",
    "quantile",
];
const WORDS: [&str; 10] =
    ["and", "or", "unless", "bool", "offset", "atan2", "inf", "nan", "start", "end"];

/// Finds the names in a PromQL expression, with or without Grafana's variables.
pub(super) fn names(expression: &str) -> Names {
    let written: Vec<char> = expression.chars().collect();
    let text = blanked(&written);
    let (mut found, mut at) = (Names::default(), 0);
    while at < text.len() {
        if starts_word(text[at]) {
            let word = word(&text, at);
            at = after_blanks(&text, at + word.len());
            let end = read_word(&word, &text, at, &mut found);
            if let Some(selector) = found.selectors.last_mut().filter(|s| s.text.is_empty()) {
                selector.text = word.chars().chain(written[at..end].iter().copied()).collect();
            }
            at = end;
        } else if text[at].is_ascii_digit() {
            // a number or a duration
            at += text[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '.').count();
        } else if text[at] == '[' {
            at = closing(&text, at, ']') + 1;
        } else {
            at += 1;
        }
    }
    found
}

/// Classifies a word by the text that follows it at `at`; returns the position after it.
fn read_word(word: &str, text: &[char], at: usize, found: &mut Names) -> usize {
    let next = text.get(at);
    if BEFORE_LABELS.contains(&word) {
        if next != Some(&'(') {
            return at;
        }
        let end = closing(text, at, ')');
        found.grouping.extend(words(&text[at..end]));
        return end + 1;
    }
    let known = AGGREGATORS.contains(&word) || WORDS.contains(&word.to_lowercase().as_str());
    if next == Some(&'(') || known {
        return at;
    }
    let end = if next == Some(&'{') { closing(text, at, '}') + 1 } else { at };
    let labels = words(&text[at..end]).collect();
    found.selectors.push(Selector { name: word.to_owned(), labels, text: String::new() });
    end
}

/// The expression with blanks instead of its strings, and a digit instead of the first character of
/// Grafana's variables, which occur only in place of a duration.
fn blanked(expression: &[char]) -> Vec<char> {
    let (mut quote, mut escaped) = (None, false);
    let kept = expression.iter().map(|c| match quote {
        Some(_) if escaped => {
            escaped = false;
            ' '
        }
        Some(open) => {
            escaped = *c == '\\';
            quote = quote.filter(|_| *c != open);
            ' '
        }
        None if "\"'`".contains(*c) => {
            quote = Some(*c);
            ' '
        }
        None if *c == '$' => '1',
        None => *c,
    });
    kept.collect()
}

fn words(text: &[char]) -> impl Iterator<Item = String> {
    let text: String = text.iter().collect();
    let parts: Vec<String> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|part| part.chars().next().is_some_and(starts_word))
        .map(str::to_owned)
        .collect();
    parts.into_iter()
}

fn word(text: &[char], at: usize) -> String {
    text[at..].iter().take_while(|c| c.is_alphanumeric() || "_:".contains(**c)).collect()
}

fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == ':'
}

fn after_blanks(text: &[char], at: usize) -> usize {
    at + text[at..].iter().take_while(|c| c.is_whitespace()).count()
}

fn closing(text: &[char], at: usize, bracket: char) -> usize {
    let length = text[at..].iter().position(|c| *c == bracket);
    at + length.unwrap_or_else(|| panic!("no {bracket} in {text:?}"))
}

#[test]
fn selectors_are_taken_out_as_they_stand() {
    let found = names("sum(rate(a{b=~\"c\\\\.{d}\", e='f)'}[$__rate_interval])) / on () g");
    let texts: Vec<_> = found.selectors.iter().map(|s| s.text.as_str()).collect();
    assert_eq!(texts, ["a{b=~\"c\\\\.{d}\", e='f)'}", "g"]);
}

#[test]
fn names_are_found_where_they_stand() {
    for (expression, wanted, grouping) in [
        ("up == 0", "up[]", ""),
        ("sum by (a, b) (rate(x_total{c=~\"y{z}\", d!='e'}[5m]))", "x_total[c d]", "a b"),
        ("sum(rate(x[$__rate_interval])) without (a)", "x[]", "a"),
        ("a:b:rate1h > 14.4 * 0.001 and on (i) c offset 5m", "a:b:rate1h[] c[]", "i"),
        ("a / on (i) group_left (n) b unless c{d=\"\"}", "a[] b[] c[d]", "i n"),
        ("histogram_quantile(0.5, sum by (le) (rate(h_bucket[1m])))", "h_bucket[]", "le"),
        ("a * on () group_left b or vector(0) > bool 1", "a[] b[]", ""),
        ("time() - max(x{a=\"by (b)\"} @ end()) + Inf", "x[a]", ""),
    ] {
        let found = names(expression);
        let told: Vec<String> = found
            .selectors
            .iter()
            .map(|s| format!("{}[{}]", s.name, Vec::from_iter(s.labels.clone()).join(" ")))
            .collect();
        assert_eq!(told.join(" "), wanted, "{expression}");
        assert_eq!(Vec::from_iter(found.grouping).join(" "), grouping, "{expression}");
    }
}
