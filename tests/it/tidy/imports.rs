//! Paths of a file's code, resolved to the module that defines their item.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, pattern};

/// The names that lead from the crate to a module or an item; empty for the crate.
pub type ModulePath = Vec<String>;

/// The path of a file's module.
pub fn module_path(file: &str) -> ModulePath {
    let stem = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    if matches!(stem, "lib" | "main") { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

/// A `use` item, with its tree.
const IMPORTED: &str = r"\buse\s+([^;]+);";
/// A `use` item that others may use too.
const PASSED_ON: &str = r"\bpub(?:\([^)]*\))?\s+use\s+([^;]+);";

/// What the modules of a tree define and pass on.
pub struct Imports {
    modules: BTreeMap<ModulePath, Exports>,
}

/// What one module offers to others.
#[derive(Default)]
struct Exports {
    defined: BTreeSet<String>,
    passed_on: Vec<UsedName>,
}

/// One leaf of a `use` tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UsedName {
    path: ModulePath,
    /// The name it has in the importing file; `*` for everything.
    name: String,
}

impl Imports {
    /// Reads what each file that is no test defines, and what it passes on by `pub use`.
    pub fn of(sources: &[Source]) -> Self {
        let files = sources.iter().filter(|source| !source.is_test && source.path != "src/main.rs");
        let defined = |source: &Source| (module_path(&source.path), Exports::of(source));
        let mut imports = Self { modules: files.clone().map(defined).collect() };
        for source in files {
            let path = module_path(&source.path);
            let passed_on: Vec<UsedName> = imports.uses(source, PASSED_ON);
            if let Some(exports) = imports.modules.get_mut(&path) {
                exports.passed_on = passed_on;
            }
        }
        imports
    }

    /// The module that defines the item of a path: re-exports are followed, and a module is its own home.
    pub fn home(&self, path: &[String]) -> ModulePath {
        self.home_within(path, 8)
    }

    fn home_within(&self, path: &[String], steps: usize) -> ModulePath {
        let length = (0..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]));
        let (module, rest) = path.split_at(length.unwrap_or(0));
        let (Some(item), Some(exports)) = (rest.first(), self.modules.get(module)) else {
            return module.to_vec();
        };
        let named = exports.passed_on.iter().find(|used| used.name == *item).map(|used| used.path.clone());
        let target = named.or_else(|| {
            let mut globs = exports.passed_on.iter().filter(|used| used.name == "*");
            globs.find(|used| self.offers(&used.path, item)).map(|used| joined(&used.path, &rest[..1]))
        });
        match target {
            Some(target) if steps > 0 => self.home_within(&joined(&target, &rest[1..]), steps - 1),
            _ => module.to_vec(),
        }
    }

    /// True when a module defines or passes on `item`.
    fn offers(&self, module: &[String], item: &str) -> bool {
        self.modules.get(module).is_some_and(|exports| {
            exports.defined.contains(item) || exports.passed_on.iter().any(|used| used.name == item)
        })
    }

    /// Every path that a file uses: its private imports, and the paths in its code and in its serde attributes.
    pub fn used_paths(&self, source: &Source) -> BTreeSet<ModulePath> {
        let own = module_path(&source.path);
        let imported = self.uses(source, IMPORTED);
        let passed_on = self.uses(source, PASSED_ON);
        let mut modules = self.children(&own);
        modules.extend(imported.iter().filter(|used| self.modules.contains_key(&used.path)).cloned());
        let code = body(source);
        let mut paths: BTreeSet<ModulePath> =
            imported.into_iter().filter(|used| !passed_on.contains(used)).map(|used| used.path).collect();
        for written in written_paths(&code) {
            paths.extend(self.absolute(&own, written, &modules));
        }
        paths
    }

    /// The leaves of the `use` items that `wanted` captures, as paths from the crate; foreign crates are left out.
    fn uses(&self, source: &Source, wanted: &str) -> Vec<UsedName> {
        let own = module_path(&source.path);
        let children = self.children(&own);
        let leaves = pattern(wanted)
            .captures_iter(&source.own)
            .flat_map(|found| leaves(&found[1]))
            .collect::<Vec<_>>();
        let absolute = |leaf: UsedName| {
            let path = self.absolute(&own, &leaf.path.join("::"), &children)?;
            Some(UsedName { path, name: leaf.name })
        };
        leaves.into_iter().filter_map(absolute).collect()
    }

    /// The modules directly below a module, as names it may begin a path with.
    fn children(&self, own: &[String]) -> Vec<UsedName> {
        let below = self.modules.range(own.to_vec()..).map(|(path, _)| path);
        let children =
            below.take_while(|path| path.starts_with(own)).filter(|path| path.len() == own.len() + 1);
        children.map(|path| UsedName { name: path[own.len()].clone(), path: path.clone() }).collect()
    }

    /// A path as the code of module `own` writes it, from the crate; `modules` are the other names it may begin with.
    fn absolute(&self, own: &[String], written: &str, modules: &[UsedName]) -> Option<ModulePath> {
        let names: ModulePath = written.split("::").map(str::to_owned).collect();
        let supers = names.iter().take_while(|name| *name == "super").count();
        match names[0].as_str() {
            "crate" => Some(names[1..].to_vec()),
            "self" => Some(joined(own, &names[1..])),
            "super" => Some(joined(&own[..own.len().checked_sub(supers)?], &names[supers..])),
            first => {
                let module = modules.iter().find(|module| module.name == first)?;
                Some(joined(&module.path, &names[1..]))
            }
        }
    }
}

impl Exports {
    fn of(source: &Source) -> Self {
        let item = pattern(r"\b(?:struct|enum|union|trait|fn|type|const|static|macro_rules!)\s+(\w+)");
        Self {
            defined: item.captures_iter(&source.own).map(|found| found[1].to_owned()).collect(),
            passed_on: Vec::new(),
        }
    }
}

fn joined(head: &[String], tail: &[String]) -> ModulePath {
    [head, tail].concat()
}

/// The code outside `use` items and visibilities, followed by the paths that serde attributes name as text.
fn body(source: &Source) -> String {
    let mut body = pattern(IMPORTED).replace_all(&source.own, " ").replace("pub(in ", "pub(");
    for found in pattern(r#"(?:with|default|_if)\s*=\s*"((?:\w+::)+\w+)""#).captures_iter(&source.text) {
        let closing_quote = found.get(0).expect("the whole match").end() - 1;
        if source.own.as_bytes()[closing_quote] == b'"' {
            body.push(' ');
            body.push_str(&found[1]);
        }
    }
    body
}

/// The paths in a piece of code, as they are written.
fn written_paths(code: &str) -> impl Iterator<Item = &str> {
    let words = code.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != ':');
    words.map(|word| word.trim_end_matches(':')).filter(|word| word.contains("::") && !word.starts_with(':'))
}

/// The leaves of a `use` tree: `a::{b, c::{self, d as e}}` has three.
fn leaves(tree: &str) -> Vec<UsedName> {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        return leaf(tree).into_iter().collect();
    };
    let inside = group.rsplit_once('}').map_or(group, |(inside, _)| inside);
    members(inside).into_iter().flat_map(|member| leaves(&format!("{head}{}", member.trim()))).collect()
}

/// One leaf; a group's `self` is the group's module.
fn leaf(written: &str) -> Option<UsedName> {
    let (path, alias) = match pattern(r"^(.*?)\s+as\s+(\w+)$").captures(written) {
        Some(found) => (found[1].to_owned(), Some(found[2].to_owned())),
        None => (written.to_owned(), None),
    };
    let mut path: ModulePath = path.split("::").map(|name| name.trim().to_owned()).collect();
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let name = alias.or_else(|| path.last().cloned()).filter(|name| !name.is_empty())?;
    if name == "*" {
        path.pop();
    }
    Some(UsedName { path, name })
}

/// The members of a group, split at the commas outside inner groups.
fn members(inside: &str) -> Vec<&str> {
    let (mut depth, mut from, mut members) = (0usize, 0, Vec::new());
    for (at, letter) in inside.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                members.push(&inside[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    members.push(&inside[from..]);
    members
}
