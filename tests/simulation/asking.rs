//! How `sync` asks: at its pace, never again with what was refused, and for each open record on its
//! schedule.

use crate::schedule::Planned;
use crate::service::{Answered, Asked, Call, MOST_REQUESTS};
use fgarchive::api::Meaning;
use fgarchive::sync::Settings;
use std::collections::{HashMap, HashSet};

/// Waits shorter than this are not waited; in milliseconds.
const FINEST_WAIT: i64 = 3;

/// The shortest wait of the schedule of open records, in seconds.
const FIRST_WAIT: i64 = 60;

pub(crate) type Broken = (&'static str, String);

/// What is known of look-ups over the runs of a schedule.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    /// When an id was first asked for by itself, and in which run and when that was last answered
    /// by nothing.
    looked_up: HashMap<String, (i64, Option<(usize, i64)>)>,
}

impl Asking {
    /// Checks the calls of one run.
    pub(crate) fn check(
        &mut self,
        calls: &[Call],
        settings: &Settings,
        planned: &Planned,
        committed: bool,
    ) -> Vec<Broken> {
        let mut broken = Vec::new();
        if calls.len() > MOST_REQUESTS {
            broken.push(("a run ends", calls[MOST_REQUESTS].to_string()));
        }
        broken.extend(pace(calls, settings));
        broken.extend(bounds(calls, planned));
        broken.extend(refused(calls));
        broken.extend(waits(calls, settings));
        broken.extend(self.look_ups(calls, settings, planned, committed));
        broken
    }

    fn look_ups(
        &mut self,
        calls: &[Call],
        settings: &Settings,
        planned: &Planned,
        committed: bool,
    ) -> Option<Broken> {
        let mut broken = None;
        let mut walking = HashSet::new();
        let longest = i64::try_from(settings.open_recheck.as_secs()).unwrap_or(i64::MAX);
        for call in calls {
            if let Asked::List { function, .. } = call.asked {
                walking.insert(function);
            }
            let Asked::Find { function, id, .. } = &call.asked else { continue };
            let Answered::Records { shown, served_at } = call.answer else { continue };
            // Before the first walk a known record is asked for to see how far back the service
            // reaches.
            if !walking.contains(function) {
                continue;
            }
            let (first, unseen) =
                *self.looked_up.entry(id.to_string()).or_insert((served_at, None));
            // A clock that is ahead finds a record due that much earlier.
            let wait =
                |since: i64| (since - first).max(FIRST_WAIT).min(longest) - planned.skew.abs();
            if planned.is_about_on_time()
                && unseen.is_some_and(|(run, unseen)| {
                    run != call.run && served_at < unseen + wait(unseen) - 2
                })
            {
                broken = Some((
                    "a record that is not shown is asked for less and less often",
                    call.to_string(),
                ));
            }
            // Where a clock is wrong, nobody knows how long ago that was.
            let is_told = shown == 0 && committed && planned.is_about_on_time();
            self.looked_up
                .insert(id.to_string(), (first, is_told.then_some((call.run, served_at))));
        }
        broken
    }
}

/// No second holds more requests than the rate allows.
fn pace(calls: &[Call], settings: &Settings) -> Option<Broken> {
    let mut sent: Vec<i64> =
        calls.iter().filter(|call| call.asked != Asked::Renew).map(|call| call.sent).collect();
    sent.sort_unstable();
    let most = settings.max_rps.ceil() as usize + 1;
    let crowded = sent.windows(most + 1).find(|some| some[most] - some[0] < 1000 - FINEST_WAIT)?;
    Some((
        "requests keep their pace",
        format!("{} requests from {} to {}", most + 1, crowded[0], crowded[most]),
    ))
}

/// Where the clock is right, no window reaches beyond the present.
fn bounds(calls: &[Call], planned: &Planned) -> Option<Broken> {
    let beyond = calls.iter().find(|call| match call.asked {
        Asked::List { end, .. } | Asked::Find { end, .. } => end * 1000 > call.sent + 999,
        Asked::Recording { .. } | Asked::Functions | Asked::Renew => false,
    });
    beyond
        .filter(|_| planned.is_on_time())
        .map(|call| ("no window ends in the future", call.to_string()))
}

/// A form of a URN that is not known costs one request a function, while the function is there.
/// Where an id may be what is not known, a look-up tells nothing of that.
pub(crate) fn forms(
    calls: &[Call],
    unknown_ids: bool,
    is_absent: impl Fn(usize, i64) -> bool,
) -> Option<Broken> {
    let mut unknown = HashSet::new();
    let again = calls.iter().find(|call| match (&call.asked, call.answer) {
        (Asked::Find { .. }, _) if unknown_ids => false,
        (
            Asked::List { function, .. }
            | Asked::Find { function, .. }
            | Asked::Recording { function },
            Answered::Failed(Meaning::NotFound),
        ) => !is_absent(*function, call.answered / 1000) && !unknown.insert(function),
        // What passes tells nothing of the other form, which is then tried again.
        (
            Asked::List { function, .. } | Asked::Find { function, .. },
            Answered::Failed(meaning),
        ) => {
            if meaning != Meaning::Refused {
                unknown.remove(function);
            }
            false
        }
        _ => false,
    });
    again.map(|call| ("an unknown form of a URN is asked once", call.to_string()))
}

/// Nothing is sent once access was refused, and nothing with a token that was.
fn refused(calls: &[Call]) -> Option<Broken> {
    let denials = calls.iter().filter(|call| call.answer == Answered::Failed(Meaning::Denied));
    if let Some(denied_at) = denials.map(|call| call.answered).min()
        && let Some(after) = calls.iter().find(|call| call.sent > denied_at)
    {
        return Some(("nothing is asked once access is refused", after.to_string()));
    }
    for expired in
        calls.iter().filter(|call| call.answer == Answered::Failed(Meaning::TokenExpired))
    {
        let again = |call: &&Call| {
            call.asked != Asked::Renew
                && call.token == expired.token
                && call.sent > expired.answered
        };
        if let Some(again) = calls.iter().find(again) {
            return Some(("no request repeats a refused token", again.to_string()));
        }
    }
    None
}

/// What the service asked to wait is waited.
fn waits(calls: &[Call], _settings: &Settings) -> Option<Broken> {
    for call in calls {
        let Answered::Failed(
            Meaning::Throttled { retry_after: Some(wait) }
            | Meaning::Unavailable { retry_after: Some(wait) },
        ) = call.answer
        else {
            continue;
        };
        let until = call.answered + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let early = |other: &&Call| {
            other.asked != Asked::Renew
                && other.sent > call.answered
                && other.sent < until - FINEST_WAIT
        };
        if let Some(early) = calls.iter().find(early) {
            return Some(("Retry-After is waited for", format!("{early} after {call}")));
        }
    }
    None
}
