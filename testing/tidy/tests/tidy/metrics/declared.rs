//! The metrics that a file declares with `metrics!` and `counters_by!`.

use std::fmt;

use syn::visit::{self, Visit};
use syn::{
    Expr, ExprArray, ExprTuple, GenericArgument, ImplItem, Item, ItemImpl, ItemStruct, Lit,
    PathArguments, Type,
};

use super::super::sources::{Source, crate_of, crates};
use super::blocks::{CountersBlock, Field, Label, MetricsBlock, help, literal};

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
