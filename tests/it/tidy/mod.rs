//! The tree keeps the rules of `docs/architecture.md`: floors, homes, sizes, names, absences.
//!
//! `source` reads Rust just well enough, `floors` reads the document, `rules` holds one function a rule, `imports`
//! resolves paths to files, and `knots` finds files that use each other.
//! Each rule is proved able to fail by the table at the end of this file.

mod floors;
mod imports;
mod knots;
mod rules;
mod seam;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use floors::House;
use rules::{RULES, Rule};
use source::{Source, load_sources, pattern};

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below `src`, read once for all tests.
fn product() -> &'static [Source] {
    static PRODUCT: LazyLock<Vec<Source>> = LazyLock::new(|| load_sources(root(), &["src"]));
    &PRODUCT
}

fn house() -> House {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).expect("docs/architecture.md");
    House::parse(&text)
}

#[test]
fn the_tree_keeps_the_rules() {
    let house = house();
    let sources = product();
    assert!(sources.len() > 20, "found only {} files under src", sources.len());
    let offences: Vec<String> = sources
        .iter()
        .filter(|source| !source.is_test)
        .flat_map(|source| RULES.iter().flat_map(|rule| (rule.find)(source, &house)))
        .collect();
    assert!(offences.is_empty(), "{} offences:\n{}", offences.len(), offences.join("\n"));
}

#[test]
fn every_file_says_what_it_holds() {
    let sources = load_sources(root(), &["src", "tests", "benches", "examples"]);
    let offences: Vec<String> = sources
        .iter()
        .flat_map(|source| rules::module_docs(source).into_iter().chain(rules::leftovers(source)))
        .collect();
    assert!(offences.is_empty(), "{} offences:\n{}", offences.len(), offences.join("\n"));
}

#[test]
fn every_room_has_a_floor() {
    let house = house();
    for source in product() {
        let room = source.room();
        assert!(
            house.floor(&room).is_some(),
            "{}: `{room}` has no floor in docs/architecture.md",
            source.path
        );
    }
}

/// The types that a file defines outside of tests.
fn types(source: &Source) -> Vec<String> {
    let definition = pattern(r"(?m)^\s*(?:pub(?:\([^)]*\))?\s+)?(?:struct|enum|trait|union)\s+(\w+)");
    definition.captures_iter(&source.own).map(|found| found[1].to_owned()).collect()
}

/// A name that needs its path to be understood is too short. Variants of one type for two systems are one type.
#[test]
fn each_type_has_a_name_of_its_own() {
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in product().iter().filter(|source| !source.is_test) {
        for name in types(source) {
            files.entry(name).or_default().insert(source.path.clone());
        }
    }
    assert!(files.len() > 1_000, "found only {} types", files.len());
    let shared: Vec<_> = files.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(shared.is_empty(), "{shared:#?}");
}

/// Participles that once were names of types; a type is a noun.
const PARTICIPLES: [&str; 16] = [
    "Answered", "Asked", "Begun", "Decided", "Found", "Given", "Gone", "Heard", "Held", "Kept", "Left",
    "Lost", "Recorded", "Seen", "Told", "Used",
];

#[test]
fn no_type_is_a_bare_participle() {
    for source in product().iter().filter(|source| !source.is_test) {
        let bare: Vec<String> =
            types(source).into_iter().filter(|name| PARTICIPLES.contains(&name.as_str())).collect();
        assert!(bare.is_empty(), "{}: {bare:?}", source.path);
    }
    let planted = Source::parse("src/assert/check/a.rs", "pub(crate) struct Told;\nenum Kept<T> { A(T) }\n");
    assert_eq!(types(&planted), ["Told", "Kept"]);
}

#[test]
fn the_house_is_read_from_the_document() {
    let house = house();
    let floors: Vec<Option<u8>> =
        ["base", "yaml", "dify", "record", "assert", "plan", "engine", "app", "cli", "main"]
            .iter()
            .map(|room| house.floor(room))
            .collect();
    let expected: Vec<Option<u8>> = (0..=9).map(Some).collect();
    assert_eq!(floors, expected);
    assert_eq!(house.homes("libtest_mimic"), ["harness"]);
    assert!(house.homes("serde_json").is_empty(), "a crate without a home may be used anywhere");
}

/// The crates of a table of `Cargo.toml`, as code names them.
fn crates(manifest: &str, table: &str) -> Vec<String> {
    let rest = manifest.split(&format!("\n[{table}]\n")).nth(1).expect("the table exists");
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().replace('-', "_")).collect()
}

/// True when code uses a crate: by a path, or by an import.
fn uses(code: &str, name: &str) -> bool {
    pattern(&format!(r"(?:^|[^\w:]){name}::|\buse\s+{name}\b")).is_match(code)
}

#[test]
fn every_crate_is_used_where_it_is_declared_for() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let program = product();
    let tests = load_sources(root(), &["src", "tests", "benches"]);
    let shipped = |name: &str| program.iter().any(|file| !file.is_test && uses(&file.own, name));
    let tested = |name: &str| tests.iter().any(|file| uses(&file.code, name));
    let declared = (crates(&manifest, "dependencies"), crates(&manifest, "dev-dependencies"));
    assert!(declared.0.len() > 20 && declared.1.len() > 3, "{declared:?}");
    let idle: Vec<&String> = declared
        .0
        .iter()
        .filter(|name| !shipped(name))
        .chain(declared.1.iter().filter(|name| !tested(name)))
        .collect();
    assert!(idle.is_empty(), "nothing uses these crates of Cargo.toml: {idle:?}");
    let house = house();
    let strange: Vec<&str> =
        house.housed().filter(|name| !declared.0.iter().any(|known| known == name)).collect();
    assert!(strange.is_empty(), "docs/architecture.md gives homes to crates that are not here: {strange:?}");
}

#[test]
fn a_crate_is_seen_where_it_is_used() {
    for used in ["use csv::Reader;", "fn a() { csv::Reader::new() }", "pub use csv;", "#[derive(csv::A)]"] {
        assert!(uses(used, "csv"), "{used}");
    }
    for idle in ["use crate::data::csv::Rows;", "fn csv() {}", "use csvx::A;", "let csv = 1;"] {
        assert!(!uses(idle, "csv"), "{idle}");
    }
}

/// A rule, a file that breaks it, and the same file repaired.
struct Proof {
    rule: &'static str,
    path: &'static str,
    bad: &'static str,
    good: &'static str,
}

const PROOFS: &[Proof] = &[
    Proof {
        rule: "floors",
        path: "src/assert/check/a.rs",
        bad: "use crate::engine::run::Run;",
        good: "use crate::record::verdict::Finding; // not crate::engine",
    },
    Proof {
        rule: "floors",
        path: "src/dify/client/http.rs",
        bad: "fn a() { crate::engine::run() }",
        good: "fn a() { crate::dify::client::assemble::assemble(\"crate::engine\") }",
    },
    Proof {
        rule: "floors",
        path: "src/assert/check/a.rs",
        bad: "use crate::{base::units, plan::{case::Case}};",
        good: "use crate::{base::{units, plan}, dify};",
    },
    Proof {
        rule: "floors",
        path: "src/dify/client/a.rs",
        bad: "use crate::record::attempt::Cause;",
        good: "fn a() { attempt::cause() }",
    },
    Proof {
        rule: "floors",
        path: "src/plan/deep/a.rs",
        bad: "use super::super::super::engine::Run;",
        good: "use super::super::case::Case;",
    },
    Proof {
        rule: "floors",
        path: "src/assert/check/a.rs",
        bad: "use crate::nowhere::X;",
        good: "#[cfg(test)]\nmod tests { use crate::engine::X; }",
    },
    Proof {
        rule: "homes",
        path: "src/engine/a.rs",
        bad: "use reqwest::Client;",
        good: "fn reqwest() { let serde_saphyr = 1; }",
    },
    Proof {
        rule: "homes",
        path: "src/assert/check/a.rs",
        bad: "fn a() { serde_saphyr::from_str(x) }",
        good: "/// As serde_saphyr::from_str does.\nfn a() {}",
    },
    Proof {
        rule: "purity",
        path: "src/assert/check/a.rs",
        bad: "pub async fn check() {}",
        good: "pub fn check() { \"async fn\"; }",
    },
    Proof {
        rule: "purity",
        path: "src/plan/a.rs",
        bad: "fn a() { std::net::TcpStream::connect(path) }",
        good: "fn a() { std::fmt::format(args) }",
    },
    Proof {
        rule: "disk",
        path: "src/app/a.rs",
        bad: "fn a() { fs::write(path, text) }",
        good: "fn a() { files::read(path, fence, most) }",
    },
    Proof {
        rule: "disk",
        path: "src/record/journal/a.rs",
        bad: "fn a() { File::open(path) }",
        good: "fn a(file: &File) { file.metadata() }",
    },
    Proof {
        rule: "environment",
        path: "src/cli/run/mod.rs",
        bad: "struct A { #[arg(long, env = \"TARGET\")] b: u8 }",
        good: "struct A { #[arg(long, help = \"env = x\")] env: u8 }",
    },
    Proof {
        rule: "printing",
        path: "src/report/junit.rs",
        bad: "fn a() { println!(\"x\") }",
        good: "fn a() { writeln!(out, \"println!()\") }",
    },
    Proof {
        rule: "absences",
        path: "src/assert/check/a.rs",
        bad: "static A: LazyLock<u8> = LazyLock::new(f);",
        good: "static A: u8 = 1;\nstruct B { c: OnceCell<u8> }",
    },
    Proof {
        rule: "absences",
        path: "src/dify/wire/a.rs",
        bad: "#[serde(default, flatten)]\nstruct A;",
        good: "#[serde(default)]\nfn a() { x.iter().flatten() }",
    },
    Proof { rule: "names", path: "src/assert/check/utils.rs", bad: "fn a() {}", good: "" },
    Proof {
        rule: "names",
        path: "src/assert/check/a.rs",
        bad: "pub struct CaseManager;",
        good: "pub struct Manages;",
    },
    Proof {
        rule: "signatures",
        path: "src/assert/check/a.rs",
        bad: "fn a(a: u8, b: u8, c: u8, d: u8, e: u8) {}",
        good: "fn a<T: Fn(u8, u8)>(&self, a: (u8, u8), b: Map<u8, u8>, c: u8, d: u8) {}",
    },
    Proof {
        rule: "commented_code",
        path: "src/assert/check/a.rs",
        bad: "// let x = 1;\nfn a() {}",
        good: "// Let it be; it holds.\n/// let x = 1;\nfn a() {}",
    },
];

/// The names of the rules that `text` offends.
fn offended(path: &str, text: &str) -> Vec<&'static str> {
    let source = Source::parse(path, text);
    let house = house();
    RULES.iter().filter(|rule| !(rule.find)(&source, &house).is_empty()).map(|rule| rule.name).collect()
}

#[test]
fn every_rule_can_fail() {
    for proof in PROOFS {
        assert_eq!(offended(proof.path, proof.bad), [proof.rule], "bad: {}", proof.bad);
        let mended = if proof.good.is_empty() { "src/assert/check/a.rs" } else { proof.path };
        assert_eq!(offended(mended, proof.good), [""; 0], "good: {}", proof.good);
    }
    let long_file = "const A: u8 = 1;\n".repeat(301);
    assert_eq!(offended("src/assert/check/a.rs", &long_file), ["file_length"]);
    let tested =
        format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "const A: u8 = 1;\n".repeat(300), "x;\n".repeat(300));
    assert_eq!(offended("src/assert/check/a.rs", &tested), [""; 0]);
    for rule in RULES {
        assert!(
            rule.name == "file_length" || PROOFS.iter().any(|proof| proof.rule == rule.name),
            "{} has no proof",
            rule.name
        );
    }
}

#[test]
fn documents_and_leftovers_are_seen() {
    let finds = |text: &str| {
        let source = Source::parse("src/assert/check/a.rs", text);
        (usize::from(rules::module_docs(&source).is_some()), rules::leftovers(&source).len())
    };
    assert_eq!(finds("//! What it holds.\nfn a() {}\n"), (0, 0));
    assert_eq!(finds("// What it holds.\nfn a() {}\n"), (1, 0));
    assert_eq!(finds(concat!("//! What it holds.\n// TO", "DO: more\n")), (0, 1));
    assert_eq!(finds(concat!("//! What it holds.\nconst A: &str = \"FIX", "ME\";\n")), (0, 1));
}

#[test]
fn rust_is_read_well_enough() {
    let text = r##"fn a<'a>(x: &'a str) { let c = '"'; let d = '\''; "crate::b // { \" "; r#" " } "# } /* { /* } */ { */"##;
    let source = Source::parse("src/assert/check/a.rs", text);
    assert_eq!(source.code.len(), text.len());
    assert_eq!(source.code.matches('{').count(), source.code.matches('}').count());
    assert!(!source.code.contains("crate"));
    assert!(source.code.contains("fn a<'a>(x: &'a str)"));
    let functions = source.functions();
    assert_eq!(functions.len(), 1);
    assert_eq!((functions[0].name.as_str(), functions[0].line), ("a", 1));
    let declared = Source::parse("src/assert/check/mod.rs", "#[cfg(test)]\nmod cases;\nmod real;");
    assert_eq!(declared.test_modules, ["cases"]);
    let _: &[Rule] = RULES;
}
