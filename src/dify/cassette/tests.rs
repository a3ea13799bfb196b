//! Cassettes as text, what answers a request, and what a re-recording changes.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::base::redact::Redactor;
use crate::dify::transcript::{Arrival, Continuation, ResponseMode};

const SECRET: &str = "app-S3cret/0123+x";

fn mask() -> Mask {
    Mask::new(Redactor::new([SECRET.to_owned()]))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other}"),
    }
}

fn asked(inputs: Value) -> RecordedRequest {
    RecordedRequest {
        app: "triage".into(),
        mode: ResponseMode::Streaming,
        workflow_id: None,
        inputs: object(inputs),
        files: Vec::new(),
        answers: Vec::new(),
    }
}

fn arrival(at: u64, json: &Value) -> Arrival {
    Arrival::new(Duration::from_millis(at), json.to_string())
}

/// An exchange whose ids and times are made of a number.
fn recorded(test: &str, repeat: u32, inputs: Value, number: u64) -> RecordedExchange {
    let run = format!("11111111-1111-4111-8111-{number:012}");
    let events = vec![
        arrival(
            number,
            &json!({ "event": "workflow_started", "workflow_run_id": run, "data": { "id": run, "created_at": number } }),
        ),
        arrival(
            number + 5,
            &json!({ "event": "workflow_finished", "workflow_run_id": run, "data": { "status": "succeeded", "outputs": { "x": 1 }, "elapsed_time": number } }),
        ),
    ];
    RecordedExchange {
        number: 0,
        test: test.into(),
        repeat,
        asked: asked(inputs),
        recorded: format!("2026-11-24T00:00:{:02}.000Z", number % 60),
        heard: RecordedResponse {
            status: 200,
            headers: vec![("content-type".into(), "text/event-stream".into())],
            pings: 1,
            answer: RecordedAnswer::Events(events),
            after: Vec::new(),
            elapsed: Duration::from_millis(number + 6),
        },
        masked: false,
    }
}

fn shelf(exchanges: Vec<RecordedExchange>) -> CassetteShelf {
    let mut shelf = CassetteShelf::new(Some(Mode::None), Speed::AtOnce, Redactor::new([]));
    shelf.add("c.jsonl".into(), "c.jsonl".into(), exchanges);
    shelf
}

fn find(
    exchanges: Vec<RecordedExchange>,
    test: &str,
    repeat: u32,
    asked: &RecordedRequest,
) -> Result<String, Miss> {
    let shelf = shelf(exchanges);
    let cassette = shelf.cassette("c.jsonl".as_ref()).unwrap();
    let found = cassette.find(CassetteQuery { test, repeat, asked, pin: Pin::AsAsked })?;
    Ok(format!("{}#{}", found.test, found.repeat))
}

/// A run that paused, was answered and then ended.
fn answered() -> RecordedExchange {
    let mut answered = recorded("S::c", 0, json!({ "q": 1 }), 4);
    let end = |at, name, status| arrival(at, &json!({ "event": name, "data": { "status": status } }));
    answered.asked.answers = vec![AnswerPrint {
        node: "Review".into(),
        action: "approve".into(),
        inputs: object(json!({ "comment": SECRET })),
        files: Vec::new(),
    }];
    answered.asked = mask().request(answered.asked);
    answered.heard.answer = RecordedAnswer::Events(vec![end(5, "workflow_paused", "paused")]);
    let events = vec![end(9, "workflow_finished", "succeeded")];
    answered.heard.after = vec![Continuation { answered_at: Duration::from_millis(7), events }];
    answered
}

#[test]
fn answers_matter_where_they_were_asked_for() {
    let paused = answered();
    let with = |action: &str| {
        let mut asked = paused.asked.clone();
        asked.answers[0].action = action.to_owned();
        asked
    };
    assert_eq!(paused.asked.answers[0].inputs["comment"], "***");
    assert!(paused.is_for(&with("approve"), Pin::AsAsked));
    assert!(!paused.is_for(&with("reject"), Pin::AsAsked));
    let nobody = RecordedRequest { answers: Vec::new(), ..with("approve") };
    assert!(!paused.is_for(&nobody, Pin::AsAsked), "the run would go on although nobody answers");
    let mut never = recorded("S::c", 0, json!({ "q": 1 }), 4);
    assert!(never.is_for(&with("reject"), Pin::AsAsked), "nobody was asked");
    never.heard = paused.heard.clone();
    never.heard.after = Vec::new();
    assert!(!never.is_for(&with("reject"), Pin::AsAsked), "it waits, and was answered by nobody");
}

#[test]
fn a_cassette_reads_as_it_was_written() {
    let mut odd = recorded("S::b", 0, json!({ "q": [1, 2.5, null, "é\n"] }), 7);
    odd.asked.files = vec![
        (
            "doc".into(),
            vec![FilePrint { kind: "document".into(), name: "a.txt".into(), blake3: Some("00".into()) }],
        ),
        (
            "pics".into(),
            vec![FilePrint { kind: "image".into(), name: "https://h/a.png".into(), blake3: None }],
        ),
    ];
    odd.asked.workflow_id = Some("w".into());
    // Bytes that JSON would write otherwise: a space, an exponent, an escape; and an event nested too deep for a line.
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(110), "]".repeat(110));
    for text in [r#"{"event": "x"}"#, r#"{"n":1e3}"#, r#"{"t":"\u00e9"}"#, deep.as_str()] {
        if let RecordedAnswer::Events(events) = &mut odd.heard.answer {
            events.insert(0, Arrival::new(Duration::ZERO, text));
        }
    }
    let mut blocking = recorded("S::a", 1, json!({}), 3);
    blocking.asked.mode = ResponseMode::Blocking;
    blocking.heard = RecordedResponse {
        status: 400,
        pings: 0,
        answer: RecordedAnswer::Json(json!({ "code": "invalid_param" })),
        ..blocking.heard
    };
    let mut page = recorded("S::a", 0, json!({}), 3);
    page.heard.answer = RecordedAnswer::Text("<html>\u{2028}</html>".into());
    let answered = answered();
    let text = render(&[answered.clone(), odd.clone(), blocking.clone(), page.clone()], &mask());
    let sorted = [page, blocking, odd, answered];
    assert_eq!(parse(text.as_bytes()).unwrap(), sorted, "sorted by test and repeat:\n{text}");
    assert_eq!(text.lines().count(), 5, "one line each");
    let edited = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(parse(edited.as_bytes()).unwrap(), sorted, "an editor's mark and line ends are no part of it");
    assert_eq!(render(&parse(text.as_bytes()).unwrap(), &mask()), text, "and written alike again");
}

#[test]
fn what_is_no_cassette_is_told_by_its_place() {
    let whole = render(&[recorded("S::a", 0, json!({}), 1), recorded("S::b", 0, json!({}), 2)], &mask());
    let lines: Vec<&str> = whole.lines().collect();
    let half = &whole[..whole.len() - lines[2].len() / 2 - 1];
    let conflict = format!("{}\n<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> b\n", lines[0], lines[1], lines[2]);
    let twice = format!("{}\n{}\n{}\n", lines[0], lines[1], lines[1]);
    let strange = format!("{}\n{}\n", lines[0], lines[1].replacen("\"repeat\"", "\"turn\"", 1));
    let backwards = format!("{}\n{}\n", lines[0], lines[1].replacen("\"at_ms\":1.0", "\"at_ms\":9.0", 1));
    let endless =
        format!("{}\n{}\n", lines[0], lines[1].replacen("\"elapsed_ms\":7.0", "\"elapsed_ms\":1e300", 1));
    let bodiless = format!(
        "{}\n{}\n",
        lines[0],
        lines[1].replacen("\"events\"", "\"body\"", 1).replacen(
            "\"elapsed_ms\"",
            "\"text\":\"\",\"elapsed_ms\"",
            1
        )
    );
    let after = render(&[answered()], &mask());
    let paused = |from: &str, to: &str| {
        assert!(after.contains(from), "{from} in {after}");
        after.replacen(from, to, 1)
    };
    for (text, line, words) in [
        (
            paused("workflow_paused\",\"data\":{\"status\":\"paused\"", "ping\",\"data\":{\"status\":\"x\""),
            2,
            "goes on in `after`, and the run did not pause",
        ),
        (paused("\"answered_ms\":7.0", "\"answered_ms\":4.0"), 2, "does not fit the events around it"),
        (paused("\"answered_ms\":7.0", "\"answered_ms\":10.0"), 2, "does not fit the events around it"),
        (paused("\"answers\":[{", "\"answers\":[],\"files\":[],\"x\":[{"), 2, "unknown field `x`"),
        (String::new(), 1, "is missing: the file is empty"),
        ("\n\n".to_owned(), 1, "is missing: the file is empty"),
        (half.to_owned(), 3, "is cut off: the rest of the exchange is missing"),
        (conflict, 2, "is the mark of an unresolved merge conflict"),
        ("<<<<<<< HEAD\n".to_owned(), 1, "is the mark of an unresolved merge conflict"),
        (
            whole.replacen(":1}", ":2}", 1),
            1,
            "a newer flowproof wrote it (cassette version 2, this one reads up to 1)",
        ),
        (whole.replacen(":1}", ":0}", 1), 1, "names the version 0, which never existed"),
        (lines[1].to_owned(), 1, "is not the first of a cassette, `{\"cassette\":1}`"),
        (twice, 3, "records repeat 0 of `S::a` again, which line 2 does"),
        (strange, 2, "is no exchange of a cassette: unknown field `turn`"),
        (backwards, 2, "has an event 2 that is earlier than the one before it"),
        (endless, 2, "has a time `elapsed_ms` that is not between 0 and a day"),
        (bodiless, 2, "must hold one of `events`, `body` and `text`"),
    ] {
        let error = parse(text.as_bytes()).expect_err(words);
        assert_eq!(error.line, line, "{words}: {error}");
        assert!(error.message.contains(words), "{words}: {error}");
        assert!(!error.help.is_empty());
    }
    let binary = parse(b"{\"cassette\":1}\n\xff\n").unwrap_err();
    assert_eq!((binary.line, binary.message.as_str()), (2, "is not UTF-8"));
    assert_eq!(parse(b"{\"cassette\":1}\n"), Ok(Vec::new()), "one that holds nothing is one");
}

#[test]
fn a_request_is_answered_by_its_own_test_and_repeat() {
    let both = || {
        vec![
            recorded("S::a", 0, json!({ "q": 1 }), 1),
            recorded("S::a", 1, json!({ "q": 1 }), 2),
            recorded("S::b", 0, json!({ "q": 1 }), 3),
        ]
    };
    let one = asked(json!({ "q": 1.0 }));
    assert_eq!(find(both(), "S::b", 0, &one).unwrap(), "S::b#0", "numbers are equal by value");
    assert_eq!(find(both(), "S::a", 1, &one).unwrap(), "S::a#1");
    assert_eq!(find(both(), "S::renamed", 1, &one).unwrap(), "S::a#1", "the first test that asked the same");
    assert_eq!(find(both(), "S::a", 2, &one), Err(Miss::Repeats { recorded: 2 }));
    assert_eq!(find(Vec::new(), "S::a", 0, &one), Err(Miss::Empty));
    let nameless = RecordedRequest { app: String::new(), ..one.clone() };
    assert_eq!(find(both(), "S::a", 0, &nameless).unwrap(), "S::a#0", "the only app");
}

#[test]
fn what_is_not_recorded_is_told_by_what_differs() {
    let tape = || {
        vec![
            recorded("S::a", 0, json!({ "q": "one", "n": 1 }), 1),
            recorded("S::b", 0, json!({ "q": "two" }), 2),
        ]
    };
    let differs = |test: &str, asked: &RecordedRequest| match find(tape(), test, 0, asked) {
        Err(Miss::Nearest { test, differs }) => format!("{test}: {}", differs.join("; ")),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        differs("S::a", &asked(json!({ "q": "eins", "n": 1 }))),
        "S::a: inputs['q'] is \"eins\", recorded \"one\""
    );
    assert_eq!(
        differs("S::new", &asked(json!({ "q": "two", "n": 9 }))),
        "S::b: inputs['n'] is 9, recorded without it"
    );
    assert_eq!(differs("S::a", &asked(json!({ "q": "one" }))), "S::a: inputs['n'] is missing, recorded 1");
    let other = RecordedRequest {
        mode: ResponseMode::Blocking,
        app: "x".into(),
        workflow_id: Some("w1".into()),
        ..asked(json!({ "q": "two" }))
    };
    assert_eq!(
        differs("S::b", &other),
        "S::b: the app is `x`, recorded `triage`; the mode is blocking, recorded streaming; the pinned workflow_id is `w1`, recorded none"
    );
    let print =
        |hash: &str| FilePrint { kind: "document".into(), name: "a.txt".into(), blake3: Some(hash.into()) };
    let with = |files| RecordedRequest { files, ..asked(json!({ "q": "two" })) };
    assert_eq!(
        differs("S::b", &with(vec![("doc".into(), vec![print("1")])])),
        "S::b: files.doc is `a.txt`, recorded none"
    );
    let mut tape = recorded("S::b", 0, json!({}), 1);
    tape.asked = with(vec![("doc".into(), vec![print("1")])]);
    let miss = find(vec![tape], "S::b", 0, &with(vec![("doc".into(), vec![print("2")])])).unwrap_err();
    assert_eq!(
        miss,
        Miss::Nearest {
            test: "S::b".into(),
            differs: vec!["files.doc is `a.txt` with another content or type".into()]
        }
    );
}

#[test]
fn an_exchange_that_differs_in_ids_and_times_leaves_its_line() {
    let old = recorded("S::a", 0, json!({ "q": 1 }), 1);
    let fresh = |exchanges| NewRecordings { exchanges, planned: None };
    let again = recorded("S::a", 0, json!({ "q": 1 }), 2);
    let kept = merge(vec![old.clone()], fresh(vec![again.clone()]), Mode::All, &mask());
    assert_eq!((kept.len(), &kept[0]), (1, &old));
    let mut other = again.clone();
    if let RecordedAnswer::Events(events) = &mut other.heard.answer {
        // An id in a place where another one was is a difference.
        events[1] = Arrival::new(events[1].at, events[1].text().replace("000000000002", "000000000003"));
    }
    assert_eq!(merge(vec![old.clone()], fresh(vec![other.clone()]), Mode::All, &mask()), [other]);
    let asked_anew = recorded("S::a", 0, json!({ "q": 2 }), 1);
    assert_eq!(merge(vec![old], fresh(vec![asked_anew.clone()]), Mode::NewEpisodes, &mask()), [asked_anew]);
}

#[test]
fn only_a_whole_recording_of_all_drops_what_exists_no_more() {
    let old = || {
        vec![
            recorded("S::gone", 0, json!({}), 1),
            recorded("S::a", 0, json!({}), 1),
            recorded("S::a", 1, json!({}), 1),
            recorded("S::skipped", 0, json!({}), 1),
        ]
    };
    let names = |exchanges: Vec<RecordedExchange>| {
        exchanges.iter().map(|one| format!("{}#{}", one.test, one.repeat)).collect::<Vec<_>>()
    };
    let planned = || Some([("S::a".to_owned(), 1), ("S::skipped".to_owned(), 1)].into());
    let fresh = |planned| NewRecordings { exchanges: vec![recorded("S::a", 0, json!({}), 2)], planned };
    assert_eq!(names(merge(old(), fresh(planned()), Mode::All, &mask())), ["S::a#0", "S::skipped#0"]);
    for (mode, planned) in [(Mode::All, None), (Mode::NewEpisodes, planned())] {
        assert_eq!(names(merge(old(), fresh(planned), mode, &mask())), names(old()), "{mode:?}");
    }
}

#[test]
fn secrets_and_signatures_are_masked_in_what_is_written_and_in_what_is_compared() {
    let mut told = recorded("S::a", 0, json!({ "token": SECRET, "u": "https://h/?sign=abc" }), 1);
    told.heard.headers.push(("x-echo".into(), format!("Bearer {SECRET}")));
    let echo = arrival(1, &json!({ "event": "workflow_started", "data": { "inputs": { "token": SECRET } } }));
    if let RecordedAnswer::Events(events) = &mut told.heard.answer {
        events[0] = echo;
    }
    let text = render(std::slice::from_ref(&told), &mask());
    assert!(!text.contains("S3cret") && !text.contains("sign=abc"), "{text}");
    let read = parse(text.as_bytes()).unwrap();
    assert!(!read[0].masked, "that the inputs come back is no leak");
    let asked = mask().request(told.asked.clone());
    assert!(read[0].asked.is_same(&asked, Pin::AsAsked), "a masked request still matches");
    if let RecordedAnswer::Events(events) = &mut told.heard.answer {
        events[1] =
            arrival(9, &json!({ "event": "workflow_finished", "data": { "outputs": { "x": SECRET } } }));
    }
    let text = render(&[told], &mask());
    assert!(!text.contains("S3cret") && parse(text.as_bytes()).unwrap()[0].masked, "{text}");
}

proptest! {
    #[test]
    fn nothing_panics_and_every_error_has_a_line(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = parse(&bytes) {
            prop_assert!(error.line > 0);
        }
    }

    #[test]
    fn a_cassette_cut_anywhere_is_told(cut in 0_usize..2000) {
        let text = render(&[recorded("S::é", 0, json!({ "q": "漢" }), 1), recorded("S::b", 0, json!({}), 2)], &mask());
        let cut = cut % text.len();
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let is_whole = ends.iter().any(|end| cut == *end || cut == end + 1);
        prop_assert_eq!(parse(&text.as_bytes()[..cut]).is_ok(), is_whole);
    }
}
