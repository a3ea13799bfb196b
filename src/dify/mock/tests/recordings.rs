//! A recorded run, scripted from its own facts, and the mock's answer beside it.

use serde_json::{Map, Value, json};

use super::derive::reply_of;
use super::likeness::{compare_deep, compare_keys, compare_streams};
use super::support::{events, run_of};
use crate::dify::mock::answer::graph::Graph;
use crate::dify::mock::answer::{write_blocking, write_stream};
use crate::dify::mock::reply::decode_reply;
use crate::dify::mock::version::DifyVersion;

/// The events that a script of a recorded stream gives, and whether they begin with a ping.
fn mocked(scripted: &[Value], version: DifyVersion, inputs: &Value) -> Result<(Vec<Value>, bool), String> {
    let reply = decode_reply(&reply_of(scripted))?;
    let run = run_of(Graph::lay_out(reply), version, own_inputs(inputs));
    let text = String::from_utf8(write_stream(&run).bytes).map_err(|error| error.to_string())?;
    Ok((events(&text), text.starts_with("event: ping\n\n")))
}

/// A stream to its end: the same events in the same order, with the same keys and types, all the way down.
pub fn stream(recording: &Value, version: DifyVersion) -> Result<(), String> {
    let body = recording["response"]["body"].as_str().unwrap();
    let recorded = events(body);
    let (mocked, has_ping) = mocked(&recorded, version, &recorded[0]["data"]["inputs"])?;
    if has_ping != body.starts_with("event: ping\n\n") {
        return Err("one begins with a ping, the other does not".to_owned());
    }
    compare_streams(&recorded, &mocked)
}

/// A stream that its client left: what it had seen is how the same workflow's whole stream begins.
pub fn abandoned(recording: &Value, whole: &Value, version: DifyVersion) -> Result<(), String> {
    let recorded = events(recording["response"]["body"].as_str().unwrap());
    let whole = events(whole["response"]["body"].as_str().unwrap());
    let (mut mocked, _) = mocked(&whole, version, &recorded[0]["data"]["inputs"])?;
    mocked.truncate(recorded.len());
    compare_streams(&recorded, &mocked)
}

/// A blocking answer: the same keys and types, and the same bytes of its outputs.
pub fn blocking(recording: &Value, version: DifyVersion) -> Result<(), String> {
    let body = recording["response"]["body"].as_str().unwrap();
    let recorded: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let data = &recorded["data"];
    let mut reply = json!({
        "status": data["status"], "outputs": data["outputs"], "error": data["error"], "tokens": data["total_tokens"],
        "steps": data["total_steps"],
    });
    reply.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let run = run_of(Graph::lay_out(decode_reply(&reply)?), version, json!({}));
    let text = String::from_utf8(write_blocking(&run)).map_err(|error| error.to_string())?;
    let mocked: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    compare_keys(&recorded, &mocked)?;
    compare_deep(data, &mocked["data"])?;
    for key in ["status", "outputs", "error", "total_tokens", "total_steps"] {
        if data[key] != mocked["data"][key] {
            return Err(format!("`{key}` {} became {}", data[key], mocked["data"][key]));
        }
    }
    let (left, right) = (outputs_of(body), outputs_of(&text));
    if left == right { Ok(()) } else { Err(format!("bytes {left} became {right}")) }
}

/// The bytes of the outputs; exponents are written in another way by Python.
fn outputs_of(text: &str) -> String {
    let (from, to) = (text.find("\"outputs\": ").unwrap(), text.rfind(", \"error\": ").unwrap());
    text[from..to].replace("e+", "e")
}

/// Inputs without those that Dify adds.
pub fn own_inputs(inputs: &Value) -> Value {
    let own = inputs.as_object().unwrap().iter().filter(|(key, _)| !key.starts_with("sys."));
    Value::Object(own.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
}
