//! Rust files as tokens: the paths that code names, its strings, and its comments.

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

/// A path that code names, in full: `use a::{b, c::d}` names `a::b` and `a::c::d`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
    /// The name that an import gives the path in its file.
    pub(crate) local: Option<String>,
    /// An import that other modules see.
    pub(crate) is_public: bool,
    /// Number of inline modules around the path.
    pub(crate) inline: usize,
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

/// Every path of two parts or more, and every import. Macros are left out.
pub(crate) fn paths(text: &str) -> Vec<Named> {
    let tokens = tokens(text);
    let mut rest = tokens.as_slice();
    let mut found = Vec::new();
    let mut before = "";
    while let Some((token, tail)) = rest.split_first() {
        rest = tail;
        let next = tail.first().map_or("", |next| next.text.as_str());
        // `use<'a>` in a type lists captured lifetimes, and imports nothing.
        if token.text == "use" && next != "<" {
            let imports = found.len();
            rest = tree(rest, &mut Vec::new(), &mut found);
            let is_public = ["pub", ")"].contains(&before);
            found.iter_mut().skip(imports).for_each(|import| import.is_public = is_public);
        } else if is_word(&token.text) && next == "::" && before != "$" {
            let mut path = vec![token.text.clone()];
            while let [colons, part, after @ ..] = rest
                && colons.text == "::"
                && is_word(&part.text)
            {
                path.push(part.text.clone());
                rest = after;
            }
            if rest.first().is_none_or(|next| next.text != "!") {
                let (line, inline) = (token.line, token.inline);
                found.push(Named { line, path, local: None, is_public: false, inline });
            }
        }
        before = &token.text;
    }
    found
}

/// Reads one tree of a `use`, up to the `,`, `}` or `;` that ends it.
fn tree<'a>(
    mut rest: &'a [Token],
    prefix: &mut Vec<String>,
    found: &mut Vec<Named>,
) -> &'a [Token] {
    let depth = prefix.len();
    let (mut line, inline) = rest.first().map_or((0, 0), |token| (token.line, token.inline));
    let mut local = None;
    while let Some((token, tail)) = rest.split_first() {
        match token.text.as_str() {
            "," | "}" | ";" => break,
            "{" => {
                rest = branches(tail, prefix, found);
                prefix.truncate(depth);
                return rest;
            }
            "::" => rest = tail,
            "as" => {
                local = tail.first().map(|name| name.text.clone());
                rest = tail.get(1..).unwrap_or_default();
            }
            name => {
                line = token.line;
                prefix.push(name.to_owned());
                rest = tail;
            }
        }
    }
    let path = prefix.clone();
    let name = path.iter().rfind(|part| *part != "self").cloned();
    found.push(Named { line, path, local: local.or(name), is_public: false, inline });
    prefix.truncate(depth);
    rest
}

/// The trees between braces, and the tokens behind them.
fn branches<'a>(
    mut rest: &'a [Token],
    prefix: &mut Vec<String>,
    found: &mut Vec<Named>,
) -> &'a [Token] {
    while let Some((token, tail)) = rest.split_first() {
        match token.text.as_str() {
            "}" => return tail,
            "," => rest = tail,
            _ => rest = tree(rest, prefix, found),
        }
    }
    rest
}

#[test]
fn paths_are_found_in_code_and_not_in_text() {
    let text = "use a::{b, c::{self, d as e}};\n// use no::comment;\nfn f<'a>(c: char) {\n\
                let s = \"no::string \\\" no::end\"; let r = r#\"no::\"raw\"#; let q = '\"';\n\
                x::y::<u8>::z(); no::macro_path!(); } fn g<'a>() -> impl h::I + use<'a> { j(); }\n\
                mod t { use super::k; }";
    let all = paths(text);
    let found: Vec<_> = all.iter().map(|n| (n.line, n.path.join("::"), n.inline)).collect();
    let expected = [
        (1, "a::b", 0),
        (1, "a::c::self", 0),
        (1, "a::c::d", 0),
        (5, "x::y", 0),
        (5, "h::I", 0),
        (6, "super::k", 1),
    ];
    assert_eq!(found, expected.map(|(line, path, inline)| (line, path.to_owned(), inline)));
    let locals: Vec<_> = all.iter().filter_map(|named| named.local.as_deref()).collect();
    assert_eq!(locals, ["b", "c", "e", "k"]);
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
