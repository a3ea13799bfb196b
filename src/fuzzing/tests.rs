//! Each target on its committed corpus (seeds, and every input that once failed), and on seeded mutations of it.

use std::collections::HashSet;
use std::panic::catch_unwind;
use std::path::Path;

use serde_json_path::JsonPath;

use super::*;

/// How many mutations of its corpus each target gets, unless `FUZZ_MUTATIONS` is set.
const MUTATIONS: u64 = 500;
/// What the mutations are drawn from, unless `FUZZ_SEED` is set.
const SEED: u64 = 13;
/// The most bytes of an input.
const LARGEST: usize = 64 * 1024;
/// The most times that a piece is repeated.
const REPEATS: usize = 64;

type Target = fn(&[u8]);

#[test]
fn every_corpus_holds() {
    let targets: [(&str, Target); 14] = [
        ("event_stream", event_stream),
        ("blocking_document", blocking_document),
        ("suite_yaml", suite_yaml),
        ("project_yaml", project_yaml),
        ("rows", rows),
        ("template", template),
        ("json_path", compare_json_path),
        ("json_schema", json_schema),
        ("journal", journal),
        ("merge", merge),
        ("cassette", cassette),
        ("snapshot", snapshot),
        ("judge_answer", judge_answer),
        ("masking", masking),
    ];
    let failed: Vec<_> = targets.into_iter().flat_map(|(name, target)| drive(name, target)).collect();
    assert!(failed.is_empty(), "{} inputs fail:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn an_input_that_fails_is_named() {
    let corpus = read_corpus("rows");
    let failed = drive("rows", |_| panic!("every input"));
    assert_eq!(failed.len() as u64, corpus.len() as u64 + number("FUZZ_MUTATIONS", MUTATIONS));
    assert_eq!(failed[0], format!("rows: {}", corpus[0].escape_ascii()));
}

#[test]
fn mutations_are_repeatable_bounded_and_new() {
    let corpus = read_corpus("suite_yaml");
    let draw = || Mutator { corpus: &corpus, random: fastrand::Rng::with_seed(SEED) }.take(400).collect();
    let (first, second): (Vec<_>, Vec<_>) = (draw(), draw());
    assert_eq!(first, second);
    assert!(first.iter().all(|input| input.len() <= LARGEST));
    let distinct: HashSet<_> = first.iter().filter(|input| !corpus.contains(input)).collect();
    assert!(distinct.len() > 350, "only {} of 400 are new", distinct.len());
}

/// Runs a target on its corpus and on mutations of it; gives the inputs that fail.
fn drive(name: &str, target: Target) -> Vec<String> {
    let corpus = read_corpus(name);
    assert!(corpus.len() >= 3, "{name} has no corpus");
    let random = fastrand::Rng::with_seed(number("FUZZ_SEED", SEED));
    let mutations = Mutator { corpus: &corpus, random }.take(number("FUZZ_MUTATIONS", MUTATIONS) as usize);
    let fails = |bytes: &Vec<u8>| catch_unwind(|| target(bytes)).is_err();
    let failed = corpus.iter().cloned().chain(mutations).filter(fails);
    failed.map(|bytes| format!("{name}: {}", bytes.escape_ascii())).collect()
}

/// A variable of the environment that is a number.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn read_corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// As the target of cargo-fuzz does it.
fn compare_json_path(bytes: &[u8]) {
    let Some(found) = json_path(bytes).filter(Selection::is_comparable) else { return };
    let theirs = JsonPath::parse(&found.path).ok();
    let theirs = theirs.map(|path| path.query(&found.document).all().into_iter().cloned().collect());
    found.assert_agrees(theirs);
}

/// Makes inputs of a corpus, the same ones each time.
struct Mutator<'a> {
    corpus: &'a [Vec<u8>],
    random: fastrand::Rng,
}

impl Iterator for Mutator<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.corpus[self.random.usize(..self.corpus.len())].clone();
        for _ in 0..self.random.usize(1..=4) {
            self.mutate(&mut bytes);
            bytes.truncate(LARGEST);
        }
        Some(bytes)
    }
}

impl Mutator<'_> {
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let piece = self.piece(bytes);
        let at = piece.start;
        match self.random.u8(..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.random.u8(..8),
            1 if at < bytes.len() => bytes[at] = self.random.u8(..),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(piece)),
            4 => {
                let times = self.random.usize(1..=REPEATS).min(LARGEST / piece.len().max(1));
                let repeated = bytes[piece].repeat(times);
                bytes.splice(at..at, repeated);
            }
            _ => {
                let other = &self.corpus[self.random.usize(..self.corpus.len())];
                let taken = self.piece(other);
                bytes.splice(piece, other[taken].iter().copied());
            }
        }
    }

    /// A piece of an input: mostly a short one.
    fn piece(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.random.usize(..=bytes.len());
        let longest = bytes.len() - start;
        let length = if self.random.u8(..4) == 0 { longest } else { longest.min(24) };
        start..start + self.random.usize(..=length)
    }
}
