//! The figures of comparisons: two finished runs against reading both, and a difference by word against one by line.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use crate::base::diff::diff_text;
use crate::contest::{self, Setting};
use crate::failure::Failure;
use crate::measure::Usage;
use crate::rounds::{alternate, ratio};
use crate::table::{Goal, Row};

/// Bytes of each output, and of each text that is compared by word.
const OUTPUT: usize = 2_000;
const TEXT: usize = 100_000;
/// Of this many tests, one has another output on the second side.
const CHANGED: u64 = 10;
/// Turns that a sample of a difference is divided by.
const TURNS: u32 = 20;
/// How long `diff_text` may look, milliseconds, and as much again for what it does then.
const LONGEST_LOOK: f64 = 1_000.0;

/// Two finished runs of the same tests, in a folder that is removed when it goes out of scope.
pub struct Runs {
    folder: tempfile::TempDir,
    cases: u64,
}

impl Runs {
    /// Runs this many tests twice on the mock; every tenth says something else the second time.
    fn record(setting: &Setting, cases: u64) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("flowproof-drift-").tempdir();
        let runs = Self { folder: folder.map_err(Failure::io("create a temporary folder"))?, cases };
        runs.write("flowproof.yaml", "version: 1\nreports: { formats: [json] }\n")?;
        runs.write("suites/bench.yaml", SUITE)?;
        for (file, differs) in [("a.jsonl", None), ("b.jsonl", Some(CHANGED))] {
            runs.write("suites/rows.jsonl", &rows(cases, differs))?;
            contest::flowproof_command(setting, runs.root(), &["run", "-q", "-j", "8"])?;
            contest::flowproof_command(setting, runs.root(), &["runs", "export", "latest", "-o", file])?;
        }
        Ok(runs)
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn journals(&self) -> [PathBuf; 2] {
        ["a.jsonl", "b.jsonl"].map(|name| self.root().join(name))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.root().join(name);
        let folder = path.parent().unwrap_or(self.root());
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(Failure::io(format!("write {name}")))
    }

    /// Compares them: every test counted, a tenth of them changed, all documents written.
    fn compare(&self, setting: &Setting) -> Result<Usage, Failure> {
        let (usage, told) =
            contest::flowproof_command(setting, self.root(), &["compare", "a.jsonl", "b.jsonl"])?;
        let report = std::fs::read(self.root().join("reports/compare/compare.json"))
            .map_err(Failure::io("read compare.json"))?;
        let report: Value =
            serde_json::from_slice(&report).map_err(|error| Failure::unreadable("compare.json", error))?;
        let counts = &report["counts"];
        let changed = self.cases / CHANGED;
        if counts["changed"] != changed || counts["unchanged"] != self.cases - changed {
            return Err(Failure::Work(format!("`compare` counts {counts} of {} tests\n{told}", self.cases)));
        }
        Ok(usage)
    }

    /// Reads and parses both journals, and does nothing with them.
    fn read(&self, setting: &Setting) -> Result<Usage, Failure> {
        let (usage, told) = contest::own_command(setting, self.root(), "read", &self.journals())?;
        let attempts: u64 =
            told.trim().parse().map_err(|error| Failure::unreadable("the read lines", error))?;
        if attempts != 2 * self.cases {
            return Err(Failure::Work(format!("{attempts} attempts were read of {}", 2 * self.cases)));
        }
        Ok(usage)
    }
}

const SUITE: &str = "version: 1
name: bench
tests:
  - name: row
    each: rows.jsonl
    assert: [{ path: $.reply, contains: word }]
    mock: { outputs: { reply: \"{{ row.reply }}\" }, tokens: 100 }
";

/// One JSON object a case, with a reply of 2 KB.
fn rows(cases: u64, differs: Option<u64>) -> String {
    let mut text = String::new();
    for case in 0..cases {
        let marked = differs.is_some_and(|every| case % every == 0);
        let mut reply = String::new();
        for word in 0.. {
            if reply.len() >= OUTPUT {
                break;
            }
            let other = if marked && word % 20 == 3 { "another" } else { "word" };
            write!(reply, "{other} {} ", (case * 31 + word * 7) % 997).expect("a String takes all");
        }
        writeln!(text, "{{\"id\":\"{case}\",\"reply\":\"{reply}\"}}").expect("a String takes all");
    }
    text
}

/// Reads journals line by line into plain values and prints how many attempts they hold.
pub fn read(files: &[PathBuf]) -> Result<(), Failure> {
    let mut attempts = 0_u64;
    for file in files {
        let bytes = std::fs::read(file).map_err(Failure::io(format!("read {}", file.display())))?;
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let value: Value = serde_json::from_slice(line)
                .map_err(|error| Failure::unreadable(file.display().to_string(), error))?;
            attempts += u64::from(std::hint::black_box(&value).get("attempt_finished").is_some());
        }
    }
    println!("{attempts}");
    Ok(())
}

/// `compare` of two finished runs against reading and parsing both.
pub fn compare(setting: &Setting, cases: u64) -> Result<Vec<Row>, Failure> {
    let runs = Runs::record(setting, cases)?;
    let compare = || runs.compare(setting);
    let read = || runs.read(setting);
    compare()?;
    read()?;
    let rounds = alternate(setting.rounds, compare, read)?;
    let name =
        format!("s, `compare` of two runs of {cases} cases with 2 KB outputs; yardstick: reading both");
    let cpu = ratio(
        "s of CPU of the same".to_owned(),
        2,
        &rounds,
        |usage: &Usage| usage.cpu.as_secs_f64(),
        Goal::Shown,
    );
    let peak = ratio(
        "MiB at most of the same".to_owned(),
        0,
        &rounds,
        |usage: &Usage| usage.peak_rss_kib as f64 / 1024.0,
        Goal::Shown,
    );
    Ok(vec![ratio(name, 2, &rounds, |usage: &Usage| usage.wall.as_secs_f64(), Goal::AtMost(3.0)), cpu, peak])
}

/// A text of 100 KB in lines of some twelve words; of this many lines one has another word.
fn text(one_in: usize, end: char) -> String {
    let mut text = String::new();
    for line in 0.. {
        if text.len() >= TEXT {
            break;
        }
        for word in 0..12 {
            let other = if one_in > 0 && line % one_in == 0 && word == 5 { "another" } else { "word" };
            write!(text, "{other}{} ", (line * 31 + word * 7) % 997).expect("a String takes all");
        }
        text.push(end);
    }
    text
}

/// A difference by word against `similar`'s difference by line, of the same texts.
pub fn words(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let old = text(0, '\n');
    let tenth = by_word(setting, &old, &text(10, '\n'))?;
    let every = by_word(setting, &old, &text(1, '\n'))?;
    // One line of 100 KB each: there is no difference by line to speak of, so the bound is judged.
    let (old, new) = (text(0, ' '), text(1, ' '));
    let one_line = by_word(setting, &old, &new)?;
    let hard: String = old.split(' ').rev().collect::<Vec<_>>().join(" ");
    let turned = by_word(setting, &old, &hard)?;
    let name = |what: &str| {
        format!("ms, word difference of two texts of 100 KB, {what}; yardstick: `similar` by line")
    };
    let bounded = |name: String, rounds: &[_]| {
        let row = ratio(name, 2, rounds, |ms: &f64| *ms, Goal::Shown);
        Row { judged: row.flowproof, goal: Goal::AtMost(LONGEST_LOOK), ..row }
    };
    Ok(vec![
        ratio(name("a word in a tenth of the lines"), 2, &tenth, |ms: &f64| *ms, Goal::AtMost(10.0)),
        ratio(name("a word in every line"), 2, &every, |ms: &f64| *ms, Goal::AtMost(10.0)),
        bounded(name("each a single line; judged: the time"), &one_line),
        bounded(name("each a single line, words turned round; judged: the time"), &turned),
    ])
}

fn by_word(setting: &Setting, old: &str, new: &str) -> Result<Vec<crate::rounds::Round<f64>>, Failure> {
    let words = || {
        timed(|| {
            let found = diff_text(old, new);
            assert!(!found.lines.is_empty(), "the texts differ");
            found.lines.len()
        })
    };
    let lines = || {
        timed(|| {
            let diff = similar::TextDiff::from_lines(old, new);
            diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal).count()
        })
    };
    alternate(setting.rounds, || Ok(words()), || Ok(lines()))
}

/// The mean of some turns, milliseconds.
fn timed(turn: impl Fn() -> usize) -> f64 {
    let started = Instant::now();
    for _ in 0..TURNS {
        std::hint::black_box(turn());
    }
    started.elapsed().as_secs_f64() * 1000.0 / f64::from(TURNS)
}
