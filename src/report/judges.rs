//! Judges in reports: their questions and their usage, apart from that of the runs.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::base::plural::counted;
use crate::record::attempt::JudgesSpent;
use crate::report::text::{ReportText, one_line};

/// The sums over all questions, as a document has them.
#[derive(Serialize)]
pub(super) struct JudgeCounts<'a> {
    questions: u64,
    troubled: u64,
    requests: u64,
    tokens: u64,
    tokens_unknown: u64,
    cost: BTreeMap<&'a str, String>,
}

impl<'a> JudgeCounts<'a> {
    /// `None` where nothing was asked.
    pub(super) fn of(spent: &'a JudgesSpent) -> Option<Self> {
        (spent.questions > 0).then(|| Self {
            questions: spent.questions,
            troubled: spent.troubled,
            requests: spent.requests,
            tokens: spent.tokens,
            tokens_unknown: spent.tokens_unknown,
            cost: prices(&spent.cost),
        })
    }
}

/// Prices as text, by currency.
pub(crate) fn prices(sums: &BTreeMap<String, Decimal>) -> BTreeMap<&str, String> {
    sums.iter().map(|(currency, amount)| (currency.as_str(), amount.to_string())).collect()
}

/// Writes in one line the questions and the usage of judges, which no other sum contains.
pub(super) fn push_judges(text: &mut ReportText, spent: &JudgesSpent) {
    if spent.questions > 0 {
        text.push("judges: ").push(&one_line(&judges_line(spent), 300)).end();
    }
}

/// `3 questions in 5 requests · 1,234 tokens · 0.01 USD · 1 question without an answer`.
pub(crate) fn judges_line(spent: &JudgesSpent) -> String {
    let mut line =
        format!("{} in {}", counted(spent.questions, "question"), counted(spent.requests, "request"));
    match (spent.tokens, spent.tokens_unknown) {
        (0, 0) => {}
        (0, _) => line.push_str(" · tokens unknown"),
        (tokens, 0) => line.push_str(&format!(" · {}", counted(tokens, "token"))),
        (tokens, _) => line.push_str(&format!(" · {} or more", counted(tokens, "token"))),
    }
    for (currency, amount) in &spent.cost {
        line.push_str(&format!(" · {} {currency}", amount.normalize()));
    }
    if spent.troubled > 0 {
        line.push_str(&format!(" · {} without an answer", counted(spent.troubled, "question")));
    }
    line
}
