//! A script made from a recorded stream: what an author would write to get that run.

use serde_json::{Map, Value, json};

/// The reply that a recorded stream calls for.
pub fn reply_of(events: &[Value]) -> Value {
    let last = &events.last().unwrap()["data"];
    let mut nodes: Vec<Value> = Vec::new();
    for event in events {
        // An iteration over nothing sends no event of its own: only its output shows that it ran.
        let selector = &event["data"]["from_variable_selector"];
        if selector == &json!(["iter", "output"]) && !is_known(&nodes, "iter") {
            nodes.push(json!({ "id": "iter", "title": "Iteration", "type": "iteration", "iterations": 0, "outputs": { "output": [] } }));
        }
        let data = &event["data"];
        let id = data["node_id"].as_str().unwrap_or_default();
        match event["event"].as_str().unwrap() {
            "node_started" if !is_known(&nodes, id) && !is_plain_start_or_end(data) => {
                nodes.push(begun(data))
            }
            "iteration_started" | "loop_started" => nodes.push(begun(data)),
            "node_finished" if is_known(&nodes, id) => finish(&mut nodes, data),
            "node_retry" => {
                let node = find(&mut nodes, id);
                node.insert("retries".to_owned(), data["retry_index"].clone());
                node.insert("error".to_owned(), data["error"].clone());
            }
            "iteration_completed" | "loop_completed" => finish(&mut nodes, data),
            "text_chunk" if data["from_variable_selector"][1] == "text" => stream(&mut nodes, data),
            _ => {}
        }
    }
    let mut reply = Map::new();
    reply.insert("status".to_owned(), last["status"].clone());
    reply.insert("outputs".to_owned(), last["outputs"].clone());
    if last["status"] == "failed" {
        reply.insert("error".to_owned(), last["error"].clone());
    }
    nodes.iter_mut().for_each(tidy);
    set_beside(&mut nodes, events);
    set_parallel(&mut nodes, events);
    reply.insert("nodes".to_owned(), Value::Array(nodes));
    Value::Object(reply)
}

/// Nodes that began before the one before them had ended, and how long after its start.
fn set_beside(nodes: &mut [Value], events: &[Value]) {
    let of_top =
        |event: &&Value| event["data"]["iteration_id"].is_null() && event["data"]["loop_id"].is_null();
    let started: Vec<usize> = (0..events.len())
        .filter(|at| events[*at]["event"] == "node_started" && of_top(&&events[*at]))
        .collect();
    for pair in started.windows(2) {
        let (id, later) =
            (&events[pair[0]]["data"]["node_id"], events[pair[1]]["data"]["node_id"].as_str().unwrap());
        let end =
            events.iter().find(|event| event["event"] == "node_finished" && event["data"]["node_id"] == *id);
        let Some(end) = end else { continue };
        let is_over = events[..pair[1]].contains(end);
        if is_over || !is_known(nodes, later) {
            continue;
        }
        let elapsed = |id: &str| {
            let end = events
                .iter()
                .find(|event| event["event"] == "node_finished" && event["data"]["node_id"] == id);
            end.unwrap()["data"]["elapsed_time"].as_f64().unwrap()
        };
        let id = id.as_str().unwrap();
        let chunks = |events: &[Value]| {
            events
                .iter()
                .filter(|event| event["data"]["from_variable_selector"] == json!([id, "text"]))
                .count()
        };
        let after = match (chunks(&events[..pair[1]]), chunks(events)) {
            (0, _) => json!(true),
            (before, all) => {
                let part = 0.2 + 0.8 * (before as f64 - 0.5) / (all as f64 - 1.0);
                millis(elapsed(id) * part)
            }
        };
        find(nodes, later).insert("beside".to_owned(), after);
        for id in [id, later] {
            find(nodes, id).insert("elapsed".to_owned(), millis(elapsed(id)));
        }
    }
}

fn millis(seconds: f64) -> Value {
    json!(format!("{:.3}ms", seconds * 1e3))
}

/// Iterations that announced all rounds before any: how many ran at once, and how long each took.
fn set_parallel(nodes: &mut [Value], events: &[Value]) {
    for (at, event) in events.iter().enumerate().filter(|(_, event)| event["event"] == "iteration_next") {
        if event["data"]["index"] != 1 || events[at - 1]["event"] != "iteration_next" {
            continue;
        }
        let id = event["data"]["node_id"].as_str().unwrap();
        let completed = events
            .iter()
            .find(|event| event["event"] == "iteration_completed" && event["data"]["node_id"] == id)
            .unwrap();
        let times = completed["data"]["execution_metadata"]["iteration_duration_map"].as_object().unwrap();
        let times: Vec<f64> =
            (0..times.len()).map(|index| times[&index.to_string()].as_f64().unwrap()).collect();
        let workers = times.iter().sum::<f64>() / completed["data"]["elapsed_time"].as_f64().unwrap();
        find(nodes, id).insert("parallel".to_owned(), json!(workers.round() as u64));
        let child = nodes.iter_mut().find(|node| node["parent"] == id).unwrap();
        child["elapsed"] = times.into_iter().map(millis).collect();
    }
}

fn is_known(nodes: &[Value], id: &str) -> bool {
    nodes.iter().any(|node| node["id"] == id)
}

/// Those the mock adds by itself.
fn is_plain_start_or_end(data: &Value) -> bool {
    data["node_type"] == "start" || (data["node_type"] == "end" && data["node_id"] == "end")
}

fn begun(data: &Value) -> Value {
    let parent = [&data["iteration_id"], &data["loop_id"]].into_iter().find(|id| id.is_string()).cloned();
    let mut node = json!({ "id": data["node_id"], "title": data["title"], "type": data["node_type"] });
    if let Some(parent) = parent {
        node["parent"] = parent;
    }
    node
}

fn find<'n>(nodes: &'n mut [Value], id: &str) -> &'n mut Map<String, Value> {
    nodes.iter_mut().find(|node| node["id"] == id).unwrap().as_object_mut().unwrap()
}

fn finish(nodes: &mut [Value], data: &Value) {
    let index = [&data["execution_metadata"]["iteration_index"], &data["execution_metadata"]["loop_index"]];
    let index = index.into_iter().find_map(Value::as_u64);
    if let Some(container) = [&data["iteration_id"], &data["loop_id"]].into_iter().find_map(Value::as_str) {
        let rounds = index.unwrap() + 1;
        let node = find(nodes, container);
        let most = node.get("iterations").and_then(Value::as_u64).unwrap_or(0).max(rounds);
        node.insert("iterations".to_owned(), json!(most));
    }
    let node = find(nodes, data["node_id"].as_str().unwrap());
    let mut outputs = data["outputs"].clone();
    let mut error = data["error"].clone();
    if data["status"] == "exception" {
        error = outputs["error_message"].clone();
    }
    if data["node_type"] == "llm" && data["status"] == "succeeded" {
        node.insert("tokens".to_owned(), data["execution_metadata"]["total_tokens"].clone());
        node.insert("price".to_owned(), data["execution_metadata"]["total_price"].clone());
    }
    if outputs.is_null() {
        outputs = json!({});
    }
    let mut process_data = data["process_data"].as_object().cloned().unwrap_or_default();
    if data["node_type"] == "llm" {
        // The rest the mock makes of tokens and price.
        process_data.retain(|key, _| key == "prompts");
    }
    for (key, value) in [
        ("inputs", data["inputs"].clone()),
        ("process_data", Value::Object(process_data)),
        ("outputs", outputs),
        ("status", data["status"].clone()),
        ("error", error),
    ] {
        match index {
            Some(at) => put(node, key, at as usize, value),
            None if key == "error" && value.is_null() => {}
            None => {
                node.insert(key.to_owned(), value);
            }
        }
    }
}

/// A round's value; parallel rounds finish in any order.
fn put(node: &mut Map<String, Value>, key: &str, at: usize, value: Value) {
    let list = node.entry(key).or_insert_with(|| json!([])).as_array_mut().unwrap();
    while list.len() <= at {
        list.push(if matches!(key, "inputs" | "process_data" | "outputs") {
            json!({})
        } else if key == "status" {
            json!("succeeded")
        } else {
            Value::Null
        });
    }
    list[at] = value;
}

fn stream(nodes: &mut [Value], data: &Value) {
    let id = data["from_variable_selector"][0].as_str().unwrap();
    if !nodes.iter().any(|node| node["id"] == id && matches!(node["type"].as_str(), Some("llm" | "tool"))) {
        return;
    }
    let chunk = data["text"].as_str().unwrap();
    let list = find(nodes, id).entry("stream").or_insert_with(|| json!([])).as_array_mut().unwrap();
    if !chunk.is_empty() {
        list.push(json!(chunk));
    }
}

/// A node that was never finished has no values; an empty stream is none.
fn tidy(node: &mut Value) {
    let node = node.as_object_mut().unwrap();
    if node.get("stream").is_some_and(|stream| stream == &json!([])) {
        node.remove("stream");
    }
}
