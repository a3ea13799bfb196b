//! Suites under `tests/data/suites`: good ones become plans, bad ones give exactly the problems their first lines expect.

use std::path::{Path, PathBuf};

use crate::plan::choices::Choices;
use crate::plan::compile::compile;
use crate::suite::load::{LoadOptions, Outside, load};
use crate::suite::problem::Problem;

fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/suites").join(folder)
}

fn problems_of(folder: &Path, path: &Path) -> Vec<Problem> {
    let options = LoadOptions { working_dir: folder.to_path_buf(), paths: vec![path.to_path_buf()], outside: Outside::Refused, in_ci: false };
    compile(load(&options), &Choices::default()).problems
}

fn line_of(problem: &Problem) -> String {
    let Problem { place, message, help, .. } = problem;
    let help = help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{place} {message}{help}")
}

#[test]
fn bad_suites_give_their_problems() {
    let folder = data("bad");
    let mut wrong = Vec::new();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    paths.sort();
    for path in &paths {
        let found: Vec<String> = problems_of(&folder, path).iter().map(line_of).collect();
        let found = found.join("\n") + "\n";
        let expected_file = path.with_extension("problems.txt");
        if std::env::var_os("FLOWPROOF_BLESS").is_some() {
            std::fs::write(&expected_file, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_file).unwrap_or_default();
        if found != expected || found.trim().is_empty() {
            wrong.push(format!("{}\nexpected:\n{expected}found:\n{found}", path.display()));
        }
    }
    assert!(paths.len() >= 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
