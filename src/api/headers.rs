//! What the headers of an answer say of time.

use crate::domain::Timestamp;
use chrono::{DateTime, NaiveDateTime};
use std::time::Duration;

/// The most headers of an answer: some gateways add a hundred. What they hold is bounded by
/// `hyper`.
pub(super) const MAX_HEADERS: usize = 1_000;

/// A moment as HTTP writes it, such as `Sun, 06 Nov 1994 08:49:37 GMT`, or in one of the two forms
/// of old servers, which a recipient has to read as well (RFC 9110, 5.6.7).
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc2822(text) {
        return Some(Timestamp::from_unix(moment.timestamp()));
    }
    let old = ["%a %b %e %H:%M:%S %Y", "%A, %d-%b-%y %H:%M:%S GMT"];
    let moment = old.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    Some(Timestamp::from_unix(moment.and_utc().timestamp()))
}

/// No wait that was asked for is taken for longer than a day: no run waits so long, and times that
/// are added up must not overflow.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// How long `Retry-After` asks to wait: seconds, or until a moment of the service's clock (RFC
/// 9110, 10.2.3).
pub(super) fn retry_after(text: &str, served_at: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 holds ask for ever.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)).min(LONGEST_WAIT));
    }
    let seconds = http_date(text)?.seconds_since(served_at);
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_date_comes_in_three_forms() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            " Sun Nov 06 08:49:37 1994 ",
        ] {
            let moment = http_date(text).map(|moment| moment.to_string());
            assert_eq!(moment.as_deref(), Some("1994-11-06T08:49:37Z"), "{text}");
        }
        for none in ["", "now", "Sun Nov 31 08:49:37 1994", "1994-11-06T08:49:37Z"] {
            assert_eq!(http_date(none), None, "{none}");
        }
    }

    #[test]
    fn retry_after_comes_in_two_forms() {
        let served_at = http_date("Fri, 01 Mar 2024 12:00:00 GMT").unwrap();
        assert_eq!(served_at.to_string(), "2024-03-01T12:00:00Z");
        let read = |text| retry_after(text, served_at).map(|wait| wait.as_secs());
        assert_eq!(read("120"), Some(120));
        assert_eq!(read(" 0 "), Some(0));
        for endless in
            ["99999999999999999999999", "18446744073709551615", "Fri, 31 Dec 9999 23:59:59 GMT"]
        {
            assert_eq!(read(endless), Some(86_400), "{endless}");
        }
        assert_eq!(read("Fri, 01 Mar 2024 12:02:00 GMT"), Some(120));
        assert_eq!(read("Fri, 01 Mar 2024 11:00:00 GMT"), Some(0));
        for nothing in ["", "soon", "-5", "1.5", "Fri, 99 Mar 2024 12:02:00 GMT"] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = retry_after(&text, Timestamp::MAX);
        }

        /// A moment may be a number of any size.
        #[test]
        fn no_wait_is_longer_than_a_day(text in "[0-9]{1,40}", year in 1u32..10_000) {
            let date = format!("Fri, 01 Mar {year:04} 12:00:00 GMT");
            for text in [text, date] {
                for served_at in [Timestamp::MIN, Timestamp::MAX] {
                    prop_assert!(
                        retry_after(&text, served_at).is_none_or(|wait| wait <= LONGEST_WAIT)
                    );
                }
            }
        }
    }
}
