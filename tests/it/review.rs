//! `snapshot review` at a terminal: what is typed decides, and nothing else.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::live;
use crate::project::{Project, code, text};

/// The end of the input, as a terminal sends it for Ctrl-D.
const END: &str = "\x04";

/// Three tests, each of which waits for approval.
fn waiting() -> Project {
    let test = |name: &str| {
        format!(
            "  - name: {name}\n    assert: [{{ path: $.x, snapshot: true }}]\n    mock: {{ outputs: {{ x: {name} said }} }}\n"
        )
    };
    let suite = format!("version: 1\nname: S\ntests:\n{}{}{}", test("one"), test("two"), test("three"));
    let project = Project::with_suite(&suite);
    assert_eq!(code(&project.run(&["run", "-q"])), 100);
    project
}

/// What a review came to: its exit code, what the terminal showed, and which tests are approved and which wait.
struct Reviewed {
    code: Option<i32>,
    screen: String,
    approved: Vec<&'static str>,
    waiting: Vec<&'static str>,
}

/// Reviews at a terminal of its own, where this is typed.
fn review(project: &Project, typed: &str) -> Reviewed {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let inner = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(i32::try_from(OFlags::NOCTTY.bits()).unwrap())
        .open(name)
        .unwrap();
    let end = || Stdio::from(inner.try_clone().unwrap());
    let mut child = {
        let mut command = project.command(&["snapshot", "review"]);
        command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap()
    };
    drop(inner);
    let mut terminal = File::from(terminal);
    terminal.write_all(typed.as_bytes()).unwrap();
    let mut shown = Vec::new();
    // The last holder of a terminal that leaves ends the reading, on Linux with an error.
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = terminal.read(&mut piece) {
        shown.extend_from_slice(&piece[..count]);
    }
    let exists =
        |name: &str, end: &str| project.path(&format!("suites/snapshots/s/{name}.json{end}")).exists();
    let of =
        |end: &'static str| ["one", "two", "three"].into_iter().filter(|name| exists(name, end)).collect();
    Reviewed {
        code: live::end(&mut child),
        screen: String::from_utf8_lossy(&shown).into_owned(),
        approved: of(""),
        waiting: of(".new"),
    }
}

#[test]
fn each_is_shown_and_accepted_rejected_or_left() {
    let project = waiting();
    let found = review(&project, "a\nr\ns\n");
    assert_eq!(found.code, Some(1), "one still waits: {}", found.screen);
    assert_eq!((found.approved, found.waiting), (vec!["one"], vec!["three"]), "{}", found.screen);
    for said in [
        "[1/3]",
        "[3/3]",
        "one said",
        "a accept · r reject · s skip · A accept this and all that follow · q quit",
        "accepted 1, rejected 1, left 1",
    ] {
        assert!(found.screen.contains(said), "{said}: {}", found.screen);
    }
    let found = review(&project, "a\n");
    assert_eq!((found.code, found.approved), (Some(0), vec!["one", "three"]), "{}", found.screen);
    let found = review(&project, "");
    assert_eq!(found.code, Some(0));
    assert!(found.screen.contains("no snapshot waits for approval"), "{}", found.screen);
}

#[test]
fn what_is_no_answer_decides_nothing_and_is_asked_again() {
    let project = waiting();
    let long = "a".repeat(300);
    let typed = format!("\nyes\naa\n{long}\né\n\x1b[A\nR\n  r  \nq\n");
    let found = review(&project, &typed);
    assert_eq!(found.code, Some(1), "{}", found.screen);
    assert!(found.approved.is_empty(), "{}", found.screen);
    assert_eq!(found.waiting, ["two", "three"], "blanks around a key are no other key: {}", found.screen);
    assert_eq!(found.screen.matches("type one of these and Enter").count(), 7, "{}", found.screen);
}

#[test]
fn quitting_and_the_end_of_the_input_leave_the_rest_waiting() {
    for typed in ["q\n", END, "a"] {
        let project = waiting();
        // A key without Enter was not given: the terminal goes away before it was.
        let found = review(&project, &format!("{typed}{}", if typed == "a" { "\x15\x04" } else { "" }));
        assert_eq!(found.code, Some(1), "{typed:?}: {}", found.screen);
        assert!(found.approved.is_empty(), "{typed:?}: {}", found.screen);
        assert_eq!(found.waiting.len(), 3, "{typed:?}: {}", found.screen);
        assert!(found.screen.contains("accepted 0, rejected 0, left 3"), "{typed:?}: {}", found.screen);
    }
    let project = waiting();
    let found = review(&project, &format!("s\na\n{END}"));
    assert_eq!((found.code, found.approved), (Some(1), vec!["two"]), "{}", found.screen);
}

#[test]
fn one_answer_may_accept_all_that_follow() {
    let project = waiting();
    let found = review(&project, "r\nA\n");
    assert_eq!((found.code, found.approved), (Some(0), vec!["two", "three"]), "{}", found.screen);
    assert!(
        found.waiting.is_empty() && found.screen.contains("accepted 2, rejected 1, left 0"),
        "{}",
        found.screen
    );
}

#[test]
fn answers_that_come_through_a_pipe_are_not_taken() {
    let project = waiting();
    let mut child = {
        let mut command = project.command(&["snapshot", "review"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    // It may have ended before it was reported.
    let _ = child.stdin.take().unwrap().write_all(b"A\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 1, "{}", text(&output));
    assert!(text(&output).contains("no terminal to ask at"), "{}", text(&output));
    assert!(!project.path("suites/snapshots/s/one.json").exists());
}
