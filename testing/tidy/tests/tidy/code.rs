//! Just enough understanding of Rust: what is code and what is text, and which paths code names.

use std::iter::Peekable;
use std::str::Chars;

/// `text` with every comment, string and character blanked, line by line as it was.
pub(crate) fn blanked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    let mut last = ' ';
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('/', Some('/')) => while rest.next_if(|c| *c != '\n').is_some() {},
            ('/', Some('*')) => blank_until(&mut rest, &mut out, "*/"),
            ('"', _) => blank_string(&mut rest, &mut out),
            ('r', Some('"' | '#')) if !is_word(last) => blank_raw(&mut rest, &mut out),
            ('\'', _) => blank_char(&mut rest, &mut out),
            _ => out.push(c),
        }
        last = c;
    }
    out
}

/// The texts of all string literals, with the line each begins at.
pub(crate) fn strings(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    let (mut line, mut last) = (1, ' ');
    while let Some(c) = rest.next() {
        let mut taken = String::new();
        match (c, rest.peek()) {
            ('\n', _) => line += 1,
            ('/', Some('/')) => while rest.next_if(|c| *c != '\n').is_some() {},
            ('"', _) => {
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    taken.push(c);
                    if c == '\\' {
                        taken.extend(rest.next());
                    }
                }
                found.push((line, taken.clone()));
            }
            ('\'', _) if !is_word(last) => blank_char(&mut rest, &mut taken),
            _ => {}
        }
        line += taken.matches('\n').count();
        last = c;
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn blank_until(rest: &mut Peekable<Chars<'_>>, out: &mut String, end: &str) {
    let mut seen = String::new();
    while !seen.ends_with(end) {
        let Some(c) = rest.next() else { return };
        seen.push(c);
        out.extend((c == '\n').then_some('\n'));
    }
}

fn blank_string(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('"');
    while let Some(c) = rest.next() {
        out.extend((c == '\n').then_some('\n'));
        match c {
            '\\' => out.extend(rest.next().filter(|c| *c == '\n')),
            '"' => break,
            _ => {}
        }
    }
    out.push('"');
}

fn blank_raw(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut end = String::from("\"");
    while rest.next_if_eq(&'#').is_some() {
        end.push('#');
    }
    if rest.next_if_eq(&'"').is_some() {
        blank_until(rest, out, &end);
    }
}

/// A character, or only the quote of a lifetime.
fn blank_char(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut ahead = rest.clone();
    match ahead.next() {
        Some('\\') => blank_until(rest, out, "'"),
        Some(_) if ahead.next() == Some('\'') => {
            rest.next();
            rest.next();
        }
        _ => {}
    }
}

/// A path that code names, in full as far as the file tells: `use a::{b, c::d}` names `a::b` and
/// `a::c::d`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
}

/// Every path of two parts or more in `text`, and every import.
pub(crate) fn paths(text: &str) -> Vec<Named> {
    let tokens = tokens(&blanked(text));
    let mut rest = tokens.as_slice();
    let mut found = Vec::new();
    while let Some(((line, token), tail)) = rest.split_first() {
        rest = tail;
        // `use<'a>` in a type says what it captures, and imports nothing.
        if token == "use" && tail.first().is_some_and(|(_, next)| next != "<") {
            rest = tree(rest, &mut Vec::new(), &mut found);
        } else if token.starts_with(is_word) && tail.first().is_some_and(|(_, t)| t == "::") {
            let mut path = vec![token.clone()];
            while let [(_, colons), (_, next), after @ ..] = rest
                && colons == "::"
                && next.starts_with(is_word)
            {
                path.push(next.clone());
                rest = after;
            }
            found.push(Named { line: *line, path });
        }
    }
    found
}

type Token = (usize, String);

/// Reads one tree of a `use`, up to where a `,`, `}` or `;` ends it.
fn tree<'a>(
    mut rest: &'a [Token],
    prefix: &mut Vec<String>,
    found: &mut Vec<Named>,
) -> &'a [Token] {
    let depth = prefix.len();
    let mut line = rest.first().map_or(0, |(line, _)| *line);
    while let Some(((at, token), tail)) = rest.split_first() {
        match token.as_str() {
            "," | "}" | ";" => break,
            "{" => {
                rest = tail;
                while let Some(((_, token), _)) = rest.split_first().filter(|((_, t), _)| t != "}")
                {
                    let tail = rest.get(1..).unwrap_or_default();
                    rest = if token == "," { tail } else { tree(rest, prefix, found) };
                }
                prefix.truncate(depth);
                return rest.get(1..).unwrap_or_default();
            }
            "::" => rest = tail,
            // What it is called here does not matter.
            "as" => rest = tail.get(1..).unwrap_or_default(),
            name => {
                line = *at;
                prefix.push(name.to_owned());
                rest = tail;
            }
        }
    }
    found.push(Named { line, path: prefix.clone() });
    prefix.truncate(depth);
    rest
}

fn tokens(code: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for (line, text) in (1..).zip(code.lines()) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let len = match c {
                ':' if rest.starts_with("::") => 2,
                c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            let (token, tail) = rest.split_at(len);
            if !token.trim().is_empty() {
                found.push((line, token.to_owned()));
            }
            rest = tail;
        }
    }
    found
}

#[test]
fn paths_are_found_in_code_and_not_in_text() {
    let text = "use a::{b, c::{self, d as e}};\n// use no::comment;\nfn f<'a>(c: char) {\n\
                let s = \"no::string \\\" no::end\"; let r = r#\"no::\"raw\"#; let q = '\"';\n\
                x::y::<u8>::z(); } fn g<'a>() -> impl h::I + use<'a> { j(); }";
    let all = paths(text);
    let found: Vec<_> = all.iter().map(|n| (n.line, n.path.join("::"))).collect();
    let expected = [(1, "a::b"), (1, "a::c::self"), (1, "a::c::d"), (5, "x::y"), (5, "h::I")];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn strings_are_found_with_their_lines() {
    let text = "let a = \"one \\\" two\";\n// \"no\"\nlet b = '\"';\nlet c = \"\n    three\";";
    let expected = [(1, "one \\\" two".to_owned()), (4, "\n    three".to_owned())];
    assert_eq!(strings(text), expected);
}
