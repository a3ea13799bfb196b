//! `Retry-After`: seconds, or one of the three date forms of HTTP (RFC 9110, sections 5.6.7 and 10.2.3).

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The three forms of a date, the one that is sent today first.
const FORMS: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// How long to wait; `None` where it cannot be read. A time in the past is no wait.
///
/// A date is by the server's clock, so it is compared with the answer's own `Date` where there is one.
pub fn decode_retry_after(value: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let then = read_date(value)?;
    let now = date.and_then(read_date).unwrap_or(now);
    Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
}

fn read_date(text: &str) -> Option<Timestamp> {
    let time = FORMS.iter().find_map(|form| DateTime::strptime(form, text.trim()).ok())?;
    TimeZone::UTC.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(value: &str, date: Option<&str>) -> Option<u64> {
        let now = Timestamp::from_second(784_111_777).unwrap();
        decode_retry_after(value, date, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_every_form_of_a_date_are_read() {
        assert_eq!(wait(" 120 ", None), Some(120));
        assert_eq!(wait("99999999999999999999999", None), Some(u64::MAX));
        for date in
            ["Sun, 06 Nov 1994 08:50:37 GMT", "Sunday, 06-Nov-94 08:50:37 GMT", "Sun Nov  6 08:50:37 1994"]
        {
            assert_eq!(wait(date, None), Some(60), "{date}");
        }
    }

    #[test]
    fn a_date_is_held_against_the_clock_of_the_server() {
        let then = "Sun, 06 Nov 1994 08:50:37 GMT";
        assert_eq!(wait(then, Some("Sun, 06 Nov 1994 08:50:30 GMT")), Some(7));
        assert_eq!(wait(then, Some("yesterday")), Some(60));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT", None), Some(0), "it has passed");
    }

    #[test]
    fn what_cannot_be_read_is_no_wait_at_all() {
        for value in ["", "soon", "-1", "1.5", "Mon, 99 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994"] {
            assert_eq!(wait(value, None), None, "{value:?}");
        }
    }
}
