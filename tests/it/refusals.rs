//! Apps and judges that refuse again and again: how long they are waited for, and when they are asked no more.

use crate::live::{Live, case, report, run};
use crate::project::Project;
use crate::server::{Seen, Step, document, good, refusal, suite_of, target, with_headers};

/// Two tries of each test, at once.
const TWICE: &str = "concurrency: 4\nretries: { count: 1, delay: 1ms, jitter: false }";

/// What a server answers to everything.
type Answer = fn() -> Vec<Step>;

fn asks_for(wait: &str) -> Vec<Step> {
    let header = format!("Retry-After: {wait}\r\n");
    vec![Step::Send(with_headers("429 Busy", "text/plain", &header, b"busy"))]
}

/// The reason or cause of a test.
fn why(live: &Project, test: &str) -> String {
    let report = report(live);
    let case = case(&report, test);
    let told = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let of_attempt = || told(&case["attempts"].as_array()?.last()?["cause"]["message"]);
    told(&case["reason"]).or_else(of_attempt).unwrap_or_default()
}

#[test]
fn an_app_that_refuses_again_and_again_is_asked_no_more() {
    let answers: [(&str, Answer); 4] = [
        ("429", || refusal(429, "too_many_requests", "busy")),
        ("with a wait", || asks_for("0")),
        ("400", || refusal(400, "invalid_param", "Too many requests. Please try again later.")),
        ("503", || vec![Step::Send(document("503 Down", "text/plain", b"down"))]),
    ];
    for (what, answer) in answers {
        let live = Live::new(&suite_of(60), TWICE, move |_| answer());
        let ran = live.expect(3, &[]);
        let runs = live.server.runs().len();
        assert!((8..=60).contains(&runs), "{what}: {runs} of up to 120 requests were sent");
        assert_eq!(report(&live.project)["totals"]["errored"], 60, "{what}");
        let last = why(&live.project, "t59");
        assert!(
            last.contains("not sent") && last.contains("requests in a row were refused"),
            "{what}: {last}"
        );
        // Where each attempt has a cause of its own, the screen has no room for the last one.
        let is_shown = ran.text.contains("requests in a row were refused");
        assert!(is_shown || what == "503", "{what}: {}", ran.text);
    }
}

#[test]
fn an_address_where_nobody_listens_is_tried_no_more() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let project = Project::with_suite(&suite_of(60));
    target(&project, &format!("http://{address}/v1"), TWICE);
    let ran = run(&project, &[]);
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    let last = why(&project, "t59");
    assert!(last.contains("not sent") && last.contains("did not arrive"), "{last}");
}

#[test]
fn an_answer_between_them_makes_refusals_bearable() {
    let live = Live::new(&suite_of(30), "retries: { count: 1, delay: 1ms }", |seen| match seen.number % 6 {
        5 => good(seen),
        _ => refusal(429, "too_many_requests", "busy"),
    });
    live.expect(100, &["-j", "1"]);
    assert!(live.server.runs().len() > 50, "{} requests", live.server.runs().len());
}

#[test]
fn a_wait_that_the_attempt_does_not_outlast_is_not_waited() {
    let keys = "retries: 3\ntimeouts: { total: 60s }";
    let live = Live::new(&suite_of(3), keys, |_| asks_for("120"));
    live.expect(3, &["-j", "1"]);
    assert_eq!(live.server.runs().len(), 1, "the others were not sent, nor was the first again");
    let told = why(&live.project, "t1");
    assert!(told.contains("asks to be left alone for 2m") || told.contains("left alone for 1m"), "{told}");
    assert!(told.contains("the limit of an attempt is 1m"), "{told}");
}

#[test]
fn a_wait_that_is_over_after_the_run_is_not_waited() {
    let live = Live::new(&suite_of(3), "retries: 0\ntimeouts: { total: 10m }", |_| asks_for("200"));
    let ran = live.run(&["-j", "1", "--max-time", "100s"]);
    assert_eq!(live.server.runs().len(), 1);
    assert_ne!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(live.verdict("t1"), "skipped");
    assert!(why(&live.project, "t1").contains("the time of the run is over before"), "{}", ran.text);
}

#[test]
fn an_app_that_asks_to_be_left_alone_holds_back_no_other() {
    let live = Live::new(&suite_of(2).replace("name: S", "name: S\napp: busy"), "", |seen: &Seen| {
        if seen.input("t") == "free" { good(seen) } else { asks_for("200") }
    });
    let project = live.project.read("flowproof.yaml").replace(
        "    api_key: \"{{ env.TEST_KEY }}\"\n",
        "    apps:\n      busy: { api_key: \"{{ env.TEST_KEY }}\" }\n      free: { api_key: \"{{ env.TEST_KEY }}-free\" }\n    retries: 0\n    timeouts: { total: 60s }\n",
    );
    live.project.write("flowproof.yaml", project);
    let free = suite_of(1)
        .replace("name: S", "name: Z\napp: free")
        .replace("t: t0", "t: free")
        .replace("name: t0", "name: free");
    live.project.write("suites/z.yaml", free);
    live.expect(100, &["-j", "1"]);
    assert_eq!(["t0", "t1", "free"].map(|test| live.verdict(test)), ["errored", "errored", "passed"]);
    assert_eq!(live.server.runs().len(), 2);
}
