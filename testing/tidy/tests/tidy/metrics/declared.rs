//! The metrics that a file declares with `metrics!` and `counters_by!`.

use std::fmt;

use syn::parse::{Parse, ParseStream};
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprArray, ExprLit, ExprTuple, GenericArgument, Ident, ImplItem, Item,
    ItemImpl, ItemStruct, Lit, LitStr, Meta, PathArguments, Token, Type, Visibility, braced,
};

use super::super::sources::{Source, crate_of, crates};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        })
    }
}

/// A label, with its values as far as the declaration names them.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) help: String,
    /// Values and their doc comments.
    pub(super) values: Vec<(String, String)>,
}

impl Label {
    fn new(name: String, help: String) -> Label {
        Label { name, help, values: Vec::new() }
    }
}

#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) labels: Vec<Label>,
    pub(super) help: String,
    pub(super) krate: String,
    pub(super) path: String,
    pub(super) line: usize,
}

impl Metric {
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.path, self.line)
    }
}

/// Every metric that the file declares, in order.
pub(super) fn declared(source: &Source) -> Vec<Metric> {
    let code = source.without_tests();
    if !code.contains("metrics! {") || code.contains("macro_rules! metrics") {
        return Vec::new();
    }
    let file = syn::parse_file(code).unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let items = Items::of(&file.items);
    let crates = crates();
    let krate = crate_of(&source.path, &crates).map(|own| own.name.clone());
    let krate = krate.unwrap_or_else(|| source.path.split('/').next().unwrap().to_owned());
    let metric = |field: &Field| {
        let name = field.name.value();
        let resolved = items.resolve(&field.ty);
        let (kind, labels) = resolved.unwrap_or_else(|| panic!("{}: {name}: type?", source.path));
        let (path, line) = (source.path.clone(), field.name.span().start().line);
        Metric { name, kind, labels, help: field.help.clone(), krate: krate.clone(), path, line }
    };
    items.sets.iter().flat_map(|set| &set.fields).map(metric).collect()
}

/// A field of a `metrics!` block.
struct Field {
    help: String,
    ty: Type,
    name: LitStr,
}

struct MetricsBlock {
    fields: Vec<Field>,
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
struct CountersBlock {
    name: Ident,
    label: Label,
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
fn help(attributes: &[Attribute]) -> String {
    let docs = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => literal(&pair.value),
        _ => None,
    });
    let text = docs.collect::<Vec<_>>().join(" ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// The items of a file that say what a metric is.
#[derive(Default)]
struct Items {
    sets: Vec<MetricsBlock>,
    counters: Vec<CountersBlock>,
    /// Structs of labels, and all others.
    structs: Vec<(String, Vec<Label>)>,
    /// `type Exposed` of a struct that implements `Instrument`.
    exposed: Vec<(String, Type)>,
    /// Names in arrays of labels: `[("operation", …), ("outcome", …)]`.
    arrays: Vec<Vec<String>>,
}

impl Items {
    fn of(file: &[Item]) -> Items {
        let mut items = Items::default();
        for item in file {
            match item {
                Item::Macro(item) if item.mac.path.segments.last().unwrap().ident == "metrics" => {
                    items.sets.push(item.mac.parse_body().unwrap());
                }
                Item::Macro(item)
                    if item.mac.path.segments.last().unwrap().ident == "counters_by" =>
                {
                    items.counters.push(item.mac.parse_body().unwrap());
                }
                _ => items.visit_item(item),
            }
        }
        items
    }

    fn resolve(&self, ty: &Type) -> Option<(Kind, Vec<Label>)> {
        let Type::Path(path) = ty else { return None };
        let last = path.path.segments.last()?;
        let arguments: Vec<&Type> = match &last.arguments {
            PathArguments::AngleBracketed(list) => list.args.iter().filter_map(of_a_type).collect(),
            _ => Vec::new(),
        };
        match last.ident.to_string().as_str() {
            "Counter" => Some((Kind::Counter, Vec::new())),
            "Gauge" | "Seconds" => Some((Kind::Gauge, Vec::new())),
            "Histogram" => Some((Kind::Histogram, Vec::new())),
            "Histograms" => Some((Kind::Histogram, self.labels(arguments.first()?)?)),
            "Family" => {
                let (kind, _) = self.resolve(arguments.get(1)?)?;
                Some((kind, self.labels(arguments.first()?)?))
            }
            name => {
                if let Some(block) = self.counters.iter().find(|block| block.name == name) {
                    return Some((Kind::Counter, vec![block.label.clone()]));
                }
                let (_, exposed) = self.exposed.iter().find(|(own, _)| own == name)?;
                self.resolve(exposed)
            }
        }
    }

    fn labels(&self, ty: &Type) -> Option<Vec<Label>> {
        let Type::Path(path) = ty else { return None };
        let last = path.path.segments.last()?;
        if last.ident != "Labels" {
            let (_, labels) = self.structs.iter().find(|(name, _)| last.ident == name)?;
            return Some(labels.clone());
        }
        let PathArguments::AngleBracketed(list) = &last.arguments else { return None };
        let GenericArgument::Const(Expr::Lit(count)) = list.args.first()? else { return None };
        let Lit::Int(count) = &count.lit else { return None };
        let count: usize = count.base10_parse().ok()?;
        let names = self.arrays.iter().find(|names| names.len() == count)?;
        Some(names.iter().map(|name| Label::new(name.clone(), String::new())).collect())
    }
}

fn of_a_type(argument: &GenericArgument) -> Option<&Type> {
    match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Items {
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        let labels = item.fields.iter().filter_map(|field| {
            Some(Label::new(field.ident.as_ref()?.to_string(), help(&field.attrs)))
        });
        self.structs.push((item.ident.to_string(), labels.collect()));
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        for inner in &item.items {
            if let (ImplItem::Type(exposed), Type::Path(own)) = (inner, &*item.self_ty)
                && exposed.ident == "Exposed"
                && let Some(name) = own.path.get_ident()
            {
                self.exposed.push((name.to_string(), exposed.ty.clone()));
            }
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_expr_array(&mut self, array: &'ast ExprArray) {
        let names = array.elems.iter().map(|element| match element {
            Expr::Tuple(ExprTuple { elems, .. }) => elems.first().and_then(literal),
            _ => None,
        });
        self.arrays.extend(names.collect::<Option<Vec<String>>>());
    }
}
