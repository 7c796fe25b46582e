//! The modules of a crate as a graph: an edge is an import, from the file that names an item to the
//! file that defines it. A re-export that its file does not use itself is no edge.

use std::collections::{BTreeMap, BTreeSet};

use super::super::paths::{Named, paths};
use super::super::rust::{is_word, tokens};
use super::super::sources::Source;

/// Re-exports of re-exports that are followed.
const HOPS_MAX: usize = 8;
const ITEMS: [&str; 10] =
    ["struct", "enum", "union", "trait", "type", "const", "static", "fn", "mod", "macro_rules"];

type Path = Vec<String>;

/// The imports that a child makes from its parent, the module that the child is declared in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OfParents {
    /// Edges like all others.
    #[default]
    Count,
    /// No edges.
    Ignore,
}

/// The modules of one crate, by path. The root's path is empty.
#[derive(Debug, Default)]
pub(super) struct Graph {
    modules: BTreeMap<Path, Module>,
    of_parents: OfParents,
}

#[derive(Debug)]
struct Module {
    file: String,
    named: Vec<Named>,
    /// Names of the items that the file defines.
    items: BTreeSet<String>,
    /// Paths of the items that the file imports, by their name in it.
    imports: BTreeMap<String, Path>,
}

impl Module {
    fn new(source: &Source) -> Module {
        let mut named = paths(&source.text);
        let tokens = tokens(&source.text);
        let items = tokens.windows(3).filter_map(|window| match window {
            [keyword, name, _] if ITEMS.contains(&&*keyword.text) => Some(name.text.clone()),
            _ => None,
        });
        let items = items.filter(|name| is_word(name)).collect();
        let imports = named.iter().filter(|named| named.inline == 0);
        let imports = imports.filter_map(|named| Some((named.local.clone()?, named.path.clone())));
        let imports = imports.collect();
        let uses = |name: &str| tokens.iter().filter(|token| token.text == name).count();
        named.retain(|named| {
            let local = named.local.as_deref().filter(|_| named.is_public);
            local.is_none_or(|name| name != "*" && uses(name) > 1)
        });
        Module { file: source.path.clone(), named, items, imports }
    }
}

/// The directory of a target and the path of a module in it: `x/src/` and `a::b`.
fn place(path: &str) -> Option<(String, Path)> {
    let (root, inside) = ["/src/", "/tests/"].iter().find_map(|dir| {
        let at = path.find(dir)? + dir.len();
        Some((path.get(..at)?, path.get(at..)?))
    })?;
    let mut parts: Path = inside.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod" || (parts.len() == 1 && last == "lib")) {
        parts.pop();
    }
    Some((root.to_owned(), parts))
}

impl Graph {
    /// One graph for each crate, and for its tests. A file of `src/bin/` is a crate of its own.
    pub(super) fn of_crates(sources: &[&Source], of_parents: OfParents) -> Vec<Graph> {
        let mut graphs: BTreeMap<String, Graph> = BTreeMap::new();
        for source in sources.iter().filter(|source| !source.path.contains("/src/bin/")) {
            if let Some((root, path)) = place(&source.path) {
                let graph = graphs.entry(root).or_default();
                graph.modules.insert(path, Module::new(source));
                graph.of_parents = of_parents;
            }
        }
        for graph in graphs.values_mut().filter(|graph| !graph.modules.contains_key(&Path::new())) {
            // A crate without a library has its program as the root.
            if let Some(main) = graph.modules.remove(&vec!["main".to_owned()]) {
                graph.modules.insert(Path::new(), main);
            }
        }
        graphs.into_values().collect()
    }

    /// The modules that `named` leads to from the module at `from`: none if the path is foreign.
    fn target(&self, from: &Path, named: &Named) -> Option<&Path> {
        let supers = named.path.iter().take_while(|part| *part == "super").count();
        if supers > 0 && supers <= named.inline {
            return None;
        }
        let mut path = named.path.clone();
        path.drain(..supers.min(named.inline));
        self.resolve(from, &path, HOPS_MAX)
    }

    /// The module that defines the item at `path`, as the module at `from` names it.
    fn resolve(&self, from: &Path, path: &[String], hops: usize) -> Option<&Path> {
        let (first, rest) = path.split_first()?;
        let (start, rest) = match first.as_str() {
            "crate" => (Path::new(), rest),
            "self" => (from.clone(), rest),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                (from.get(..from.len().checked_sub(ups)?)?.to_vec(), path.get(ups..)?)
            }
            name => {
                let child = from.iter().chain([first]).cloned().collect::<Path>();
                if self.modules.contains_key(&child) {
                    (from.clone(), path)
                } else {
                    let import = self.modules.get(from)?.imports.get(name)?;
                    // `use a::a` names itself only if `a` is a foreign crate.
                    let hops = hops.checked_sub(1).filter(|_| import.first() != Some(first))?;
                    let whole: Path = import.iter().chain(rest).cloned().collect();
                    return self.resolve(from, &whole, hops);
                }
            }
        };
        self.walk(start, rest, hops)
    }

    /// Follows `rest` down from `module`, and through the imports of the file it ends in.
    fn walk(&self, mut module: Path, mut rest: &[String], hops: usize) -> Option<&Path> {
        while let Some((name, tail)) = rest.split_first() {
            let child: Path = module.iter().chain([name]).cloned().collect();
            if !self.modules.contains_key(&child) {
                break;
            }
            (module, rest) = (child, tail);
        }
        let (key, there) = self.modules.get_key_value(&module)?;
        let Some(item) = rest.first().filter(|item| *item != "self") else { return Some(key) };
        if there.items.contains(item) {
            return Some(key);
        }
        match there.imports.get(item).zip(hops.checked_sub(1)) {
            // An import of something foreign is no import of this file's own.
            Some((import, hops)) => self.resolve(&module, import, hops),
            None => Some(key),
        }
    }

    /// The modules that the module at `from` imports, each with one import.
    fn edges(&self, from: &Path) -> BTreeMap<&Path, &Named> {
        let module = self.modules.get(from);
        let named = module.into_iter().flat_map(|module| &module.named);
        let targets = named.filter_map(|named| Some((self.target(from, named)?, named)));
        let is_parent = |to: &Path| from.starts_with(to) && self.of_parents == OfParents::Ignore;
        targets.filter(|(to, _)| *to != from && !is_parent(to)).collect()
    }

    fn reachable(&self, from: &Path) -> BTreeSet<&Path> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&Path> = self.edges(from).into_keys().collect();
        while let Some(next) = open.pop() {
            if found.insert(next) {
                open.extend(self.edges(next).into_keys());
            }
        }
        found
    }

    /// The sets of modules in which each one imports every other one, in however many steps.
    pub(super) fn circles(&self) -> Vec<BTreeSet<&Path>> {
        let reachable: BTreeMap<&Path, BTreeSet<&Path>> =
            self.modules.keys().map(|path| (path, self.reachable(path))).collect();
        let mut found: Vec<BTreeSet<&Path>> = Vec::new();
        for (path, there) in &reachable {
            let back = |other: &&&Path| reachable.get(**other).is_some_and(|r| r.contains(path));
            let circle: BTreeSet<&Path> = there.iter().filter(back).copied().collect();
            if circle.len() > 1 && !found.contains(&circle) {
                found.push(circle);
            }
        }
        found
    }

    /// The imports that lead from one file of the circle to another one.
    pub(super) fn imports_within(&self, circle: &BTreeSet<&Path>) -> Vec<String> {
        let mut found = Vec::new();
        for from in circle {
            for (to, named) in self.edges(from).into_iter().filter(|(to, _)| circle.contains(to)) {
                let file = |path: &Path| self.modules.get(path).map_or("", |m| m.file.as_str());
                let (line, name) = (named.line, named.path.join("::"));
                found.push(format!("{}:{line}: `{name}` of {}", file(from), file(to)));
            }
        }
        found
    }
}
