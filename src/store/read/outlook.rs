//! What may be lost: how far back the service reaches, since when a function's records are pending, and whether the service
//! records them at all.

use crate::domain::Timestamp;
use crate::plan::reach::Measured;
use crate::store::file::StoreError;
use crate::store::write::reach::read_measured;
use crate::store::write::recording::{Recording, load_recordings};
use rusqlite::Connection;
use std::collections::HashMap;
use std::time::Duration;

/// How a function stands against the service's forgetting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// What the service said last of recording the function; none where it was never asked.
    pub recording: Option<Recording>,
    /// How far back it was seen to reach on the last day on which that was measured.
    pub reach: Measured,
    /// When that was; none where nothing but the least is known.
    pub reach_noted_at: Option<Timestamp>,
    /// The earliest moment that is neither settled nor lost; none where nothing was walked yet.
    pub pending_since: Option<Timestamp>,
}

impl Outlook {
    /// How long no run may come from now on until something that is pending falls behind the service's reach. Zero where
    /// that may have happened; none where nothing was walked yet.
    pub fn survives(&self, now: Timestamp) -> Option<Duration> {
        let pending_for = now.seconds_since(self.pending_since?);
        Some(self.reach.least().saturating_sub(Duration::from_secs(u64::try_from(pending_for).unwrap_or(0))))
    }

    /// What somebody should look after, in words.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        [self.recording_warning(), self.reach_warning(now)].into_iter().flatten().collect()
    }

    fn recording_warning(&self) -> Option<String> {
        let off = self.recording.filter(|recording| recording.enabled == Some(false))?;
        Some(format!(
            "the service records nothing of it, first seen at {}: switch on enable_async_status_log",
            off.since
        ))
    }

    /// While half of the reach is left, the next run comes early enough, or a person does who is told.
    fn reach_warning(&self, now: Timestamp) -> Option<String> {
        let (since, survives) = (self.pending_since?, self.survives(now)?);
        if survives > self.reach.least() / 2 {
            return None;
        }
        let falls = since + self.reach.least();
        Some(if survives.is_zero() {
            format!("pending since {since}, which the service may have forgotten since {falls}: run sync")
        } else {
            format!("pending since {since}, which the service may forget from {falls} on: run sync before")
        })
    }
}

/// How every function stands, by its row; what is pending is for the ledger to say.
pub(in crate::store) fn load_outlooks(connection: &Connection) -> Result<HashMap<i64, Outlook>, StoreError> {
    let mut outlooks: HashMap<i64, Outlook> = HashMap::new();
    // The other columns are those of the row that has the largest day: SQLite's rule for a bare column beside max().
    let mut select = connection
        .prepare("SELECT function_id, max(day), noted_at, reach_s, forgotten_s FROM reach GROUP BY function_id")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let outlook = outlooks.entry(row.get(0)?).or_default();
        outlook.reach_noted_at = row.get::<_, String>(2)?.parse().ok();
        outlook.reach = read_measured(row, 3)?;
    }
    for (function, recording) in load_recordings(connection)? {
        outlooks.entry(function).or_default().recording = recording;
    }
    Ok(outlooks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_unix(hour * 3_600)
    }

    fn hours(hours: u64) -> Duration {
        Duration::from_hours(hours)
    }

    fn pending(since: i64, shown: Option<u64>) -> Outlook {
        let reach = Measured { shown: shown.map(hours), forgotten: None };
        Outlook { reach, pending_since: Some(at(since)), ..Outlook::default() }
    }

    #[test]
    fn an_outage_is_survived_until_what_is_pending_falls_behind_the_reach() {
        assert_eq!(Outlook::default().survives(at(1_000)), None);
        assert_eq!(pending(1_000, None).survives(at(1_001)), Some(hours(23)), "a day is certain");
        assert_eq!(pending(1_000, Some(72)).survives(at(1_001)), Some(hours(71)));
        assert_eq!(pending(1_000, Some(72)).survives(at(1_100)), Some(Duration::ZERO));
        assert_eq!(
            pending(1_001, None).survives(at(1_000)),
            Some(hours(24)),
            "a clock that is ahead takes nothing away"
        );
    }

    #[test]
    fn what_comes_near_the_edge_is_told_before_it_falls_and_after() {
        assert_eq!(pending(1_000, Some(72)).warnings(at(1_035)), [] as [&str; 0]);
        let [before] = &pending(1_000, Some(72)).warnings(at(1_036))[..] else { panic!("one warning") };
        assert!(
            before.contains("pending since 1970-02-11T16:00:00Z")
                && before.contains("forget from 1970-02-14T16:00:00Z"),
            "{before}"
        );
        let [after] = &pending(1_000, Some(72)).warnings(at(1_072))[..] else { panic!("one warning") };
        assert!(after.contains("may have forgotten since 1970-02-14T16:00:00Z"), "{after}");
    }

    #[test]
    fn only_what_is_certainly_not_recorded_is_warned_of() {
        let said = |enabled| Outlook {
            recording: Some(Recording { enabled, since: at(5), asked_at: at(9) }),
            ..Outlook::default()
        };
        assert_eq!(said(Some(true)).warnings(at(10)), said(None).warnings(at(10)));
        assert!(said(Some(false)).warnings(at(10))[0].contains("at 1970-01-01T05:00:00Z"));
    }
}
