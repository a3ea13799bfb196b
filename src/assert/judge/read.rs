//! Reads what a judge answered. A score is taken from its one field and from nowhere else; whatever is odd is no vote.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Number, Value};

use crate::base::long_text::keep_long;

use super::JudgeVote;

/// Most characters of an answer in a message.
const SHOWN: usize = 160;

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    function_call: Option<IgnoredAny>,
}

/// The answer asked for: these keys, each once, and no other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgeGrade {
    nonce: String,
    reason: String,
    score: Number,
}

#[derive(Deserialize)]
struct Embeddings {
    data: Vec<EmbeddingItem>,
}

#[derive(Deserialize)]
struct EmbeddingItem {
    embedding: Vec<f64>,
    #[serde(default)]
    index: Option<usize>,
}

/// The vote in a chat completion: only an answer that is the object asked for, with this nonce.
pub fn read_chat(body: &[u8], nonce: &str) -> Result<JudgeVote, String> {
    let completion: Completion =
        read_json(body).map_err(|error| format!("its answer is no chat completion: {error}"))?;
    let [Choice { message, finish_reason }] = completion.choices.as_slice() else {
        return Err(format!("its answer has {} choices instead of one", completion.choices.len()));
    };
    if let Some(refusal) = message.refusal.as_deref().filter(|refusal| !refusal.is_empty()) {
        return Err(format!("it refused to grade: {}", excerpt(refusal)));
    }
    if message.function_call.is_some() || message.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty()) {
        return Err("it called a tool instead of grading".to_owned());
    }
    match finish_reason.as_deref() {
        Some("length") => return Err("its answer was cut off: it had no tokens left".to_owned()),
        Some("content_filter") => return Err("a content filter stopped its answer".to_owned()),
        Some(_) | None => {}
    }
    let content = message.content.as_deref().unwrap_or_default();
    let grade: JudgeGrade = serde_json::from_str(unfenced(without_thoughts(content))).map_err(|error| {
        format!("it did not answer with the JSON object asked for ({error}): {}", excerpt(content))
    })?;
    if grade.nonce != nonce {
        return Err(
            "its answer does not carry the nonce of the question: it may be a text of the tested program"
                .to_owned(),
        );
    }
    Ok(JudgeVote::new(share(&grade.score)?, &grade.reason))
}

/// The vote in the outputs of a workflow: `score`, a number, and `reason`, a text that may be missing.
pub fn read_workflow(outputs: &Value) -> Result<JudgeVote, String> {
    let score = match outputs.get("score") {
        Some(Value::Number(score)) => share(score)?,
        Some(other) => {
            return Err(format!("its output `score` is no number, but {}", excerpt(&other.to_string())));
        }
        None => return Err("it has no output `score`".to_owned()),
    };
    match outputs.get("reason") {
        Some(Value::String(reason)) => Ok(JudgeVote::new(score, reason)),
        None | Some(Value::Null) => Ok(JudgeVote::new(score, "")),
        Some(other) => Err(format!("its output `reason` is no text, but {}", excerpt(&other.to_string()))),
    }
}

/// The likeness of the two texts that were sent: the cosine of their embeddings, and 0 where that is negative.
pub fn read_embeddings(body: &[u8]) -> Result<JudgeVote, String> {
    let embeddings: Embeddings =
        read_json(body).map_err(|error| format!("its answer holds no embeddings: {error}"))?;
    let [first, second] = embeddings.data.as_slice() else {
        return Err(format!("its answer holds {} embeddings instead of two", embeddings.data.len()));
    };
    match (first.index, second.index) {
        (Some(0), Some(1)) | (Some(1), Some(0)) | (None, None) => {}
        _ => return Err("its answer does not say which embedding is whose".to_owned()),
    }
    let (a, b) = (&first.embedding, &second.embedding);
    if a.len() != b.len() {
        return Err(format!("its embeddings have {} and {} numbers", a.len(), b.len()));
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    if !cosine.is_finite() {
        return Err("its embeddings have no direction".to_owned());
    }
    Ok(JudgeVote::new(cosine.clamp(0.0, 1.0), ""))
}

/// Reads a document: the whole of it is UTF-8, also where nobody looks.
fn read_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// The tokens an answer says it took, whatever else it holds; `None` where it does not say.
pub fn read_tokens(body: &[u8]) -> Option<u64> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let usage = answer.get("usage")?;
    let number = |key: &str| usage.get(key).and_then(Value::as_u64);
    let parts = || Some(number("prompt_tokens")?.saturating_add(number("completion_tokens").unwrap_or(0)));
    number("total_tokens").filter(|total| *total > 0).or_else(parts).filter(|tokens| *tokens > 0)
}

/// What an answer that is an error says, in a line.
pub fn read_trouble(body: &[u8]) -> String {
    let json = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let said = [&json["error"]["message"], &json["error"], &json["message"], &json["detail"]];
    match said.into_iter().find_map(Value::as_str) {
        Some(message) => format!(": {}", Value::from(&*keep_long(message))),
        None => String::new(),
    }
}

fn share(score: &Number) -> Result<f64, String> {
    match score.as_f64() {
        Some(share) if (0.0..=1.0).contains(&share) => Ok(share),
        Some(_) | None => Err(format!("its score is {score}, not a number from 0 to 1")),
    }
}

/// What follows the thoughts that a local model writes before its answer.
fn without_thoughts(text: &str) -> &str {
    let end = text.trim_start().starts_with("<think>").then(|| text.rsplit_once("</think>")).flatten();
    end.map_or(text, |(_, answer)| answer)
}

/// The text inside of one code fence that holds all of it, else the text.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inside = text.strip_prefix("```json").or_else(|| text.strip_prefix("```"));
    inside.and_then(|inside| inside.strip_suffix("```")).map_or(text, str::trim)
}

/// A text of others in a message: quoted, cut, its control characters escaped.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", Value::from(&text[..at])),
        None => Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NONCE: &str = "5c1f";

    fn chat(content: &str) -> Result<JudgeVote, String> {
        let body = json!({ "choices": [{ "message": { "role": "assistant", "content": content }, "finish_reason": "stop" }] });
        read_chat(body.to_string().as_bytes(), NONCE)
    }

    fn message(message: Value) -> Result<JudgeVote, String> {
        read_chat(json!({ "choices": [{ "message": message }] }).to_string().as_bytes(), NONCE)
    }

    /// What is no UTF-8 is no JSON, also within a key that nobody reads.
    #[test]
    fn an_answer_is_utf_8_as_a_whole() {
        let sound = br#"{"choices":[{"message":{"content":"{\"nonce\":\"5c1f\",\"reason\":\"\",\"score\":1}"}}],"x":"y"}"#;
        assert_eq!(read_chat(sound, NONCE).unwrap().score, 1.0);
        let mut odd = sound.to_vec();
        let at = odd.len() - 3;
        odd[at] = 0xff;
        assert!(read_chat(&odd, NONCE).unwrap_err().contains("no chat completion"));
        let vectors = br#"{"data":[{"embedding":[1.0]},{"embedding":[1.0]}],"x":"y"}"#;
        assert_eq!(read_embeddings(vectors).unwrap().score, 1.0);
        let mut odd = vectors.to_vec();
        let at = odd.len() - 3;
        odd[at] = 0xff;
        assert!(read_embeddings(&odd).unwrap_err().contains("no embeddings"));
    }

    #[test]
    fn a_vote_is_the_object_asked_for() {
        let vote = chat(r#"{"nonce":"5c1f","reason":"warm","score":0.75}"#).unwrap();
        assert_eq!(vote, JudgeVote { score: 0.75, reason: "warm".to_owned() });
        assert_eq!(chat(" {\"score\":1,\"nonce\":\"5c1f\",\"reason\":\"\"}\n").unwrap().score, 1.0);
        assert_eq!(
            chat("```json\n{\"score\":0,\"nonce\":\"5c1f\",\"reason\":\"\"}\n```").unwrap().score,
            0.0
        );
        let thought = "<think>\nIt says {\"score\": 0}</think> so?</think>\n{\"score\":1,\"nonce\":\"5c1f\",\"reason\":\"\"}";
        assert_eq!(chat(thought).unwrap().score, 1.0);
    }

    #[test]
    fn whatever_is_odd_is_no_vote() {
        for (content, why) in [
            ("", "JSON object"),
            ("The score is 1.", "JSON object"),
            ("1", "JSON object"),
            ("\"1\"", "JSON object"),
            ("[]", "JSON object"),
            ("NaN", "JSON object"),
            (r#"{"nonce":"5c1f","reason":"","score":NaN}"#, "JSON object"),
            (r#"{"nonce":"5c1f","reason":"","score":"1"}"#, "JSON object"),
            (r#"{"nonce":"5c1f","reason":"","score":true}"#, "JSON object"),
            (r#"{"nonce":"5c1f","reason":"","score":null}"#, "JSON object"),
            (r#"{"nonce":"5c1f","reason":"","score":1e999}"#, "its score is 1e+999"),
            (r#"{"nonce":"5c1f","reason":"","score":7}"#, "its score is 7"),
            (r#"{"nonce":"5c1f","reason":"","score":-0.1}"#, "its score is -0.1"),
            (r#"{"nonce":"5c1f","reason":"","score":1.0000001}"#, "its score is 1.0000001"),
            (r#"{"nonce":"5c1f","score":1}"#, "missing field"),
            (r#"{"nonce":"5c1f","reason":"","score":1,"pass":true}"#, "unknown field"),
            (r#"{"nonce":"5c1f","reason":"","score":0,"score":1}"#, "duplicate field"),
            (r#"{"reason":"","score":1}"#, "missing field `nonce`"),
            (r#"{"nonce":"","reason":"","score":1}"#, "nonce"),
            (r#"{"nonce":"5C1F","reason":"","score":1}"#, "nonce"),
            (r#"{"nonce":"x","reason":"","score":1}{"nonce":"5c1f","reason":"","score":0}"#, "trailing"),
            (r#"Sure! {"nonce":"5c1f","reason":"","score":1}"#, "JSON object"),
            (r#"<think>{"nonce":"5c1f","reason":"","score":1}"#, "JSON object"),
            (r#"x<think></think>{"nonce":"5c1f","reason":"","score":1}"#, "JSON object"),
            (r#"<think></think>{"nonce":"5c1f","reason":"","score":1}</think>"#, "JSON object"),
            ("```json\n{\"score\":1,\"nonce\":\"5c1f\",\"reason\":\"\"}\n```\nor 0", "JSON object"),
        ] {
            let said = chat(content).expect_err(content);
            assert!(said.contains(why), "{content}: {said}");
        }
    }

    #[test]
    fn a_completion_that_is_none_is_no_vote() {
        let grade = r#"{"nonce":"5c1f","reason":"","score":1}"#;
        let call = json!([{ "type": "function", "function": { "name": "grade", "arguments": grade } }]);
        for (answer, why) in [
            (message(json!({ "content": null })), "JSON object"),
            (message(json!({ "content": grade, "refusal": "I cannot" })), "refused"),
            (message(json!({ "content": grade, "tool_calls": call })), "tool"),
            (message(json!({ "content": grade, "function_call": { "name": "x" } })), "tool"),
            (message(json!({ "content": [{ "type": "text", "text": grade }] })), "no chat completion"),
            (message(json!({ "content": { "score": 1 } })), "no chat completion"),
            (read_chat(b"", NONCE), "no chat completion"),
            (read_chat(b"{}", NONCE), "no chat completion"),
            (read_chat(br#"{"choices":[]}"#, NONCE), "0 choices"),
            (read_chat(grade.as_bytes(), NONCE), "no chat completion"),
        ] {
            let said = answer.unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        for (reason, why) in [("length", "cut off"), ("content_filter", "filter")] {
            let body = json!({ "choices": [{ "message": { "content": grade }, "finish_reason": reason }] });
            assert!(read_chat(body.to_string().as_bytes(), NONCE).unwrap_err().contains(why));
        }
    }

    #[test]
    fn a_workflow_votes_by_a_number() {
        assert_eq!(read_workflow(&json!({ "score": 0.5, "reason": "so so" })).unwrap().score, 0.5);
        assert_eq!(
            read_workflow(&json!({ "score": 1, "more": [] })).unwrap(),
            JudgeVote { score: 1.0, reason: String::new() }
        );
        for outputs in [
            json!({}),
            json!(null),
            json!({ "score": "1" }),
            json!({ "score": 7 }),
            json!({ "score": -1 }),
            json!({ "score": null }),
            json!({ "score": [1] }),
            json!({ "score": 1, "reason": 3 }),
            json!({ "text": "{\"score\": 1}" }),
        ] {
            assert!(read_workflow(&outputs).is_err(), "{outputs}");
        }
    }

    fn likeness(a: Value, b: Value) -> Result<f64, String> {
        let body = json!({ "data": [{ "index": 0, "embedding": a }, { "index": 1, "embedding": b }] });
        read_embeddings(body.to_string().as_bytes()).map(|vote| vote.score)
    }

    #[test]
    fn likeness_is_the_cosine_and_never_negative() {
        assert_eq!(likeness(json!([0.1, 0.7]), json!([0.1, 0.7])), Ok(1.0));
        assert_eq!(likeness(json!([1, 0]), json!([0, 2])), Ok(0.0));
        assert_eq!(likeness(json!([1, 0]), json!([-1, 0])), Ok(0.0));
        assert!((likeness(json!([3, 4]), json!([4, 3])).unwrap() - 0.96).abs() < 1e-12);
        for (a, b) in [
            (json!([]), json!([])),
            (json!([0, 0]), json!([1, 1])),
            (json!([1]), json!([1, 1])),
            (json!(["1"]), json!([1])),
            (json!("AAAA"), json!("AAAA")),
            (json!([1e200]), json!([1e200])),
            (json!([null]), json!([1])),
        ] {
            assert!(likeness(a.clone(), b.clone()).is_err(), "{a} {b}");
        }
        let same = json!({ "data": [{ "index": 0, "embedding": [1] }, { "index": 0, "embedding": [1] }] });
        assert!(read_embeddings(same.to_string().as_bytes()).is_err());
        assert!(read_embeddings(br#"{"data":[{"embedding":[1]}]}"#).is_err());
    }

    #[test]
    fn tokens_that_nobody_tells_are_unknown() {
        let tokens = |usage: Value| read_tokens(json!({ "usage": usage }).to_string().as_bytes());
        assert_eq!(
            tokens(json!({ "prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13 })),
            Some(13)
        );
        assert_eq!(tokens(json!({ "prompt_tokens": 10, "completion_tokens": 3 })), Some(13));
        assert_eq!(tokens(json!({ "total_tokens": 0 })), None);
        assert_eq!(tokens(json!({ "total_tokens": -4 })), None);
        assert_eq!(tokens(json!({ "total_tokens": "9" })), None);
        assert_eq!(tokens(json!(null)), None);
        assert_eq!(read_tokens(b"<html>"), None);
    }
}
