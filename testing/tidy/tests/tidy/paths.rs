//! The paths that code names, and its imports.

use super::rust::{Token, is_word, tokens};

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
