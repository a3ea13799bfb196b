//! Why a request is not answered from a cassette, and what to do about it.

use crate::dify::cassette::Miss;
use crate::plan::case::Case;
use crate::record::attempt::Cause;

/// No exchange answers the request: the nearest, and what differs.
pub fn missing(miss: &Miss, cassette: &str, test: &str, repeat: u32) -> Cause {
    let what = match miss {
        Miss::Empty => format!("the cassette {cassette} holds no exchange"),
        Miss::Repeats { recorded } => format!(
            "repeat {} is not in the cassette {cassette}, which holds this request {recorded} times",
            u64::from(repeat) + 1
        ),
        Miss::Nearest { test: nearest, differs } => {
            let whose =
                if nearest == test { "this test's own".to_owned() } else { format!("that of {nearest}") };
            format!(
                "the request is not in the cassette {cassette}; the nearest there is {whose}, and differs: {}",
                differs.join("; ")
            )
        }
    };
    cause(what, "`flowproof record new_episodes` adds it, with --target naming a live target")
}

/// What is asserted of an answer with a masked secret could hold only because of the mask.
pub fn hidden(cassette: &str) -> Cause {
    let what = format!(
        "the answer recorded in {cassette} held a secret, which was masked there: it cannot be judged"
    );
    cause(what, "test it live; or let the workflow not tell the secret, and record it again")
}

/// The suite has no cassette.
pub fn no_cassette(case: &Case) -> Cause {
    let file = case.test.suite.cassette.file_name().unwrap_or_default().to_string_lossy();
    let what = format!("nothing is recorded: there is no cassettes/{file} beside the suite");
    cause(what, "`flowproof record once` makes it, with --target naming a live target")
}

fn cause(message: String, hint: &str) -> Cause {
    Cause { message, hint: Some(hint.to_owned()), class: None, stops_suite: false }
}
