//! The three clocks of an attempt: when the rate meant it to start, when it was sent, and how long Dify says it ran.

use std::time::Duration;

use serde_json::Value;

use crate::live::{Live, case, report};
use crate::server::{Seen, Step, good, refusal, suite_of};

/// How long each answer of the slow endpoint takes.
const SLOW: Duration = Duration::from_millis(60);

fn slow(seen: &Seen) -> Vec<Step> {
    [vec![Step::Sleep(SLOW)], good(seen)].concat()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn attempts(report: &Value) -> Vec<Value> {
    let cases = report["cases"].as_array().unwrap();
    cases.iter().flat_map(|case| case["attempts"].as_array().unwrap()).cloned().collect()
}

#[test]
fn a_slow_endpoint_cannot_hide_the_queue_before_it() {
    let live = Live::new(&suite_of(10), "concurrency: 1\nrate: 100/s", slow);
    let ran = live.expect(0, &[]);
    let report = report(&live.project);
    let kept = &report["run"]["rates"][0];
    assert_eq!((number(&kept["rate"]), number(&kept["starts"])), (100.0, 10.0));
    // Each start waits for the answer before: the rate is that of the answers.
    assert!(number(&kept["kept"]) < 1.0 / SLOW.as_secs_f64(), "{kept}");
    let (late, latency) = (&kept["late_ms"], &kept["latency_ms"]);
    assert!(number(&late["p50"]) < number(&late["p95"]) && late["p95"] == late["max"], "{kept}");
    let mut latencies: Vec<f64> =
        attempts(&report).iter().map(|one| number(&one["facts"]["latency_ms"])).collect();
    latencies.sort_by(f64::total_cmp);
    assert!(number(&latency["max"]) > number(&late["max"]) + latencies[0] / 2.0, "{kept}");
    assert!(
        number(&latency["p50"]) > 2.0 * latencies[5],
        "the queue is not in the latency: {kept} {latencies:?}"
    );
    let mut all = attempts(&report);
    all.sort_by(|a, b| number(&a["sent_ms"]).total_cmp(&number(&b["sent_ms"])));
    for (place, attempt) in all.iter().enumerate() {
        let first = number(&all[0]["intended_ms"]);
        assert!((number(&attempt["intended_ms"]) - first - 10.0 * place as f64).abs() < 0.01, "{attempt}");
        assert!(number(&attempt["sent_ms"]) >= number(&attempt["intended_ms"]), "{attempt}");
    }
    assert!(
        ran.text.contains("rate 100/s: ") && ran.text.contains("latency from the intended start"),
        "{}",
        ran.text
    );
    let junit = live.project.read("reports/latest/junit.xml");
    assert!(junit.contains(r#"name="flowproof.rate""#) && junit.contains(r#"name="late""#), "{junit}");
}

#[test]
fn the_turns_at_a_rate_are_waits() {
    let live = Live::new(&suite_of(4), "concurrency: 4\nrate: 5/s", good);
    live.expect(0, &[]);
    let report = report(&live.project);
    let mut waited = 0;
    for attempt in attempts(&report) {
        let rate = attempt["waits"]["rate_ms"].as_f64().unwrap_or_default();
        assert!(number(&attempt["waited_ms"]) >= rate, "{attempt}");
        waited += u32::from(rate > 0.0);
    }
    assert_eq!(waited, 3, "all but the first wait for their turn: {report}");
}

#[test]
fn no_repeat_waits_for_the_one_before_and_a_back_off_is_a_wait_of_its_own() {
    let suite = "version: 1\nname: S\ntests:\n  - { name: t, inputs: { t: x }, repeat: 3, assert: [{ path: $.x, equals: 1 }] }\n";
    let live =
        Live::new(suite, "retries: { count: 1, delay: 80ms, jitter: false }", |seen| match seen.number {
            0 => refusal(500, "internal_server_error", "Internal Server Error"),
            1 => refusal(429, "too_many_requests", "Too many requests"),
            _ => slow(seen),
        });
    live.run(&[]);
    let report = report(&live.project);
    let attempts = case(&report, "t")["attempts"].as_array().unwrap();
    for attempt in attempts {
        let waits = &attempt["waits"];
        let retry = waits["retry_ms"].as_f64().unwrap_or_default();
        assert_eq!(retry >= 80.0, attempt["attempt"] == 1, "{attempt}");
        let latency = attempt["facts"]["latency_ms"].as_f64().unwrap_or(f64::INFINITY);
        assert!(number(&attempt["waited_ms"]) - retry < latency, "a repeat is in the wait: {attempt}");
    }
    assert!(attempts.iter().any(|attempt| attempt["attempt"] == 1), "{attempts:?}");
}
