//! The grammar of `metrics!` and `counters_by!`.

use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Token, Type, Visibility, braced};

/// A label, with its values as far as the declaration names them.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) help: String,
    /// Values and their doc comments.
    pub(super) values: Vec<(String, String)>,
}

impl Label {
    pub(super) fn new(name: String, help: String) -> Label {
        Label { name, help, values: Vec::new() }
    }
}

/// A field of a `metrics!` block.
pub(super) struct Field {
    pub(super) help: String,
    pub(super) ty: Type,
    pub(super) name: LitStr,
}

/// A `metrics!` block.
pub(super) struct MetricsBlock {
    pub(super) fields: Vec<Field>,
}

impl Parse for MetricsBlock {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        head(input)?;
        let content;
        braced!(content in input);
        let mut fields = Vec::new();
        while !content.is_empty() {
            let help = help(&content.call(Attribute::parse_outer)?);
            content.parse::<Visibility>()?;
            content.parse::<Ident>()?;
            content.parse::<Token![:]>()?;
            let ty = content.parse()?;
            content.parse::<Token![=]>()?;
            let name = content.parse()?;
            if content.peek(syn::Ident) {
                content.parse::<Ident>()?;
                content.parse::<Expr>()?;
            }
            content.parse::<Option<Token![,]>>()?;
            fields.push(Field { help, ty, name });
        }
        Ok(MetricsBlock { fields })
    }
}

/// A `counters_by!` block: one label, and its values.
pub(super) struct CountersBlock {
    pub(super) name: Ident,
    pub(super) label: Label,
}

impl Parse for CountersBlock {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = head(input)?;
        input.parse::<Ident>()?;
        let mut label = Label::new(input.parse::<LitStr>()?.value(), String::new());
        let content;
        braced!(content in input);
        while !content.is_empty() {
            let help = help(&content.call(Attribute::parse_outer)?);
            content.parse::<Ident>()?;
            content.parse::<Token![=]>()?;
            label.values.push((content.parse::<LitStr>()?.value(), help));
            content.parse::<Option<Token![,]>>()?;
        }
        Ok(CountersBlock { name, label })
    }
}

/// Attributes, visibility, `struct` and the name.
fn head(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    input.parse::<Token![struct]>()?;
    input.parse()
}

/// The text of a doc comment in one line.
pub(super) fn help(attributes: &[Attribute]) -> String {
    let docs = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => literal(&pair.value),
        _ => None,
    });
    let text = docs.collect::<Vec<_>>().join(" ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}
