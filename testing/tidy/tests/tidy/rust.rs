//! Rust files as tokens, with their strings and comments.

use std::ops::Range;
use std::str::FromStr;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// A word, a literal, a punctuation mark or `::`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) text: String,
    /// Number of inline modules around the token.
    pub(crate) inline: usize,
    bytes: Range<usize>,
}

/// A comment, or one line of a doc comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) is_doc: bool,
}

/// The tokens of a file in order. A doc comment is the tokens of its attribute.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let stream = TokenStream::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let mut found = Vec::new();
    flatten(stream, 0, &mut found);
    found
}

fn flatten(stream: TokenStream, inline: usize, found: &mut Vec<Token>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                let is_module = open == "{" && found.iter().nth_back(1).is_some_and(is_mod);
                found.push(token(open.to_owned(), group.span_open(), inline));
                flatten(group.stream(), inline + usize::from(is_module), found);
                found.push(token(close.to_owned(), group.span_close(), inline));
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => {
                let next = token(":".to_owned(), mark.span(), inline);
                match found.last_mut() {
                    Some(last) if last.text == ":" && last.bytes.end == next.bytes.start => {
                        last.text.push(':');
                        last.bytes.end = next.bytes.end;
                    }
                    _ => found.push(next),
                }
            }
            other => found.push(token(other.to_string(), other.span(), inline)),
        }
    }
}

fn is_mod(token: &Token) -> bool {
    token.text == "mod"
}

fn token(text: String, span: Span, inline: usize) -> Token {
    Token { line: span.start().line, text, inline, bytes: span.byte_range() }
}

/// Returns true for an identifier or a keyword.
pub(crate) fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && token.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '#')
        && !token.contains('"')
}

/// The values of all string literals outside of comments, with their lines.
pub(crate) fn strings(text: &str) -> Vec<(usize, String)> {
    let literals = tokens(text).into_iter().filter(|token| !is_comment(text, token));
    let value = |token: Token| match syn::parse_str(&token.text) {
        Ok(syn::Lit::Str(literal)) => Some((token.line, literal.value())),
        _ => None,
    };
    literals.filter(|token| token.text.contains('"')).filter_map(value).collect()
}

fn is_comment(text: &str, token: &Token) -> bool {
    let source = text.get(token.bytes.clone()).unwrap_or_default();
    source.starts_with("//") || source.starts_with("/*")
}

/// Every comment of a file, line by line.
pub(crate) fn comments(text: &str) -> Vec<Comment> {
    let mut found = Vec::new();
    let (mut end, mut line) = (0, 1);
    for token in tokens(text) {
        if token.bytes.start >= end {
            gap(text.get(end..token.bytes.start).unwrap_or_default(), line, &mut found);
            if is_comment(text, &token) {
                lines_of(text.get(token.bytes.clone()).unwrap_or_default(), token.line, &mut found);
            }
            line += text.get(end..token.bytes.end).unwrap_or_default().matches('\n').count();
            end = token.bytes.end;
        }
    }
    gap(text.get(end..).unwrap_or_default(), line, &mut found);
    found
}

/// The comments between two tokens.
fn gap(text: &str, first: usize, found: &mut Vec<Comment>) {
    for (line, text) in (first..).zip(text.lines()) {
        let text = text.trim();
        if !text.is_empty() {
            let text = text.trim_start_matches(['/', '*']).trim().to_owned();
            found.push(Comment { line, text, is_doc: false });
        }
    }
}

fn lines_of(doc: &str, first: usize, found: &mut Vec<Comment>) {
    for (line, text) in (first..).zip(doc.lines()) {
        let text = text.trim().trim_start_matches(['/', '!', '*']).trim().to_owned();
        found.push(Comment { line, text, is_doc: true });
    }
}

/// The doc comments of a file: the line of each, and its text.
pub(crate) fn doc_comments(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut next = 0;
    for comment in comments(text).into_iter().filter(|comment| comment.is_doc) {
        match found.last_mut() {
            Some((_, text)) if comment.line == next => {
                text.push('\n');
                text.push_str(&comment.text);
            }
            _ => found.push((comment.line, comment.text)),
        }
        next = comment.line + 1;
    }
    found
}

#[test]
fn strings_are_found_with_their_lines() {
    let text =
        "let a = \"one \\\" two\";\n// \"no\"\nlet b = '\"';\nlet c = r\"\n three\"; /// \"no\"\n";
    let expected = [(1, "one \" two".to_owned()), (4, "\n three".to_owned())];
    assert_eq!(strings(text), expected);
}

#[test]
fn comments_are_found_with_their_lines() {
    let text = "//! The file.\n\n// One,\n// two.\nlet a = \"// no\"; // three\n\
                /// Does it.\n///\n/// Well.\nfn a() {}\n/// Ends.\nfn ü() { b(); }\n// four";
    let found = comments(text);
    let plain: Vec<_> = found.iter().filter(|c| !c.is_doc).map(|c| (c.line, &*c.text)).collect();
    assert_eq!(plain, [(3, "One,"), (4, "two."), (5, "three"), (12, "four")]);
    let docs = doc_comments(text);
    let expected = [(1, "The file."), (6, "Does it.\n\nWell."), (10, "Ends.")];
    assert_eq!(docs, expected.map(|(line, text)| (line, text.to_owned())));
}
