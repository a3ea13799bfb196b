//! Predicates that judges decide: what is asked, and what answers come to.

use serde_json::json;

use super::super::judges_of;
use super::*;
use crate::assert::judge::{JudgeAnswer, JudgeAnswers, JudgeTask, JudgeVote, MOST_QUESTIONS, Question};

/// Judges an assertion twice, as the engine does; `score` answers each question with votes, none: no vote came.
fn judged(
    yaml: &str,
    outputs: &Value,
    score: impl Fn(&Question) -> Vec<Option<f64>>,
) -> (Finding, Vec<Question>) {
    let mut problems = Vec::new();
    let document = parse_yaml("t.yaml", yaml.as_bytes().to_vec(), &mut problems);
    let vars = json!({ "city": "Rome", "tone": "tone", "gone": "gone" });
    let compiled = compile(&document.source, &[&document.root.expect("YAML")], &vars);
    assert!(compiled.problems.is_empty(), "{yaml}: {:?}", compiled.problems);
    assert!(!judges_of(&compiled.checks).is_empty(), "{yaml}");
    let transcript = transcript::build(&json!({ "outputs": outputs }));
    let scope = TemplateScope::new().with_vars(&vars).with_test("a test").with_run("run-1").with_repeat(0);
    let look = |judging: &JudgeQuestions| {
        let context = Context::new(&compiled.templates, &scope, UsageAudit::Audit, judging);
        examine(&compiled.checks, &transcript, &context).findings.remove(0)
    };
    let first = JudgeQuestions::default();
    look(&first);
    let questions = first.into_open();
    let answer = |question: &Question| {
        let votes = score(question);
        JudgeAnswer {
            asked: votes.len(),
            trouble: votes.contains(&None).then(|| "it did not answer".to_owned()),
            votes: votes
                .into_iter()
                .flatten()
                .map(|score| JudgeVote { score, reason: "so".to_owned() })
                .collect(),
        }
    };
    let answers: JudgeAnswers =
        questions.iter().map(|question| (question.clone(), answer(question))).collect();
    (look(&JudgeQuestions::new(answers)), questions)
}

fn truth(yaml: &str, votes: &[Option<f64>]) -> Truth {
    judged(yaml, &json!({ "a": "x", "b": ["x", "y"] }), |_| votes.to_vec()).0.truth
}

const RUBRIC: &str = "llm_rubric: { judge: tone, rubric: be nice, min: 0.7 }";

#[test]
fn a_majority_of_all_votes_decides() {
    let yaml = format!("{{ path: $.a, {RUBRIC} }}");
    let not = format!("{{ path: $.a, not: {{ {RUBRIC} }} }}");
    for (votes, expected) in [
        (&[Some(0.7)][..], Truth::Held),
        (&[Some(0.699_999)], Truth::Broken),
        (&[None], Truth::Undecided),
        (&[Some(1.0), Some(0.0), Some(1.0)], Truth::Held),
        (&[Some(0.0), Some(0.0), Some(1.0)], Truth::Broken),
        (&[Some(1.0), None, Some(1.0)], Truth::Held),
        (&[Some(1.0), None, Some(0.0)], Truth::Undecided),
        (&[Some(1.0), None, None], Truth::Undecided),
        (&[None, None, None], Truth::Undecided),
        (&[], Truth::Undecided),
    ] {
        assert_eq!(truth(&yaml, votes), expected, "{votes:?}");
        assert_eq!(truth(&not, votes), !expected, "not {votes:?}");
    }
}

#[test]
fn nothing_is_held_without_an_answer() {
    for yaml in [
        format!("{{ path: $.a, {RUBRIC} }}"),
        format!("{{ path: $.a, not: {{ {RUBRIC} }} }}"),
        format!("{{ path: '$.b[*]', match: any, {RUBRIC} }}"),
        format!("{{ path: '$.b[*]', match: all, {RUBRIC} }}"),
        format!("{{ path: '$.b[*]', match: none, {RUBRIC} }}"),
        format!("any_of: [{{ path: $.a, equals: z }}, {{ path: $.a, {RUBRIC} }}]"),
        format!("all_of: [{{ path: $.a, equals: x }}, {{ path: $.a, {RUBRIC} }}]"),
        "{ path: $.a, similar: { to: y, min: 0.5, method: embedding, judge: tone } }".to_owned(),
        "{ path: $.a, llm_rubric: { judge: '{{ vars.gone }}', rubric: x, min: 0.1 } }".to_owned(),
    ] {
        assert_eq!(truth(&yaml, &[None]), Truth::Undecided, "{yaml}");
        let judging = JudgeQuestions::default();
        assert_eq!(judging.into_open().len(), 0);
    }
}

#[test]
fn a_cheap_assertion_still_breaks_beside_an_undecided_judge() {
    assert_eq!(truth(&format!("{{ path: $.a, equals: z, {RUBRIC} }}"), &[None]), Truth::Broken);
    assert_eq!(truth(&format!("{{ path: $.a, equals: x, {RUBRIC} }}"), &[Some(1.0)]), Truth::Held);
}

#[test]
fn a_value_is_asked_about_once_and_nothing_is_asked_of_nothing() {
    let ask = |yaml: &str, outputs: Value| judged(yaml, &outputs, |_| vec![Some(1.0)]);
    let twice = format!("all_of: [{{ path: $.a, {RUBRIC} }}, {{ path: $.b, {RUBRIC} }}]");
    assert_eq!(ask(&twice, json!({ "a": "x", "b": "x" })).1.len(), 1);
    assert_eq!(ask(&twice, json!({ "a": "x", "b": "y" })).1.len(), 2);
    let (finding, questions) = ask(&format!("{{ path: $.c, {RUBRIC} }}"), json!({ "a": "x" }));
    assert_eq!((finding.truth, questions.len()), (Truth::Broken, 0));
    let (finding, questions) = ask(&format!("{{ path: $.c, not: {{ {RUBRIC} }} }}"), json!({ "a": "x" }));
    assert_eq!((finding.truth, questions.len()), (Truth::Broken, 0));
    let many = json!({ "b": (0..200).map(|at| at.to_string()).collect::<Vec<_>>() });
    let (finding, questions) = ask(&format!("{{ path: '$.b[*]', match: all, {RUBRIC} }}"), many);
    assert_eq!((finding.truth, questions.len()), (Truth::Undecided, MOST_QUESTIONS));
    assert!(finding.message.contains("at most 50 questions"), "{}", finding.message);
}

#[test]
fn questions_hold_what_was_rendered_and_transformed() {
    let yaml = "{ path: $.a, transform: [trim], llm_rubric: { judge: '{{ vars.tone }}', rubric: 'names {{ vars.city }}', min: 0.5 } }";
    let (finding, questions) = judged(yaml, &json!({ "a": "  Roma " }), |_| vec![Some(0.2)]);
    let ask = JudgeTask::Rubric("names Rome".to_owned());
    assert_eq!(questions, [Question { judge: "tone".to_owned(), ask, value: "Roma".to_owned() }]);
    assert_eq!(finding.message, "the judge `tone` gives 0.2 to \"Roma\", expected at least 0.5: \"so\"");
    let (_, questions) =
        judged(&format!("{{ path: $.a, {RUBRIC} }}"), &json!({ "a": { "b": [1] } }), |_| vec![None]);
    assert_eq!(questions[0].value, r#"{"b":[1]}"#);
}

#[test]
fn likeness_is_asked_of_texts_only() {
    let yaml = "{ path: $.a, ignore_case: true, similar: { to: GOOD day, min: 0.8, method: embedding, judge: tone } }";
    let (finding, questions) = judged(yaml, &json!({ "a": "Hello" }), |_| vec![Some(0.812_345_6)]);
    assert_eq!(finding.truth, Truth::Held);
    assert_eq!(
        (&questions[0].ask, questions[0].value.as_str()),
        (&JudgeTask::Likeness("good day".to_owned()), "hello")
    );
    for (outputs, expected) in [(json!({ "a": "" }), Truth::Broken), (json!({ "a": 3 }), Truth::Broken)] {
        let (finding, questions) = judged(yaml, &outputs, |_| vec![Some(1.0)]);
        assert_eq!((finding.truth, questions.len()), (expected, 0));
    }
    let (finding, _) = judged(yaml, &json!({ "a": "Hello" }), |_| vec![Some(0.799_999_9)]);
    assert_eq!(finding.message, "the judge `tone` gives 0.7999… to \"hello\", expected at least 0.8: \"so\"");
}
