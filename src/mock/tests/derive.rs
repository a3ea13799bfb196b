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
    reply.insert("nodes".to_owned(), Value::Array(nodes));
    Value::Object(reply)
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
    for (key, value) in [
        ("inputs", data["inputs"].clone()),
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
        list.push(if matches!(key, "inputs" | "outputs") {
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
