//! Files that strangers put into a project: links, pipes, folders of somebody else, and lines with secrets in them.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use crate::project::{Project, code, text};

const SUITE: &str = "
version: 1
tests:
  - { name: one, assert: [{ path: $.a, snapshot: true }], mock: { outputs: { a: b } } }
";
const GREEN: &str = "version: 1\ntests:\n  - { name: one, assert: [{ path: $.a, equals: b }], mock: { outputs: { a: b } } }\n";
const SECRET: &str = "hunter2-0123456789";

/// A folder beside the project, with a file in it.
struct Elsewhere {
    folder: tempfile::TempDir,
}

impl Elsewhere {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), format!("machine example.org password {SECRET}\n")).unwrap();
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("file")
    }

    fn is_untouched(&self) -> bool {
        fs::read_dir(self.folder.path()).unwrap().count() == 1
            && fs::read_to_string(self.file()).unwrap().ends_with(&format!("{SECRET}\n"))
    }
}

#[test]
fn what_a_link_leads_to_outside_is_neither_read_nor_shown() {
    for (name, command) in [
        ("suites/x.yaml", "check"),
        ("flowproof.yaml", "check"),
        ("suites/cassettes/s.jsonl", "run"),
        ("suites/snapshots/s/one.json", "run"),
    ] {
        let (project, elsewhere) = (Project::with_suite(SUITE), Elsewhere::new());
        fs::create_dir_all(project.path(name).parent().unwrap()).unwrap();
        let _ = fs::remove_file(project.path(name));
        symlink(elsewhere.file(), project.path(name)).unwrap();
        let ran = project.run(&[command]);
        let told = text(&ran);
        assert!(matches!(code(&ran), 1 | 2), "{name}: {told}");
        assert!(told.contains(name) && told.contains("leads outside"), "{name}: {told}");
        assert!(!told.contains(SECRET), "{name}: {told}");
        assert!(elsewhere.is_untouched(), "{name}");
    }
}

#[test]
fn linked_folders_are_refused_before_anything_is_sent() {
    for name in ["suites/snapshots", "suites/cassettes", "suites/snapshots/s", "suites/more", "reports"] {
        let (project, elsewhere) = (Project::with_suite(SUITE), Elsewhere::new());
        fs::create_dir_all(project.path(name).parent().unwrap()).unwrap();
        symlink(elsewhere.folder.path(), project.path(name)).unwrap();
        let ran = project.run(&["run"]);
        assert_eq!(code(&ran), 2, "{name}: {}", text(&ran));
        assert!(elsewhere.is_untouched(), "{name}");
    }
}

#[test]
fn nothing_is_written_through_a_link_that_a_stranger_put_there() {
    let (project, elsewhere) = (Project::with_suite(SUITE), Elsewhere::new());
    fs::create_dir_all(project.path("suites/snapshots/s")).unwrap();
    symlink(elsewhere.file(), project.path("suites/snapshots/s/one.json.new")).unwrap();
    let ran = project.run(&["run"]);
    assert_eq!(code(&ran), 100, "{}", text(&ran));
    assert!(text(&ran).contains("could not be written"), "{}", text(&ran));
    assert_ne!(code(&project.run(&["snapshot", "accept", "--all"])), 0);
    for name in ["reports/runs", "reports/latest", "reports/latest-run"] {
        let (project, elsewhere) = (Project::with_suite(GREEN), Elsewhere::new());
        fs::create_dir_all(project.path("reports")).unwrap();
        let target = if name.ends_with("run") { elsewhere.file() } else { elsewhere.folder.path().into() };
        symlink(target, project.path(name)).unwrap();
        let ran = project.run(&["run"]);
        assert!(matches!(code(&ran), 2 | 3), "{name}: {} {}", code(&ran), text(&ran));
        assert!(elsewhere.is_untouched(), "{name}");
    }
    assert!(elsewhere.is_untouched());
}

#[test]
fn a_pipe_is_refused_and_nobody_waits_for_it() {
    for name in ["suites/cassettes/s.jsonl", "suites/snapshots/s/one.json", "suites/snapshots/s/one.json.new"]
    {
        let project = Project::with_suite(SUITE);
        fs::create_dir_all(project.path(name).parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg(project.path(name)).status().unwrap().success());
        let ran = project.run(&["run"]);
        assert!(matches!(code(&ran), 2 | 100), "{name}: {}", text(&ran));
        assert!(text(&ran).contains("it is no regular file"), "{name}: {}", text(&ran));
        assert!(project.path(name).symlink_metadata().unwrap().file_type().is_fifo(), "{name}");
    }
}

#[test]
fn a_folder_of_somebody_else_is_not_replaced() {
    let project = Project::with_suite(GREEN);
    assert_eq!(code(&project.run(&["run"])), 0);
    assert!(project.path("reports/latest/.flowproof").is_file());
    assert_eq!(code(&project.run(&["run"])), 0, "what carries the mark is replaced");
    fs::remove_file(project.path("reports/latest/.flowproof")).unwrap();
    assert_eq!(code(&project.run(&["run"])), 0, "what an earlier version wrote is known by what it holds");
    project.write("reports/latest/mine.txt", "precious");
    let before = fs::read_dir(project.path("reports/runs")).unwrap().count();
    for args in [&["run"][..], &["merge", "latest"], &["run", "--reports", "reports"]] {
        let ran = project.run(args);
        assert_eq!(code(&ran), 2, "{args:?}: {}", text(&ran));
        assert!(text(&ran).contains("holds `mine.txt`"), "{args:?}: {}", text(&ran));
        assert_eq!(project.read("reports/latest/mine.txt"), "precious");
    }
    assert_eq!(fs::read_dir(project.path("reports/runs")).unwrap().count(), before, "nothing was sent");
    project.write("reports/compare/compare.md", "my notes");
    assert_eq!(code(&project.run(&["compare", "latest", "latest"])), 2);
    assert_eq!(project.read("reports/compare/compare.md"), "my notes");
}

#[test]
fn runs_that_hold_files_of_somebody_else_are_not_pruned() {
    let project = Project::with_suite(GREEN);
    for _ in 0..2 {
        assert_eq!(code(&project.run(&["run"])), 0);
    }
    let mut runs: Vec<PathBuf> =
        fs::read_dir(project.path("reports/runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    runs.sort();
    fs::write(runs[0].join("notes.txt"), "mine").unwrap();
    let pruned = project.run(&["runs", "prune", "--keep", "1"]);
    assert!(text(&pruned).contains("holds `notes.txt`"), "{}", text(&pruned));
    assert_eq!(fs::read_to_string(runs[0].join("notes.txt")).unwrap(), "mine");
}

#[test]
fn an_output_keeps_what_its_name_was() {
    let project = Project::with_suite(GREEN);
    assert_eq!(code(&project.run(&["run"])), 0);
    project.write("target", "mine");
    project.write("kept.json", "old");
    fs::set_permissions(project.path("kept.json"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("target", project.path("link.xml")).unwrap();
    symlink("nothing", project.path("new.xml")).unwrap();
    symlink("target", project.path("link.md")).unwrap();
    for args in [
        &["run", "-o", "link.xml"][..],
        &["report", "latest", "-o", "link.xml"],
        &["report", "latest", "-o", "new.xml"],
        &["runs", "export", "latest", "-o", "link.xml"],
        &["compare", "latest", "latest", "-o", "link.md"],
    ] {
        let ran = project.run(args);
        assert_eq!(code(&ran), 2, "{args:?}: {}", text(&ran));
        assert!(text(&ran).contains("it is a link"), "{args:?}: {}", text(&ran));
    }
    assert_eq!(project.read("target"), "mine");
    assert!(!project.path("nothing").exists());
    assert_eq!(code(&project.run(&["report", "latest", "-o", "kept.json"])), 0);
    assert!(project.read("kept.json").contains("flowproof"));
    assert_eq!(fs::metadata(project.path("kept.json")).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_dash_is_the_standard_output_alone() {
    let project = Project::with_suite(GREEN);
    for args in [
        &["run", "-o", "-"][..],
        &["report", "latest", "-o", "-"],
        &["report", "latest", "-o", "/dev/stdout"],
        &["compare", "latest", "latest", "-o", "-"],
    ] {
        let ran = project.run(args);
        assert_eq!(code(&ran), 0, "{args:?}: {}", text(&ran));
        let json: serde_json::Value =
            serde_json::from_slice(&ran.stdout).expect("a document and nothing else");
        assert!(json.is_object(), "{args:?}");
    }
    let exported = project.run(&["runs", "export", "latest", "-o", "-"]);
    assert_eq!(code(&exported), 0, "{}", text(&exported));
    assert!(exported.stdout.starts_with(b"{\"run_started\":"));
    assert!(!project.path("-").exists());
}

#[test]
fn an_upload_beyond_the_limit_is_told_at_its_place() {
    let project = Project::with_suite(
        "version: 1\ntests:\n  - { name: one, files: { f: big.bin }, assert: [{ path: $.a, equals: b }], mock: { outputs: { a: b } } }\n",
    );
    let file = fs::File::create(project.path("suites/big.bin")).unwrap();
    file.set_len((256 << 20) + 1).unwrap();
    let ran = project.run(&["run"]);
    assert_eq!(code(&ran), 2, "{}", text(&ran));
    assert!(
        text(&ran).contains("suites/s.yaml:3:") && text(&ran).contains("larger than 256 MiB"),
        "{}",
        text(&ran)
    );
}

#[test]
fn paths_in_the_project_file_stay_in_the_project() {
    for (project_file, says) in [
        ("version: 1\nreports: { dir: ../elsewhere }\n", "`reports.dir`: `../elsewhere`"),
        ("version: 1\nreports: { dir: /nowhere/at/all }\n", "`reports.dir`"),
        ("version: 1\nsuites: [..]\n", "`..` cannot be used"),
    ] {
        let project = Project::with_suite(GREEN);
        project.write("flowproof.yaml", project_file);
        let ran = project.run(&["run"]);
        assert_eq!(code(&ran), 2, "{}", text(&ran));
        assert!(text(&ran).contains(says) && text(&ran).contains("leads outside"), "{}", text(&ran));
    }
}

#[test]
fn the_lines_of_problems_show_no_secret() {
    const KEY: &str = "app-LITERALKEY-0123456789";
    let target =
        |rest: &str| format!("version: 1\ntargets:\n  live:\n    base_url: http://127.0.0.1:9/v1\n{rest}");
    for written in [
        target(&format!("    api_key: [{KEY}]\n")),
        target(&format!("    api_key: {KEY}\n    api_key: {KEY}\n")),
        target(&format!("    api_kye: {KEY}\n")),
        target(&format!("    api_key: \"{KEY}\n")),
        target(&format!("    api_key: {KEY}: x\n")),
        target(&format!("    headers: {{ X-Token: {KEY}, X-Token: {KEY} }}\n")),
        target(&format!("    headers:\n      X-Token: [{KEY}]\n")),
        target(&format!("    proxy: \"http://me:{KEY}@host:x\"\n")),
        format!("version: 1\nx-key: &k {KEY}\ntargets:\n  live: {{ api_key: *k, tiemout: 3 }}\n"),
        format!("version: 1\nsecrets: [{KEY}]\nsecrets: [{KEY}]\n"),
        format!("version: 1\njudges:\n  j: {{ url: x, api_key: {KEY}, modle: m }}\n"),
    ] {
        let project = Project::with_suite(GREEN);
        project.write("flowproof.yaml", &written);
        for command in ["check", "list", "run", "doctor"] {
            let mut started = project.command(&[command]);
            let ran = started.env("GITHUB_ACTIONS", "true").output().unwrap();
            assert_ne!(code(&ran), 0, "{written}");
            assert!(!text(&ran).contains(KEY), "{command}: {}", text(&ran));
        }
    }
}
