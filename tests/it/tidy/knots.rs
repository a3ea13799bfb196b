//! Circles of imports between files: which file uses an item of which other file, and which files use each other.
//!
//! A path counts for the file that defines its item, not for one that only passes it on (`pub use`); a parent that
//! declares its children (`mod`) imports nothing by that. A knot is a group of files in which each reaches each other.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Imports, ModulePath, module_path};
use super::product;
use super::source::Source;

/// Files that use each other, in a circle or in several.
#[derive(Debug)]
pub struct Knot {
    /// Their paths, in order.
    pub files: Vec<String>,
    /// What each uses of the others, a line each.
    pub uses: Vec<String>,
}

impl Knot {
    /// The room below `src` in which it lies: floors keep knots within one.
    pub fn wing(&self) -> &str {
        self.files[0].split('/').nth(1).unwrap_or_default()
    }
}

/// The items that one file uses, by the file that defines them.
type UsedItems = BTreeMap<usize, BTreeSet<String>>;

/// Every knot of the files that are no tests.
pub fn knots(sources: &[Source]) -> Vec<Knot> {
    let imports = Imports::of(sources);
    let places: BTreeMap<ModulePath, usize> =
        sources.iter().enumerate().map(|(at, source)| (module_path(&source.path), at)).collect();
    let graph: Vec<UsedItems> = sources.iter().map(|source| used_items(source, &imports, &places)).collect();
    let knot = |group: Vec<usize>| {
        let of_file = |from: &usize| uses_within(sources, *from, &graph[*from], &group);
        Knot {
            uses: group.iter().flat_map(of_file).collect(),
            files: group.iter().map(|at| sources[*at].path.clone()).collect(),
        }
    };
    let targets: Vec<Vec<usize>> = graph.iter().map(|used| used.keys().copied().collect()).collect();
    circles(&targets).into_iter().map(knot).collect()
}

/// What a file uses of others; tests and the crate's own file use and offer nothing.
fn used_items(source: &Source, imports: &Imports, places: &BTreeMap<ModulePath, usize>) -> UsedItems {
    let mut used = UsedItems::new();
    let own = module_path(&source.path);
    if source.is_test || own.is_empty() {
        return used;
    }
    for path in imports.used_paths(source) {
        let home = imports.home(&path);
        let item = path.last().cloned().unwrap_or_default();
        match places.get(&home) {
            Some(place) if home != own && !home.is_empty() => used.entry(*place).or_default().insert(item),
            _ => false,
        };
    }
    used
}

/// The lines that show what a file of a knot uses of the knot's other files.
fn uses_within(sources: &[Source], from: usize, used: &UsedItems, group: &[usize]) -> Vec<String> {
    let line = |(to, items): (&usize, &BTreeSet<String>)| {
        let items: Vec<&str> = items.iter().map(String::as_str).collect();
        format!("{} uses {} of {}", sources[from].path, items.join(", "), sources[*to].path)
    };
    used.iter().filter(|(to, _)| group.contains(to)).map(line).collect()
}

/// The groups of more than one node in which each node reaches each other (Kosaraju and Sharir).
fn circles(targets: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut sources = vec![Vec::new(); targets.len()];
    for (from, to) in targets.iter().enumerate().flat_map(|(from, all)| all.iter().map(move |to| (from, *to)))
    {
        sources[to].push(from);
    }
    let (mut seen, mut finished) = (vec![false; targets.len()], Vec::new());
    for start in 0..targets.len() {
        visit(start, targets, &mut seen, &mut finished);
    }
    let (mut seen, mut groups) = (vec![false; targets.len()], Vec::new());
    for start in finished.into_iter().rev() {
        let mut group = Vec::new();
        visit(start, &sources, &mut seen, &mut group);
        group.sort_unstable();
        groups.push(group);
    }
    groups.retain(|group| group.len() > 1);
    groups.sort();
    groups
}

/// Appends the nodes that are newly reached from `node`, each after those that it reaches.
fn visit(node: usize, targets: &[Vec<usize>], seen: &mut [bool], finished: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[node], true) {
        return;
    }
    for target in &targets[node] {
        visit(*target, targets, seen, finished);
    }
    finished.push(node);
}

/// How many files of each wing are in a knot today. A number may only be lowered, until the table is empty.
const FILES_IN_KNOTS: &[(&str, usize)] = &[];

#[test]
fn no_files_use_each_other() {
    let knots = knots(product());
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for knot in &knots {
        *found.entry(knot.wing()).or_default() += knot.files.len();
    }
    let known: BTreeMap<&str, usize> = FILES_IN_KNOTS.iter().copied().collect();
    let wings: BTreeSet<&str> = found.keys().chain(known.keys()).copied().collect();
    let more_or_fewer: Vec<String> = wings
        .into_iter()
        .map(|wing| (wing, found.get(wing).copied().unwrap_or(0), known.get(wing).copied().unwrap_or(0)))
        .filter(|(_, found, known)| found != known)
        .map(|(wing, found, known)| {
            let uses = knots.iter().filter(|knot| knot.wing() == wing).flat_map(|knot| &knot.uses);
            let advice = match found.cmp(&known) {
                Ordering::Less => "lower the number in FILES_IN_KNOTS".to_owned(),
                _ => uses.map(String::as_str).collect::<Vec<_>>().join("\n  "),
            };
            format!("{wing}: {found} files use each other in circles, {known} are known\n  {advice}")
        })
        .collect();
    assert!(more_or_fewer.is_empty(), "{}", more_or_fewer.join("\n"));
}

/// The knots of a made-up tree.
fn knots_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let sources: Vec<Source> =
        files.iter().map(|(path, text)| Source::parse(&format!("src/{path}.rs"), text)).collect();
    knots(&sources).into_iter().map(|knot| knot.files).collect()
}

#[test]
fn a_circle_through_a_reexport_is_seen() {
    let parent = ("plan/mod", "mod case;\nmod share;\npub use share::Share;");
    let case = ("plan/case", "use crate::plan::Share;\npub struct Case;");
    let share = ("plan/share", "use super::case::Case;\npub struct Share;");
    assert_eq!(knots_of(&[parent, case, share]), [["src/plan/case.rs", "src/plan/share.rs"]]);
    let glob = ("plan/mod", "mod case;\nmod share;\npub use share::*;");
    assert_eq!(knots_of(&[glob, case, share]), [["src/plan/case.rs", "src/plan/share.rs"]]);
    let alone = ("plan/share", "pub struct Share;");
    assert!(knots_of(&[parent, case, alone]).is_empty(), "a parent that declares and passes on uses nothing");
}

#[test]
fn a_circle_through_super_is_seen() {
    let parent = ("plan/mod", "mod case;\nfn plan() { case::expand() }\nfn limit() {}");
    for up in ["super::limit()", "crate::plan::limit()"] {
        let case = format!("fn expand() {{ {up} }}");
        assert_eq!(
            knots_of(&[parent, ("plan/case", &case)]),
            [["src/plan/mod.rs", "src/plan/case.rs"]],
            "{up}"
        );
    }
    assert!(knots_of(&[parent, ("plan/case", "fn expand() { limit() }")]).is_empty());
    let tested = "#[cfg(test)]\nmod tests { use super::super::limit; }\n// super::limit()";
    assert!(knots_of(&[parent, ("plan/case", tested)]).is_empty(), "tests and comments use nothing");
}

#[test]
fn each_way_to_name_an_item_is_seen() {
    let ways = [
        "use super::b::B;",
        "use super::{a::A, b::{self as other, B}};",
        "use crate::{plan::{b::*}};",
        "use super::b as other;\nfn a() { other::make() }",
        "use crate::plan;\nfn a() { plan::b::make() }",
        "fn a(b: super::b::B) {}",
        "#[serde(with = \"super::b\")]\nstruct A;",
        "#[serde(default = \"super::b::make\")]\nstruct A;",
    ];
    for way in ways {
        let files =
            [("plan/mod", "mod a;\nmod b;"), ("plan/a", way), ("plan/b", "use super::a::A;\nfn make() {}")];
        assert_eq!(knots_of(&files), [["src/plan/a.rs", "src/plan/b.rs"]], "{way}");
    }
}

#[test]
fn a_knot_names_its_files_and_items() {
    let files = [
        ("plan/a", "use super::b::{B, make};\npub struct A;"),
        ("plan/b", "use super::c::C;\npub struct B;"),
        ("plan/c", "use super::a::A;\nuse super::d::D;\npub struct C;"),
        ("plan/d", "pub struct D;"),
    ];
    let sources: Vec<Source> =
        files.iter().map(|(path, text)| Source::parse(&format!("src/{path}.rs"), text)).collect();
    let [knot] = knots(&sources).try_into().expect("one knot");
    assert_eq!(knot.wing(), "plan");
    assert_eq!(
        knot.uses,
        [
            "src/plan/a.rs uses B, make of src/plan/b.rs",
            "src/plan/b.rs uses C of src/plan/c.rs",
            "src/plan/c.rs uses A of src/plan/a.rs",
        ]
    );
}
