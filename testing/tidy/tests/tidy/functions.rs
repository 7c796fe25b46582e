//! A function has at most 60 lines, and its parameters have names: a tuple in a parameter list
//! hides them.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Block, FnArg, ImplItemFn, ItemFn, ItemImpl, Pat, PatType, Signature, TraitItemFn, Type};

use super::sources::{Source, all, none};

const LINES_MAX: usize = 60;

/// A function, as far as the rules look at it.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) line: usize,
    pub(crate) name: String,
    /// Lines between its braces.
    pub(crate) lines: usize,
    /// Number of parameters that take a tuple apart.
    pub(crate) tuples: usize,
}

/// Every function of a file, methods and functions in functions included.
pub(crate) fn functions(source: &Source) -> Vec<Function> {
    let file = syn::parse_file(&source.text);
    let file = file.unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let mut visitor = Functions::default();
    visitor.visit_file(&file);
    visitor.found
}

#[derive(Default)]
struct Functions {
    found: Vec<Function>,
    /// Inside an `impl Trait for`, whose signatures the trait decides.
    of_a_trait: bool,
}

impl Functions {
    fn add(&mut self, signature: &Signature, body: Option<&Block>) {
        let tuples = signature.inputs.iter().filter(|input| is_tuple(input)).count();
        self.found.push(Function {
            line: line(signature.fn_token.span),
            name: signature.ident.to_string(),
            lines: body.map_or(0, body_lines),
            tuples: if self.of_a_trait { 0 } else { tuples },
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        let outer = std::mem::take(&mut self.of_a_trait);
        self.add(&item.sig, Some(&item.block));
        visit::visit_item_fn(self, item);
        self.of_a_trait = outer;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.add(&item.sig, Some(&item.block));
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.add(&item.sig, item.default.as_ref());
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let outer = std::mem::replace(&mut self.of_a_trait, item.trait_.is_some());
        visit::visit_item_impl(self, item);
        self.of_a_trait = outer;
    }
}

fn line(span: Span) -> usize {
    span.start().line
}

fn body_lines(block: &Block) -> usize {
    let braces = block.brace_token.span;
    line(braces.close()).saturating_sub(line(braces.open())).saturating_sub(1)
}

/// A pattern that takes a tuple apart whose type is written beside it.
fn is_tuple(input: &FnArg) -> bool {
    let FnArg::Typed(PatType { pat, ty, .. }) = input else { return false };
    let (mut pat, mut ty) = (&**pat, &**ty);
    while let (Pat::Reference(inner_pat), Type::Reference(inner_ty)) = (pat, ty) {
        (pat, ty) = (&*inner_pat.pat, &*inner_ty.elem);
    }
    if let Type::Reference(inner) = ty {
        ty = &*inner.elem;
    }
    matches!((pat, ty), (Pat::Tuple(_), Type::Tuple(_)))
}

/// Functions with a tuple in their parameter list.
pub(crate) fn tuples(source: &Source) -> Vec<String> {
    let found = functions(source).into_iter().filter(|function| function.tuples > 0);
    let report = |Function { line, name, .. }: Function| {
        let path = &source.path;
        format!("{path}:{line}: `{name}` hides parameters in a tuple: make them a struct, or two")
    };
    found.map(report).collect()
}

/// Functions with more than [`LINES_MAX`] lines.
pub(crate) fn long(source: &Source) -> Vec<String> {
    let found = functions(source).into_iter().filter(|function| function.lines > LINES_MAX);
    let report = |Function { line, name, lines, .. }: Function| {
        let path = &source.path;
        format!("{path}:{line}: `{name}` has {lines} lines: divide it, {LINES_MAX} is the maximum")
    };
    found.map(report).collect()
}

#[test]
fn no_function_hides_parameters_in_a_tuple() {
    let found: Vec<_> = all("rs").into_iter().flat_map(tuples).collect();
    none("a parameter has a name of its own", &found);
}

#[test]
fn no_function_is_too_long() {
    let found: Vec<_> = all("rs").into_iter().flat_map(long).collect();
    none(&format!("a function has at most {LINES_MAX} lines"), &found);
}

#[test]
fn a_tuple_in_a_parameter_list_is_found() {
    let text = "fn a((x, y): (u8, u8)) {}\nfn b(&(x, _): &(u8, u8)) {}\n\
                fn c(x: (u8, u8), y: u8) { let f = |(a, b): (u8, u8)| a; }\n\
                impl T { fn d(self, (x, y): &(u8, u8)) { fn e((a, b): (u8, u8)) {} } }\n\
                impl U for T { fn f(&self, (x, y): (u8, u8)) { fn g((a, b): (u8, u8)) {} } }";
    let source = Source::new("x/src/a.rs", text);
    let found: Vec<_> =
        functions(&source).into_iter().filter(|f| f.tuples > 0).map(|f| f.name).collect();
    assert_eq!(found, ["a", "b", "d", "e", "g"]);
    assert!(tuples(&source).concat().starts_with("x/src/a.rs:1: `a` hides"));
}

#[test]
fn a_long_function_is_found() {
    let body = |lines| format!("fn a() {{\n{}}}\n", "    b();\n".repeat(lines));
    assert_eq!(long(&Source::new("x/src/a.rs", &body(60))), [""; 0]);
    let found = long(&Source::new("x/src/a.rs", &format!("\n{}", body(61))));
    assert!(found.concat().starts_with("x/src/a.rs:2: `a` has 61 lines"), "{found:?}");
}
