//! Each rung: events, detail, logs; and the waits that end the search.

use super::*;

#[tokio::test]
async fn the_detail_is_polled_until_the_run_has_ended() {
    let missing = vec![json_body(&json!({ "id": null, "status": null }))];
    let script = Script {
        run: cut("1.12.1", &[started(), node("node_started", "n-1", &json!({}))]),
        detail: vec![missing, running(), running(), succeeded()],
        ..Script::default()
    };
    let server = script.start().await;
    let found = Try::streaming().send(&server).await;
    assert_eq!(
        (by(&found), &found.ending, outputs(&found)),
        (RecoveredBy::Detail, &Ending::Finished, &json!({ "a": 1 }))
    );
    assert_eq!(
        (found.answer.nodes.len(), found.answer.nodes[0].replayed, found.nodes_complete()),
        (1, false, false)
    );
    assert_eq!(
        (found.answer.first_token_at, found.answer.max_gap, found.answer.ids.run.as_deref()),
        (None, None, Some("r-1"))
    );
    assert_eq!(server.seen("GET /v1/workflows/run/r-1").len(), 4);
    assert_eq!((server.seen("GET /v1/workflow/").len(), server.seen("POST /v1/workflows/run").len()), (0, 1));
    assert!(server.seen("POST /v1/workflows/tasks").is_empty(), "a run that ended is not stopped");
    assert!(server.seen("GET")[0].head.contains("authorization: bearer app-secret"));
}

#[tokio::test]
async fn since_1_14_the_events_are_followed() {
    let snapshot = json!({ "status": "succeeded", "outputs": {} });
    let run = json!({ "id": "r-1", "workflow_id": "w-1", "status": "succeeded", "outputs": { "a": 2 }, "created_by": { "user": "user-7" } });
    let script = Script {
        run: cut("1.14.2", &[started(), node("node_finished", "n-1", &json!({ "outputs": { "x": 1 } }))]),
        events: vec![
            stream(&[started(), node("node_started", "n-2", &json!({}))]),
            stream(&[
                started(),
                node("node_finished", "n-1", &snapshot),
                node("node_finished", "n-2", &snapshot),
                finished(&run),
            ]),
        ],
        detail: vec![running()],
        ..Script::default()
    };
    let server = script.start().await;
    let found = Try::streaming().send(&server).await;
    assert_eq!((by(&found), outputs(&found)), (RecoveredBy::Events, &json!({ "a": 2 })));
    let nodes: Vec<_> =
        found.answer.nodes.iter().map(|node| (&*node.id, node.replayed, node.status())).collect();
    assert_eq!(nodes, [("n-1", false, None), ("n-2", true, Some(&ReportedStatus::Succeeded))]);
    let asked = &server.seen("GET /v1/workflow/")[0].target;
    assert_eq!(asked, "GET /v1/workflow/r-1/events?user=user-7&include_state_snapshot=true");
}

#[tokio::test]
async fn events_that_are_not_there_or_fall_silent_leave_the_detail() {
    let wait = Duration::from_millis(100);
    for events in
        [vec![html("404 NOT FOUND")], vec![Step::Close], vec![Step::Send(stream_head()), Step::Hang]]
    {
        let script = Script {
            run: cut("1.14.2", &[started()]),
            events: vec![events],
            detail: vec![running(), succeeded()],
            ..Script::default()
        };
        let mut attempt = Try::streaming();
        attempt.timeouts.idle = wait;
        let found = attempt.send(&script.start().await).await;
        assert_eq!((by(&found), outputs(&found)), (RecoveredBy::Detail, &json!({ "a": 1 })));
    }
}

#[tokio::test]
async fn a_stall_is_recovered_like_a_cut() {
    let script = Script {
        run: vec![Step::Send(stream_head()), Step::Send(started()), Step::Hang],
        detail: vec![succeeded()],
        ..Script::default()
    };
    let mut attempt = Try::streaming();
    attempt.timeouts.idle = Duration::from_millis(100);
    let server = script.start().await;
    let found = attempt.send(&server).await;
    assert_eq!((by(&found), &found.ending), (RecoveredBy::Detail, &Ending::Finished));
    assert!(server.seen("POST /v1/workflows/tasks").is_empty());
}

#[tokio::test]
async fn a_blocking_call_that_a_proxy_gave_up_is_found_in_the_logs() {
    let half = vec![
        Step::Send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{".to_vec(),
        ),
        Step::Close,
    ];
    for run in [gateway_timeout(), vec![html("502 Bad Gateway")], vec![Step::Reset], vec![Step::Close], half]
    {
        let script = Script {
            run,
            logs: vec![logs(&[]), logs(&[("other", "user-8", NOON), ("r-1", "user-7", NOON)])],
            detail: vec![running(), succeeded()],
            ..Script::default()
        };
        let server = script.start().await;
        let found = Try::blocking().send(&server).await;
        assert_eq!(
            (by(&found), &found.ending, outputs(&found)),
            (RecoveredBy::Logs, &Ending::Finished, &json!({ "a": 1 }))
        );
        assert_eq!(
            (found.answer.ids.run.as_deref(), found.answer.ids.workflow.as_deref()),
            (Some("r-1"), Some("w-1"))
        );
        let asked = &server.seen("GET /v1/workflows/logs")[0].target;
        assert_eq!(asked, "GET /v1/workflows/logs?created_by_end_user_session_id=user-7&limit=100");
        assert_eq!(server.seen("POST").len(), 1, "never sent anew");
    }
}

#[tokio::test]
async fn logs_without_a_run_that_may_never_have_started_are_read_a_few_times() {
    let never = [vec![Step::Reset], vec![Step::Close], vec![html("502 Bad Gateway")], vec![html("503 X")]];
    for run in never {
        let script = Script { run, logs: vec![logs(&[])], ..Script::default() };
        let server = script.start().await;
        let recovery = Recover { deadline: LONG, ..QUICK };
        let found = Try { recovery, ..Try::blocking() }.send(&server).await;
        let (why, trace) = lost(&found);
        assert!(
            why.starts_with("the logs show no run of the user \"user-7\", in 6 looks, the last "),
            "{why}"
        );
        assert_eq!((server.seen("GET /v1/workflows/logs").len(), trace), (6, Trace::None));
        assert!(found.answer.run.is_none() && found.elapsed < LONG / 2, "{:?}", found.elapsed);
        assert_eq!(server.seen("POST").len(), 1, "never sent anew");
    }
    // What no poll showed counts for nothing, and a run that certainly started is searched for as long as there is time.
    let mut pages = vec![vec![html("502 Bad Gateway")]; 8];
    pages.push(logs(&[("r-1", "user-7", NOON)]));
    let script =
        Script { run: vec![Step::Reset], logs: pages, detail: vec![succeeded()], ..Script::default() };
    assert_eq!(by(&Try::blocking().send(&script.start().await).await), RecoveredBy::Logs);
    let mut pages = vec![logs(&[]); 8];
    pages.push(logs(&[("r-1", "user-7", NOON)]));
    let script =
        Script { run: gateway_timeout(), logs: pages, detail: vec![succeeded()], ..Script::default() };
    assert_eq!(by(&Try::blocking().send(&script.start().await).await), RecoveredBy::Logs);
}

#[tokio::test]
async fn a_run_that_was_handed_over_is_found_by_its_id() {
    let body = json!({ "event": "workflow_maintenance_paused", "task_id": "t-1", "workflow_run_id": "r-1" })
        .to_string();
    let handed = || vec![Step::Send(document("202 ACCEPTED", "application/json", body.as_bytes()))];
    let script = Script { run: handed(), detail: vec![running(), succeeded()], ..Script::default() };
    let server = script.start().await;
    let found = Try::blocking().send(&server).await;
    assert_eq!((by(&found), outputs(&found)), (RecoveredBy::Detail, &json!({ "a": 1 })));
    assert_eq!(server.seen("POST").len(), 1, "it was accepted: to send it again would run it twice");
    let script = Script { run: handed(), detail: vec![running()], ..Script::default() };
    let mut limited = Try::blocking().brief();
    limited.timeouts.total = Duration::from_secs(1);
    let found = limited.send(&script.start().await).await;
    assert_eq!(lost(&found).1, Trace::Seen);
    assert!(matches!(&found.ending, Ending::TimedOut { .. }) && found.answer.run.is_none());
    let nameless =
        document("202 ACCEPTED", "application/json", b"{\"event\":\"workflow_maintenance_paused\"}");
    let script = Script { run: vec![Step::Send(nameless)], detail: vec![succeeded()], ..Script::default() };
    let found = Try::blocking().brief().send(&script.start().await).await;
    assert!(
        matches!(found.ending, Ending::Rejected(_)) && found.recovery.is_none() && found.answer.run.is_none()
    );
}

#[tokio::test]
async fn what_was_recorded_is_recovered() {
    for version in ["1.12.1", "1.14.2"] {
        let name = |case: &str| format!("{version}/{case}");
        let mut attempt = Try::streaming();
        attempt.request.user = "user-1".into();
        attempt.request.inputs = json!({ "sec": "4" }).as_object().cloned().unwrap();
        let script = Script {
            run: recorded_cut(&name("disconnect.slow"), "data: {\"event\":\"node_finished\""),
            events: vec![recorded("1.14.2/human.events_other_user")],
            detail: vec![
                recorded(&name("disconnect.slow_detail_now")),
                recorded(&name("disconnect.slow_detail_later")),
            ],
            ..Script::default()
        };
        let found = attempt.send(&script.start().await).await;
        assert_eq!(
            (by(&found), outputs(&found)),
            (RecoveredBy::Detail, &json!({ "body": "{\"slept\":true}" }))
        );

        attempt.request.user = "detail-user".into();
        attempt.request.inputs =
            json!({ "text": "héllo", "num": "2.5", "unknown": 1 }).as_object().cloned().unwrap();
        attempt.request.mode = ResponseMode::Blocking;
        let script = Script {
            run: gateway_timeout(),
            logs: vec![recorded(&name("logs.session"))],
            detail: vec![recorded(&name("detail.ok"))],
            ..Script::default()
        };
        let found = attempt.send(&script.start().await).await;
        assert_eq!((by(&found), &outputs(&found)["dflt"]), (RecoveredBy::Logs, &json!("the default")));
        assert_eq!(found.answer.run.as_ref().unwrap().data()["total_steps"], 2);
    }
    let mut attempt = Try::streaming();
    attempt.request.user = "hu".into();
    let script = Script {
        run: recorded_cut("1.14.2/human.streaming", "data: {\"event\":\"human_input_required\""),
        events: vec![recorded("1.14.2/human.events_after")],
        ..Script::default()
    };
    let found = attempt.send(&script.start().await).await;
    assert_eq!((by(&found), &outputs(&found)["action"]), (RecoveredBy::Events, &json!("approve")));
    assert!(found.answer.nodes.iter().any(|node| node.status().is_none()));
}

#[tokio::test]
async fn a_run_that_goes_on_is_waited_for_longer_than_the_deadline() {
    // Looks that take far longer together than the deadline, each of which shows the run.
    let details: Vec<Vec<Step>> = (0..12).map(|_| running()).chain([succeeded()]).collect();
    let script = Script { run: cut("1.12.1", &[started()]), detail: details, ..Script::default() };
    let server = script.start().await;
    let found = Try::streaming().brief().send(&server).await;
    assert_eq!((by(&found), outputs(&found)), (RecoveredBy::Detail, &json!({ "a": 1 })));
    assert!(found.elapsed > BRIEF.deadline, "{:?}", found.elapsed);
    assert!(server.seen("POST /v1/workflows/tasks").is_empty(), "it is not stopped either");
}

#[tokio::test]
async fn a_run_that_runs_on_for_ever_is_given_up_and_stopped() {
    let script = Script { run: cut("1.12.1", &[started()]), detail: vec![running()], ..Script::default() };
    let server = script.start().await;
    let mut attempt = Try::streaming().brief();
    attempt.timeouts.total = Duration::from_secs(1);
    let found = attempt.send(&server).await;
    let (why, trace) = lost(&found);
    assert!(why.starts_with("the run r-1 had not ended"), "{why}");
    assert_eq!(trace, Trace::Seen);
    assert!(matches!(&found.ending, Ending::TimedOut { .. }) && found.answer.run.is_none());
    let stops = server.seen("POST /v1/workflows/tasks/t-1/stop");
    assert_eq!((stops.len(), stops[0].body.as_slice()), (1, b"{\"user\":\"user-7\"}".as_slice()));
}

#[tokio::test]
async fn the_total_time_and_the_word_to_stop_end_the_search() {
    let script = || Script { run: cut("1.12.1", &[started()]), detail: vec![running()], ..Script::default() };
    let server = script().start().await;
    let mut attempt = Try::streaming();
    attempt.timeouts.total = Duration::from_millis(300);
    attempt.recovery.deadline = LONG;
    let found = attempt.send(&server).await;
    assert_eq!(found.ending, Ending::TimedOut { after: Duration::from_millis(300) });
    let Some(Recovery::Lost { lost, why, trace: Trace::Seen, going_on: true }) = &found.recovery else {
        panic!("{found:?}")
    };
    assert_eq!(
        (lost.as_str(), why.as_str()),
        ("the connection was closed after 1 event", "the run r-1 had not ended")
    );
    assert_eq!(server.seen("POST /v1/workflows/tasks/t-1/stop").len(), 1);

    let server = script().start().await;
    attempt.timeouts.total = LONG;
    let (give, mut stop) = watch::channel(None);
    let client = attempt.client(&server);
    let key = SecretString::from("app-SECRET");
    let run = client.run(&key, &attempt.request, &attempt.timeouts, &mut stop);
    let word = async {
        while server.seen("GET").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        give.send_replace(Some("Ctrl-C".into()));
    };
    let (found, ()) = tokio::join!(run, word);
    assert_eq!(found.ending, Ending::Stopped { reason: "Ctrl-C".into() });
    assert!(found.elapsed < LONG / 2);
    assert_eq!(server.seen("POST /v1/workflows/tasks/t-1/stop").len(), 1);
}

#[tokio::test]
async fn a_timeout_is_no_loss_and_costs_one_look() {
    let script = Script {
        run: vec![Step::Send(stream_head()), Step::Send(started()), Step::Hang],
        detail: vec![succeeded()],
        ..Script::default()
    };
    let server = script.start().await;
    let mut attempt = Try::streaming();
    attempt.timeouts.total = Duration::from_millis(200);
    let found = attempt.send(&server).await;
    assert!(matches!(found.ending, Ending::TimedOut { .. }) && found.recovery.is_none());
    assert_eq!((server.seen("GET").len(), server.seen("POST /v1/workflows/tasks").len()), (1, 1));
    assert!(found.answer.run.is_none() && found.ended_by_itself(), "what came too late is not judged");
}

#[tokio::test]
async fn a_queued_run_that_is_found_running_is_waited_for() {
    let ping = Step::Send(chunk(b"event: ping\n\n"));
    // Many more looks than are spent on a silence behind which nothing is found.
    let details: Vec<Vec<Step>> = (0..12).map(|_| running()).chain([succeeded()]).collect();
    for (mode, run) in [
        (ResponseMode::Streaming, vec![Step::Send(stream_head()), ping, Step::Hang]),
        (ResponseMode::Blocking, vec![Step::Hang]),
    ] {
        let script = Script {
            run,
            detail: details.clone(),
            logs: vec![logs(&[]), logs(&[("r-1", "user-7", NOON)])],
            ..Script::default()
        };
        let server = script.start().await;
        let mut attempt = Try::new(mode);
        attempt.timeouts.first_event = Duration::from_millis(100);
        let found = attempt.send(&server).await;
        assert_eq!((by(&found), server.seen("POST /v1/workflows/run").len()), (RecoveredBy::Logs, 1));
    }
}

#[tokio::test]
async fn a_run_that_a_kill_interrupted_is_found_by_its_user_and_not_sent_again() {
    let script = Script {
        logs: vec![logs(&[("r-1", "user-7", NOON)])],
        detail: vec![succeeded()],
        ..Script::default()
    };
    let server = script.start().await;
    let attempt = Try::streaming();
    let (_keep, mut stop) = watch::channel(None);
    let key = SecretString::from("app-SECRET");
    let client = attempt.client(&server);
    let ago = Duration::from_secs(1);
    let found = client.find(&key, &attempt.request, (&attempt.timeouts, ago), &mut stop).await;
    assert_eq!((by(&found), outputs(&found)), (RecoveredBy::Logs, &json!({ "a": 1 })));
    assert!(server.seen("POST").is_empty());

    let empty = Script { logs: vec![logs(&[])], ..Script::default() }.start().await;
    let mut patient = Try::streaming();
    patient.recovery.poll = Duration::from_secs(2);
    let client = patient.client(&empty);
    let long_ago = Duration::from_secs(3600);
    let gone = client.find(&key, &attempt.request, (&attempt.timeouts, long_ago), &mut stop).await;
    assert_eq!(lost(&gone).1, Trace::None);
    assert_eq!(empty.seen("GET /v1/workflows/logs").len(), 1, "so long ago it would be there");
}

#[tokio::test]
async fn a_stop_that_dify_does_not_take_is_told_and_its_late_words_are_heard() {
    let usage =
        json!({ "execution_metadata": { "total_tokens": 19, "total_price": "0.5", "currency": "USD" } });
    let late = node("node_finished", "n-2", &usage);
    let steps = vec![
        Step::Send(stream_head()),
        Step::Send(started()),
        Step::Until(Duration::from_millis(1500)),
        Step::Send(late),
        Step::Send(finished(
            &json!({ "id": "r-1", "status": "failed", "error": "Aborted: User requested stop", "total_tokens": 19 }),
        )),
        Step::Hang,
    ];
    let server = Script { run: steps, ..Script::default() }.start().await;
    let mut attempt = Try::streaming();
    attempt.timeouts.total = Duration::from_millis(300);
    let found = attempt.send(&server).await;
    assert!(
        matches!(found.ending, Ending::TimedOut { .. }) && found.answer.run.is_none(),
        "{:?}",
        found.ending
    );
    assert_eq!(found.stopping, Some(crate::dify::transcript::StopOutcome::Asked));
    assert!(!found.ended_by_itself(), "newer Difys call it failed");
    assert_eq!(crate::dify::transcript::NodesUsage::of(&found.answer.nodes).tokens, 19, "it was paid");
    assert_eq!(server.seen("GET").len(), 0, "its end was heard");
}
