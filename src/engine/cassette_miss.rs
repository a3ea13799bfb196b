//! Why a cassette does not answer a request, and what to do about it.

use crate::base::plural::plural;
use crate::dify::cassette::Miss;
use crate::plan::case::Case;
use crate::record::attempt::Cause;

/// The cassette holds no exchange for the request: names the nearest one and the differences.
pub fn no_exchange(miss: &Miss, cassette: &str, test: &str, repeat: u32) -> Cause {
    let message = match miss {
        Miss::Empty => format!("the cassette {cassette} holds no exchange"),
        Miss::Repeats { recorded } => format!(
            "repeat {} is not in the cassette {cassette}, which holds this request {recorded} {}",
            u64::from(repeat) + 1,
            plural(*recorded, "time", "times")
        ),
        Miss::Nearest { test: nearest, differs } => {
            let owner =
                if nearest == test { "this test's own".to_owned() } else { format!("that of {nearest}") };
            format!(
                "the request is not in the cassette {cassette}; the nearest there is {owner}, and differs: {}",
                differs.join("; ")
            )
        }
    };
    cause(message, "`flowproof record new_episodes` adds it, with --target naming a live target")
}

/// The recorded answer contains a masked secret: an assertion could hold only because of the mask.
pub fn masked_answer(cassette: &str) -> Cause {
    let message = format!(
        "the answer recorded in {cassette} held a secret, which was masked there: it cannot be judged"
    );
    cause(message, "run the test live, or keep the secret out of the answer and record it again")
}

/// The suite has no cassette.
pub fn no_cassette(case: &Case) -> Cause {
    let file = case.test.suite.cassette.file_name().unwrap_or_default().to_string_lossy();
    let message = format!("nothing is recorded: there is no cassettes/{file} beside the suite");
    cause(message, "`flowproof record once` makes it, with --target naming a live target")
}

fn cause(message: String, hint: &str) -> Cause {
    Cause { message, hint: Some(hint.to_owned()), class: None, stops_suite: false }
}
