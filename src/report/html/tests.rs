//! The page as text: what a browser would find in it, and that nothing a workflow said is anything but data.

use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::record::attempt::Attempt;
use crate::record::event::Event;
use crate::record::journal::sample;
use crate::record::verdict::Verdict;

/// The page of a run whose pieces are as large as they come.
fn page_of(events: &[Event]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let record = sample::record(folder.path(), events);
    let mut page = HtmlPage::new(Vec::new(), &record).unwrap();
    for cases in record.order_by_suite().chunks(3) {
        let mut piece = HtmlPiece::default();
        let push = |case, attempts: &[u8]| push_case(&mut piece, &case, attempts, green(&record));
        record.read_cases(cases, push).unwrap();
        page.piece(&piece).unwrap();
    }
    String::from_utf8(page.finish().unwrap()).unwrap()
}

/// The JSON of each data element, with its attributes.
fn data(page: &str) -> Vec<(String, Value)> {
    let elements = page.split("<script type=\"application/json\" ").skip(1);
    let element = |text: &str| {
        let (attributes, rest) = text.split_once('>').unwrap();
        let (json, _) = rest.split_once("</script>").unwrap();
        (attributes.to_owned(), serde_json::from_str(json).unwrap())
    };
    elements.map(element).collect()
}

#[test]
fn a_page_holds_the_whole_run() {
    let page = page_of(&sample::every_verdict());
    let data = data(&page);
    let (_, head) = &data[0];
    assert_eq!(head["standing"]["text"], "5 of 8 tests are red");
    assert_eq!(head["run"]["note"], "on the mock: no live workflow was tested");
    let rows: Vec<&Value> = data
        .iter()
        .filter(|(name, _)| name.contains("rows"))
        .flat_map(|(_, rows)| rows.as_array().unwrap())
        .collect();
    assert_eq!(rows.len(), 8);
    let columns = head["columns"].as_array().unwrap().len();
    assert!(rows.iter().all(|row| row.as_array().unwrap().len() == columns), "a row has each column");
    let names: Vec<&str> = data.iter().map(|(name, _)| name.as_str()).collect();
    for wanted in ["id=\"case-1\"", "id=\"case-3\"", "id=\"case-6\"", "id=\"held-0\""] {
        assert!(names.contains(&wanted), "{wanted}: {names:?}");
    }
    let (_, failed) = data.iter().find(|(name, _)| name == "id=\"case-1\"").unwrap();
    assert_eq!(failed[0]["findings"][0]["expected"]["id"], 9_007_199_254_740_993_u64);
}

#[test]
fn nothing_is_taken_for_a_tag() {
    let hostile = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>\u{2028}";
    let finding = sample::broken(hostile, Value::from(hostile), Value::from("x"));
    let mut outcome = sample::outcome(0, hostile, hostile, Verdict::Failed);
    outcome.place.file = Arc::from(hostile);
    let mut events = vec![Event::RunStarted(sample::start(1))];
    events.extend(sample::pair(sample::attempt(0, Verdict::Failed, vec![finding]), outcome));
    events.push(sample::end());
    let page = page_of(&events);
    assert!(!page.contains("<script>") && !page.contains("<img") && !page.contains('\u{2028}'), "{page}");
    assert!(!page.contains("<!--"));
    assert_eq!(page.matches("<script nonce=").count(), 1);
    assert_eq!(page.matches("</script>").count(), data(&page).len() + 1);
}

#[test]
fn a_page_takes_nothing_from_elsewhere() {
    let page = page_of(&sample::many(2));
    assert!(page.contains("default-src 'none'; script-src 'nonce-"));
    for outside in ["src=", "@import", "url(", "<link", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
    for part in SCRIPTS.iter().chain([&STYLE, &BODY]) {
        assert!(!part.contains("innerHTML") && !part.contains("eval("), "{part}");
        let addresses = part.matches("://").count() - part.matches("\"http://www.w3.org/2000/svg\"").count();
        assert_eq!(addresses, 0, "nothing is fetched: {part}");
        assert!(part.lines().count() <= 300, "a part of the page is too long");
    }
    for script in SCRIPTS {
        assert!(!script.contains("</script") && !script.contains("insertAdjacentHTML"));
    }
}

#[test]
fn details_that_find_no_room_are_left_out_and_rows_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let record = sample::record(folder.path(), &sample::many(3));
    let mut page = HtmlPage::new(Vec::new(), &record).unwrap();
    page.telling_left = 10;
    let large = vec![b' '; 100];
    let piece =
        HtmlPiece { rows: b"[0]".to_vec(), telling: vec![(0, large), (1, b"{}".to_vec())], held: Vec::new() };
    page.piece(&piece).unwrap();
    let page = String::from_utf8(page.finish().unwrap()).unwrap();
    assert!(page.contains("class=\"rows\">[[0]]") && page.contains("case-1\"") && !page.contains("case-0\""));
}

#[test]
fn a_large_run_lists_its_green_tests() {
    let mut piece = HtmlPiece::default();
    let folder = tempfile::tempdir().unwrap();
    let mut events = sample::many(2);
    let red = Attempt { case: 1, ..sample::attempt(1, Verdict::Failed, Vec::new()) };
    events.truncate(1);
    events.extend(sample::passed(0, "a"));
    events.extend(sample::pair(red, sample::outcome(1, "a", "red", Verdict::Failed)));
    events.push(sample::end());
    let record = sample::record(folder.path(), &events);
    record
        .read_cases(&[0, 1], |case, attempts| {
            push_case(&mut piece, &case, attempts, cases::GreenDetails::Listed)
        })
        .unwrap();
    assert!(piece.held.is_empty());
    assert_eq!(piece.telling.iter().map(|(case, _)| *case).collect::<Vec<_>>(), [1]);
}
