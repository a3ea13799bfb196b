//! Discovery and files that are not what they should be.

use std::fs;

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn load(&self, from: &str, paths: &[&str]) -> LoadedSuites {
        let paths = paths.iter().map(PathBuf::from).collect();
        load(&LoadOptions {
            working_dir: self.path().join(from),
            paths,
            outside: OutsidePaths::Refused,
            in_ci: false,
            only: None,
            formats: vec!["junit", "json", "html", "markdown", "tap", "csv"],
        })
    }
}

fn names(loaded: &LoadedSuites) -> Vec<&str> {
    loaded.suites.iter().map(|suite| suite.name.value.as_str()).collect()
}

fn problems(loaded: &LoadedSuites) -> Vec<String> {
    loaded.problems.iter().map(|problem| format!("{} {}", problem.place, problem.message)).collect()
}

const ONE: &str = "version: 1\ntests: [{ name: a }]\n";

#[test]
fn one_test_needs_its_suite_alone_unless_another_may_answer_for_its_judge() {
    let load_one = |project: &str| {
        let files = [("flowproof.yaml", project), ("suites/a.yaml", ONE), ("suites/b.yaml", ONE)];
        let folder = Folder::new(&files);
        let loaded = load(&LoadOptions {
            working_dir: folder.path().to_owned(),
            paths: Vec::new(),
            outside: OutsidePaths::Refused,
            in_ci: false,
            only: Some("b::a".to_owned()),
            formats: vec!["junit", "json", "html", "markdown", "tap", "csv"],
        });
        assert_eq!(problems(&loaded), Vec::<String>::new());
        names(&loaded).join(" ")
    };
    assert_eq!(load_one("version: 1\n"), "b");
    assert_eq!(load_one("version: 1\njudges: { m: { url: 'http://localhost/v1', model: m } }\n"), "b");
    assert_eq!(load_one("version: 1\njudges: { g: { app: grader } }\n"), "a b");
}

#[test]
fn discovery_walks_in_order_and_skips_hidden_names() {
    let folder = Folder::new(&[
        ("suites/b.yml", ONE),
        ("suites/a/z.yaml", ONE),
        ("suites/_data/x.yaml", ONE),
        ("suites/.git/x.yaml", ONE),
        ("suites/_x.yaml", ONE),
        ("suites/c.txt", ONE),
        ("other/x.yaml", ONE),
    ]);
    let loaded = folder.load("", &[]);
    assert_eq!((names(&loaded), problems(&loaded)), (vec!["a/z", "b"], vec![]));
    assert_eq!(&*loaded.suites[0].source.name, "suites/a/z.yaml");
}

#[test]
fn the_project_file_is_found_upwards_and_names_its_folders() {
    let folder = Folder::new(&[
        ("flowproof.yaml", "version: 1\nsuites: [tests/flows, more]\n"),
        ("tests/flows/a.yaml", ONE),
        ("more/b.yaml", ONE),
        ("suites/c.yaml", ONE),
        ("deep/er/x", ""),
    ]);
    let loaded = folder.load("deep/er", &[]);
    assert_eq!((names(&loaded), problems(&loaded)), (vec!["a", "b"], vec![]));
    assert_eq!(loaded.root, folder.path());
    let absent = Folder::new(&[("flowproof.yaml", "version: 1\nsuites: [none]\n")]);
    assert_eq!(problems(&absent.load("", &[])), ["flowproof.yaml:2:10 there is no folder `none`"]);
}

#[test]
fn explicit_paths_are_taken_as_they_are_and_each_file_once() {
    let folder = Folder::new(&[("suites/a/_x.yaml", ONE), ("suites/b.yaml", ONE), ("else/y.yaml", ONE)]);
    let loaded = folder.load(
        "",
        &[
            "suites/a/_x.yaml",
            "./suites/b.yaml",
            "suites/b.yaml",
            "else",
            "nowhere",
            "suites/../suites/b.yaml",
        ],
    );
    assert_eq!(names(&loaded), ["a/_x", "b", "y"]);
    assert_eq!(problems(&loaded), ["nowhere there is no file or folder `nowhere`"]);
    assert_eq!(problems(&Folder::new(&[]).load("", &[])), ["suites there is no folder `suites`"]);
}

#[test]
fn a_folder_called_like_a_suite_is_a_problem_and_walked() {
    let folder = Folder::new(&[("suites/x.yaml/inner.yaml", ONE), ("suites/y.yaml", ONE)]);
    let loaded = folder.load("", &[]);
    assert_eq!(problems(&loaded), ["suites/x.yaml the file cannot be read: it is a folder"]);
    assert_eq!(names(&loaded), ["x.yaml/inner", "y"]);
}

#[cfg(unix)]
#[test]
fn links_that_loop_or_lead_nowhere_and_unreadable_files_are_problems() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new(&[("suites/a.yaml", ONE), ("suites/bin.yaml", "")]);
    symlink(folder.path().join("suites"), folder.path().join("suites/loop")).unwrap();
    symlink(folder.path().join("none"), folder.path().join("suites/gone.yaml")).unwrap();
    symlink("self.yaml", folder.path().join("suites/self.yaml")).unwrap();
    fs::write(folder.path().join("suites/bin.yaml"), b"version: 1\ntests: \xff").unwrap();
    let loaded = folder.load("", &[]);
    let found = problems(&loaded);
    assert_eq!(names(&loaded), ["a"]);
    assert_eq!(found.len(), 4, "{found:?}");
    for expected in [
        "suites/loop a symbolic link leads back",
        "suites/gone.yaml",
        "suites/self.yaml",
        "suites/bin.yaml:2:8 the file is no text",
    ] {
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{expected} in {found:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_hidden_link_that_leads_nowhere_is_nobodys_problem() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new(&[("suites/a.yaml", ONE), ("suites/_data/x.txt", "")]);
    for name in [".#a.yaml", "_old.yaml", "_data/gone.csv", ".git"] {
        symlink("user@host.1234", folder.path().join("suites").join(name)).unwrap();
    }
    symlink(".#loop", folder.path().join("suites/.#loop")).unwrap();
    let loaded = folder.load("", &[]);
    assert_eq!((names(&loaded), problems(&loaded)), (vec!["a"], vec![]));
    symlink("nowhere", folder.path().join("suites/more")).unwrap();
    assert_eq!(problems(&folder.load("", &[])).len(), 1, "what it named may have held suites");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_suite_and_nobody_waits_for_it() {
    let folder = Folder::new(&[("suites/a.yaml", ONE)]);
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("suites/p.yaml")).status();
    assert!(made.unwrap().success());
    let loaded = folder.load("", &[]);
    assert_eq!(problems(&loaded), ["suites/p.yaml the file cannot be read: it is no regular file"]);
    assert_eq!(names(&loaded), ["a"]);
}

#[cfg(target_os = "linux")]
fn discover_mem(folder: &Path) -> SuiteLocation {
    let path = folder.join("suites/mem.yaml");
    SuiteLocation { path, folder: folder.join("suites"), place: Fence::around(folder) }
}

/// A file whose reading fails for whoever asks, the superuser too: a process has no memory at address 0.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_is_a_problem_for_everybody() {
    let folder = Folder::new(&[("suites/a.yaml", ONE)]);
    std::os::unix::fs::symlink("/proc/self/mem", folder.path().join("suites/mem.yaml")).unwrap();
    let loaded = folder.load("", &[]);
    assert_eq!(names(&loaded), ["a"]);
    let folder_of = folder.path().canonicalize().unwrap();
    let outside = format!("it leads outside the folder `{}`", folder_of.display());
    assert_eq!(problems(&loaded), [format!("suites/mem.yaml the file cannot be read: {outside}")]);
    let found = discover_mem(folder.path());
    let error = read_suite_file(&found, OutsidePaths::Allowed).unwrap_err();
    assert_eq!(unreadable("mem", &error).message, "the file cannot be read: input/output error");
}

/// The superuser reads whatever the modes say: then the file loads, and nothing is proven beyond that.
#[cfg(unix)]
#[test]
fn a_file_that_the_user_may_not_read_is_a_problem() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new(&[("suites/a.yaml", ONE), ("suites/shut.yaml", ONE)]);
    let path = folder.path().join("suites/shut.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let loaded = folder.load("", &[]);
    match fs::read(&path) {
        Ok(_) => assert_eq!((names(&loaded), problems(&loaded)), (vec!["a", "shut"], vec![])),
        Err(_) => {
            assert_eq!(problems(&loaded), ["suites/shut.yaml the file cannot be read: permission denied"]);
            assert_eq!(names(&loaded), ["a"]);
        }
    }
}

#[test]
fn a_file_that_vanishes_after_it_was_found_is_a_problem() {
    let folder = Folder::new(&[]);
    let place = Fence::around(folder.path());
    let found =
        SuiteLocation { path: folder.path().join("suites/gone.yaml"), folder: folder.path().into(), place };
    let error = read_suite_file(&found, OutsidePaths::Refused).unwrap_err();
    let problem = unreadable("suites/gone.yaml", &error);
    assert_eq!(problem.message, "the file cannot be read: no such file or directory");
}

#[cfg(unix)]
#[test]
fn data_files_may_not_leave_the_suites_folder_even_through_links() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new(&[
        ("suites/a.yaml", "version: 1\ntests: [{ name: a, each: _rows.jsonl }]\n"),
        ("secret.jsonl", "{\"id\": 1}\n"),
    ]);
    symlink(folder.path().join("secret.jsonl"), folder.path().join("suites/_rows.jsonl")).unwrap();
    assert_eq!(
        problems(&folder.load("", &[])),
        ["suites/a.yaml:2:26 `_rows.jsonl` lies outside the suites folder"]
    );
    let allowed = LoadOptions {
        working_dir: folder.path().to_path_buf(),
        paths: vec![],
        outside: OutsidePaths::Allowed,
        in_ci: false,
        only: None,
        formats: vec!["junit", "json", "html", "markdown", "tap", "csv"],
    };
    assert_eq!(problems(&load(&allowed)), Vec::<String>::new());
}

#[test]
fn full_names_are_unique_in_the_project() {
    let suite = "version: 1\nname: s\ntests: [{ name: a }, { name: b }]\n";
    let folder = Folder::new(&[
        ("suites/1.yaml", suite),
        ("suites/2.yaml", "version: 1\nname: s\ntests: [{ name: c }, { name: b }]\n"),
    ]);
    let loaded = folder.load("", &[]);
    assert_eq!(problems(&loaded), ["suites/2.yaml:3:30 two tests have the full name `s::b`"]);
    assert_eq!(loaded.problems[0].others[0].0.to_string(), "suites/1.yaml:3:30");
    assert!(loaded.problems[0].concerns("suites/1.yaml"));
}

#[test]
fn rows_come_from_every_kind_of_file() {
    let tests: String = ["csv", "jsonl", "json", "yaml"]
        .iter()
        .map(|kind| format!("  - {{ name: {kind}, each: _d.{kind} }}\n"))
        .collect();
    let folder = Folder::new(&[
        (
            "suites/a.yaml",
            &format!(
                "version: 1\ntests:\n{tests}  - {{ name: matrix, matrix: {{ lang: [en, fr], tone: [warm, dry] }} }}\n"
            ),
        ),
        ("suites/_d.csv", "\u{feff}id,n\r\nx,\"1,5\"\r\n"),
        ("suites/_d.jsonl", "{\"id\": \"x\", \"n\": 9007199254740993}\n"),
        ("suites/_d.json", "[{\"id\": 7, \"n\": null}]"),
        ("suites/_d.yaml", "- { n: [1] }\n"),
    ]);
    let loaded = folder.load("", &[]);
    assert_eq!(problems(&loaded), Vec::<String>::new());
    let rows: Vec<String> = loaded.suites[0]
        .tests
        .iter()
        .flat_map(|test| test.rows.as_ref().unwrap().rows.iter())
        .map(|row| format!("{} {}", row.name, row.value))
        .collect();
    assert_eq!(
        rows[..4],
        [
            "x {\"id\":\"x\",\"n\":\"1,5\"}",
            "x {\"id\":\"x\",\"n\":9007199254740993}",
            "7 {\"id\":7,\"n\":null}",
            "1 {\"n\":[1]}"
        ]
    );
    assert_eq!(
        rows[4..],
        [
            "1 {\"lang\":\"en\",\"tone\":\"warm\"}",
            "2 {\"lang\":\"en\",\"tone\":\"dry\"}",
            "3 {\"lang\":\"fr\",\"tone\":\"warm\"}",
            "4 {\"lang\":\"fr\",\"tone\":\"dry\"}"
        ]
    );
}
