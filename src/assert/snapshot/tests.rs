//! Snapshot files and comparisons: what is written comes back, what is broken is reported, and nobody's file is another's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::document::{parse, render};
use super::store::{home_of, read, update_pending};
use super::*;
use crate::base::diff::EqualOptions;
use crate::base::origin::Place;

fn document(entries: Value) -> SnapshotDocument {
    let entries = entries.as_object().unwrap().clone().into_iter().collect();
    SnapshotDocument { test: "refund".to_owned(), entries }
}

fn spot(folder: &Path, name: &str, alone: FileNameUniqueness) -> SnapshotPlace {
    SnapshotPlace {
        case: Arc::from(format!("support::{name}")),
        name: Arc::from(name),
        place: Arc::new(Place::file("suites/support.yaml")),
        folder: Arc::new(folder.to_owned()),
        fence: crate::base::files::Fence::around(folder),
        alone,
        keys: SnapshotKeys::default(),
    }
}

#[test]
fn a_text_whose_likeness_is_unknown_is_neither_the_same_nor_another() {
    use crate::base::similarity::Likeness;
    let long = |word: &str| json!({ "text": format!("{word} ").repeat(100_001), "n": 1 });
    let similar = Compare::Similar(Likeness::of(1, 2));
    let compared = |found: &Value| compare_values(&long("a"), found, &similar, &EqualOptions::default());
    assert_eq!(compared(&long("a")), SnapshotComparison::Same);
    assert!(matches!(compared(&long("b")), SnapshotComparison::Unmeasured(_)));
    let mut other = long("b");
    other["n"] = json!(2);
    assert!(matches!(compared(&other), SnapshotComparison::Differs(_)), "what is known differs");
    let shown =
        |found: &str| compare_values(&json!("a b c d"), &json!(found), &similar, &EqualOptions::default());
    assert_eq!(shown("a b x y"), SnapshotComparison::Same, "exactly half of it");
    assert!(matches!(shown("a x y z"), SnapshotComparison::Differs(_)));
}

#[test]
fn a_file_reads_well_in_version_control() {
    let written = render(&document(json!({
        "b": "two\nlines", "a": { "z": [1, { "n": 2 }], "y": "one line" }, "c": { "$lines": ["a", "b"] },
    })));
    let expected = r#"{
  "snapshot": 1,
  "test": "refund",
  "entries": {
    "a": {
      "y": "one line",
      "z": [
        1,
        {
          "n": 2
        }
      ]
    },
    "b": {
      "$lines": [
        "two",
        "lines"
      ]
    },
    "c": {
      "$$lines": [
        "a",
        "b"
      ]
    }
  }
}
"#;
    assert_eq!(written, expected);
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-z\\n\\r\"\\\\é]{0,12}", Just("<<<<<<< x\n=======\n".to_owned())];
    let key = prop_oneof!["[a-z.$]{0,4}", Just("$lines".to_owned()), Just("$$lines".to_owned())];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_comes_back(value in any_value()) {
        let whole = document(json!({ "$.x": value }));
        let written = render(&whole);
        let read = parse(written.as_bytes()).unwrap();
        prop_assert_eq!(&read, &whole);
        prop_assert_eq!(render(&read), written);
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_an_error() {
    let whole = render(&document(json!({ "$.reply": "a\nb", "$.x": [1, 2, { "y": null }] })));
    for end in 0..whole.trim_end().len() {
        let error = parse(&whole.as_bytes()[..end]).expect_err(&whole[..end]);
        assert!(error.line >= 1 && !error.message.is_empty());
    }
    let error = parse(&whole.as_bytes()[..whole.len() / 2]).unwrap_err();
    assert!(error.message.contains("its rest is missing"), "{error}");
}

#[test]
fn what_is_no_file_of_snapshots_is_told_at_its_line() {
    let whole = render(&document(json!({ "$.a": 1, "$.b": 2 })));
    let conflict = whole
        .replace("    \"$.a\": 1,\n", "<<<<<<< HEAD\n    \"$.a\": 1,\n=======\n    \"$.a\": 3,\n>>>>>>> x\n");
    for (text, line, said) in [
        (conflict.as_str(), 5, "merge conflict"),
        (&whole.replace("\"$.b\"", "\"$.a\""), 6, "`$.a` is given twice"),
        (&whole.replace("\"snapshot\": 1", "\"snapshot\": 2"), 1, "a newer flowproof wrote"),
        (&whole.replace("\"snapshot\": 1", "\"snapshot\": 0"), 1, "its version"),
        (&whole.replace("\"test\": \"refund\"", "\"test\": 1"), 1, "name of its test"),
        (&whole.replace("entries", "entry"), 1, "without `entries`"),
        (&whole.replace("\"test\"", "\"more\": 1,\n  \"test\""), 1, "`more`"),
        ("[]", 1, "no mapping"),
        ("", 1, "empty"),
        ("\n\n", 1, "empty"),
        ("{\n  nonsense", 2, "cannot be read"),
    ] {
        let error = parse(text.as_bytes()).expect_err(text);
        assert!(error.message.contains(said), "{said}: {error}");
        assert_eq!(error.line, line, "{error}");
    }
    assert!(parse(b"\xff{}").unwrap_err().message.contains("UTF-8"));
    assert!(parse(whole.replace('\n', "\r\n").as_bytes()).is_ok(), "git may write line ends of Windows");
}

#[test]
fn names_that_collide_without_case_get_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let (upper, lower) = (
        spot(folder.path(), "Refund", FileNameUniqueness::No),
        spot(folder.path(), "refund", FileNameUniqueness::No),
    );
    assert_ne!(
        upper.first_path().to_string_lossy().to_lowercase(),
        lower.first_path().to_string_lossy().to_lowercase()
    );
    let alone = spot(folder.path(), "Refund", FileNameUniqueness::Yes);
    assert_eq!(alone.first_path(), folder.path().join("Refund.json"));
    let long = spot(folder.path(), &"é".repeat(500), FileNameUniqueness::Yes).first_path();
    assert!(long.file_name().unwrap().len() < 200);
}

/// On a file system where case is one, the plain name opens the other test's file; here it is put there.
#[test]
fn the_file_of_another_test_is_never_taken_for_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let of =
        |test: &str| render(&SnapshotDocument { test: test.to_owned(), ..document(json!({ "$.x": 1 })) });
    let lower = spot(folder.path(), "refund", FileNameUniqueness::Yes);
    std::fs::write(lower.first_path(), of("Refund")).unwrap();
    let home = home_of(&lower).unwrap();
    assert!(home.document.is_none(), "it is the snapshot of `Refund`");
    assert_ne!(home.path, lower.first_path(), "and stays that");

    std::fs::write(lower.first_path(), of("tone")).unwrap();
    let error = home_of(&lower).unwrap_err().to_string();
    assert!(error.contains("holds the snapshots of `tone`, not of `refund`"), "{error}");

    // A test that got a neighbour keeps the file it had.
    let with_neighbour = spot(folder.path(), "refund", FileNameUniqueness::No);
    std::fs::write(lower.first_path(), of("refund")).unwrap();
    assert_eq!(home_of(&with_neighbour).unwrap().path, lower.first_path());
}

fn pending_of(spot: &SnapshotPlace) -> PathBuf {
    Pending::Beside.path(&spot.first_path())
}

#[test]
fn what_waits_is_accepted_only_as_it_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let spot = spot(folder.path(), "refund", FileNameUniqueness::Yes);
    let (one, two) = (json!("one"), json!("two"));
    update_pending(&pending_of(&spot), &spot.fence, "refund", &[("a", Some(&one)), ("b", Some(&two))])
        .unwrap();
    assert!(accept(&spot, &pending_of(&spot), &[("a", &two)]).unwrap().is_empty(), "another value was seen");
    assert!(!spot.first_path().exists(), "nothing was approved");
    assert_eq!(accept(&spot, &pending_of(&spot), &[("a", &one)]).unwrap(), ["a"]);
    assert_eq!(reject(&spot, &pending_of(&spot), &[("b", &two)]).unwrap(), ["b"]);
    assert!(!pending_of(&spot).exists(), "nothing waits any more");
    let approved = read(&spot.first_path(), &spot.fence).unwrap().unwrap();
    assert_eq!(approved.entries.into_iter().collect::<Vec<_>>(), [("a".to_owned(), one)]);
}

#[test]
fn many_who_write_and_accept_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spot = spot(folder.path(), "refund", FileNameUniqueness::Yes);
    let keys: Vec<String> = (0..24).map(|number| format!("k{number:02}")).collect();
    std::thread::scope(|scope| {
        for key in &keys {
            let spot = &spot;
            scope.spawn(move || {
                let value = json!({ "of": key });
                update_pending(&pending_of(spot), &spot.fence, "refund", &[(key, Some(&value))]).unwrap();
                let accepted = accept(spot, &pending_of(spot), &[(key, &value)]).unwrap();
                assert_eq!(accepted.first(), Some(key));
            });
        }
    });
    let approved = read(&spot.first_path(), &spot.fence).unwrap().unwrap();
    assert_eq!(approved.entries.into_keys().collect::<Vec<_>>(), keys);
    assert!(!pending_of(&spot).exists());
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["refund.json"], "no lock and no half of a file stays behind");
}

#[test]
fn a_pending_file_that_cannot_be_read_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let spot = spot(folder.path(), "refund", FileNameUniqueness::Yes);
    std::fs::write(pending_of(&spot), "{ \"snapshot\": 1, \"te").unwrap();
    assert!(accept(&spot, &pending_of(&spot), &[("a", &json!(1))]).is_err(), "nothing unread is approved");
    update_pending(&pending_of(&spot), &spot.fence, "refund", &[("a", Some(&json!(1)))]).unwrap();
    assert_eq!(accept(&spot, &pending_of(&spot), &[("a", &json!(1))]).unwrap(), ["a"]);
}

#[test]
fn a_machine_writes_below_its_reports() {
    let pending = Pending::Below { root: "/p".into(), folder: "/p/reports/snapshots".into() };
    let path = pending.path(Path::new("/p/suites/snapshots/s/t.json"));
    assert_eq!(path, Path::new("/p/reports/snapshots/suites/snapshots/s/t.json.new"));
    assert_eq!(Pending::Beside.path(Path::new("a/t.json")), Path::new("a/t.json.new"));
    let outside = pending.path(Path::new("/elsewhere/t.json"));
    assert_eq!(outside, Path::new("/p/reports/snapshots/t.json.new"));
}
