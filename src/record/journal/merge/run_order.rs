//! The order of runs that are joined: that in which they began.

/// What puts runs in the order in which they began.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunStartOrder {
    /// When it began: digits of a time of RFC 3339.
    pub begun: String,
    /// Its id.
    pub run: String,
}

/// What puts runs in the order in which they began: their time, which their id bears too, and then the id.
///
/// The ids of one folder follow each other also when the clock was set back, so the later of the two times counts.
pub(crate) fn order(run: &str, started: &str) -> RunStartOrder {
    let started = plain(started);
    let second = run.split_once("Z-").map_or("", |(second, _)| second);
    let is_time = second.len() == 15 && second.bytes().all(|byte| byte.is_ascii_digit() || byte == b'T');
    let begun =
        if is_time && second > started.get(..15).unwrap_or_default() { second.to_owned() } else { started };
    RunStartOrder { begun, run: run.to_owned() }
}

/// A time of RFC 3339 without its separators, as ids of runs begin.
pub(super) fn plain(time: &str) -> String {
    time.replace(['-', ':'], "")
}
