//! Who is told what of the conditions that hold: of each once, again after a day if it lasts, and
//! once when it is over.
//!
//! ```text
//! not there ──seen──→ waiting ──held for its patience──→ due ──no longer seen──→ over
//!                        └──no longer seen──→ forgotten: nobody was told of it
//! ```
//!
//! A channel that was not reached is told when it is: that a condition began, or, where it is over
//! by then, that it was. Nothing here is told: `news` says what a channel has still to hear, and
//! `note` what it has heard.

use crate::domain::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// After so long a condition that lasts is told again, and one that only counts events, such as
/// lost time, is over unless another came.
const AGAIN: Duration = Duration::from_hours(24);

/// So long an alert that is over stays listed.
const KEPT: Duration = Duration::from_hours(90 * 24);

/// A condition that holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The condition: a rule of the configuration, or one that is built in.
    pub name: String,
    /// What it holds of: a function or a source; empty where it is the archive as a whole.
    pub subject: String,
    /// What is the matter, for people.
    pub text: String,
    /// So long it has to hold before it is told.
    pub patience: Duration,
    /// How much there is, of what never gets less by itself, such as lost time: it holds while that
    /// grows.
    pub amount: Option<i64>,
}

/// Where somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// A command.
    Command,
    /// An address.
    Webhook,
}

impl Channel {
    /// Its name in the archive, which is that of its key.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Webhook => "webhook",
        }
    }
}

/// What a channel was told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Where.
    pub channel: Channel,
    /// When it was told last that the condition holds.
    pub told_at: Option<Timestamp>,
    /// When it was told that it is over.
    pub ended_told_at: Option<Timestamp>,
}

/// A condition that held for a while, or still does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its number in the archive; none where it is not there yet.
    pub id: Option<i64>,
    /// As in [`Finding::name`].
    pub name: String,
    /// As in [`Finding::subject`].
    pub subject: String,
    /// What was the matter when it was last seen.
    pub text: String,
    /// When it was first seen.
    pub began_at: Timestamp,
    /// From when on it is told, if it still holds then.
    pub due_at: Timestamp,
    /// When it was last seen; of what only counts events, when the last came.
    pub seen_at: Timestamp,
    /// When it was first not seen any more.
    pub ended_at: Option<Timestamp>,
    /// As in [`Finding::amount`].
    pub amount: Option<i64>,
    /// The channels that are to hear of it.
    pub tellings: Vec<Telling>,
}

/// What a channel has still to hear of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// The condition holds.
    Began,
    /// It still does.
    Lasts,
    /// It is over.
    Ended,
}

impl News {
    /// Its name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Lasts => "lasts",
            Self::Ended => "ended",
        }
    }
}

/// Conditions of which it could not be told whether they hold: they stay as they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// These.
    These(BTreeSet<String>),
    /// All but this one.
    AllBut(&'static str),
}

impl Unanswered {
    fn contains(&self, name: &str) -> bool {
        match self {
            Self::These(names) => names.contains(name),
            Self::AllBut(answered) => name != *answered,
        }
    }
}

/// What was seen at a moment.
#[derive(Clone, Debug)]
pub struct Look<'a> {
    /// What holds.
    pub findings: Vec<Finding>,
    /// Of what that is not known.
    pub unanswered: Unanswered,
    /// Who is to hear of it.
    pub channels: &'a [Channel],
    /// When it was.
    pub now: Timestamp,
}

/// Brings what is known of alerts up to what was seen. A condition that nobody asks about any more
/// is over.
pub fn observe(known: Vec<Alert>, look: Look<'_>) -> Vec<Alert> {
    let Look { findings, unanswered, channels, now } = look;
    let key = |name: &str, subject: &str| (name.to_owned(), subject.to_owned());
    let mut seen: HashMap<(String, String), Finding> = HashMap::new();
    for finding in findings {
        seen.entry(key(&finding.name, &finding.subject)).or_insert(finding);
    }
    let mut baselines: HashMap<(String, String), i64> = HashMap::new();
    let mut alerts = Vec::with_capacity(known.len());
    for mut alert in known {
        let key = key(&alert.name, &alert.subject);
        if alert.ended_at.is_some() {
            // Where there is less than there was, what comes from now on is news again.
            if let Some((amount, finding)) = alert.amount.as_mut().zip(seen.get(&key)) {
                *amount = finding.amount.map_or(*amount, |now| now.min(*amount));
                let baseline = baselines.entry(key).or_default();
                *baseline = (*baseline).max(*amount);
            }
            alerts.push(alert);
            continue;
        }
        let finding = seen.remove(&key);
        if finding.is_none() && unanswered.contains(&alert.name) {
            alerts.push(alert);
        } else if alert.meet(finding, now) {
            alert.reach(channels);
            alerts.push(alert);
        }
    }
    let is_news = |finding: &Finding| {
        let baseline = baselines.get(&key(&finding.name, &finding.subject));
        finding.amount.is_none_or(|amount| amount > baseline.copied().unwrap_or(0))
    };
    let mut new: Vec<Finding> = seen.into_values().filter(is_news).collect();
    new.sort_by(|one, other| (&one.name, &one.subject).cmp(&(&other.name, &other.subject)));
    alerts.extend(new.into_iter().map(|finding| Alert::begin(finding, channels, now)));
    forget(alerts, now)
}

impl Alert {
    fn begin(finding: Finding, channels: &[Channel], now: Timestamp) -> Self {
        let Finding { name, subject, text, patience, amount } = finding;
        let mut alert = Self {
            id: None,
            name,
            subject,
            text,
            began_at: now,
            due_at: now + patience,
            seen_at: now,
            ended_at: None,
            amount,
            tellings: Vec::new(),
        };
        alert.reach(channels);
        alert
    }

    /// Meets what was seen of it. False where it is over before anybody was to hear of it.
    fn meet(&mut self, finding: Option<Finding>, now: Timestamp) -> bool {
        let is_event = finding.as_ref().is_some_and(|finding| finding.amount.is_some());
        if let Some(finding) = finding {
            let has_grown = finding.amount > self.amount;
            if !is_event || has_grown {
                self.seen_at = now;
                self.text = finding.text;
            }
            self.amount = finding.amount;
            if !is_event || !has_passed(self.seen_at, now) {
                return true;
            }
        }
        self.ended_at = Some(now);
        is_event || self.seen_at >= self.due_at || self.is_told()
    }

    fn is_told(&self) -> bool {
        self.tellings.iter().any(|telling| telling.told_at.is_some())
    }

    /// Whoever is there now is to hear of it.
    fn reach(&mut self, channels: &[Channel]) {
        for &channel in channels {
            if self.ended_at.is_none() && !self.tellings.iter().any(|it| it.channel == channel) {
                self.tellings.push(Telling { channel, told_at: None, ended_told_at: None });
            }
        }
    }

    /// What a channel has still to hear of it.
    pub fn news(&self, channel: Channel, now: Timestamp) -> Option<News> {
        let telling = self.tellings.iter().find(|telling| telling.channel == channel)?;
        match (self.ended_at, telling.told_at) {
            (Some(_), _) => telling.ended_told_at.is_none().then_some(News::Ended),
            (None, None) => (now >= self.due_at).then_some(News::Began),
            (None, Some(told_at)) => has_passed(told_at, now).then_some(News::Lasts),
        }
    }

    /// Notes that a channel has heard this.
    pub fn note(&mut self, channel: Channel, news: News, now: Timestamp) {
        let Some(telling) = self.tellings.iter_mut().find(|it| it.channel == channel) else {
            return;
        };
        match news {
            News::Began | News::Lasts => telling.told_at = Some(now),
            News::Ended => telling.ended_told_at = Some(now),
        }
    }

    /// When somebody heard of it last.
    pub fn last_told(&self) -> Option<Timestamp> {
        self.tellings.iter().flat_map(|it| [it.told_at, it.ended_told_at]).flatten().max()
    }
}

/// Whether a day has passed. A moment that lies as far ahead comes of a clock that was wrong, and
/// is waited for no longer.
fn has_passed(since: Timestamp, now: Timestamp) -> bool {
    now.seconds_since(since).unsigned_abs() >= AGAIN.as_secs()
}

/// Leaves out what is over for long; of what only counts events the last is kept, with how much
/// there was.
fn forget(alerts: Vec<Alert>, now: Timestamp) -> Vec<Alert> {
    let mut last: HashMap<(String, String), usize> = HashMap::new();
    for (at, alert) in alerts.iter().enumerate().filter(|(_, alert)| alert.amount.is_some()) {
        last.insert((alert.name.clone(), alert.subject.clone()), at);
    }
    let last: BTreeSet<usize> = last.into_values().collect();
    let is_kept = |at: usize, alert: &Alert| {
        alert.ended_at.is_none_or(|ended_at| now < ended_at + KEPT) || last.contains(&at)
    };
    let alerts = alerts.into_iter().enumerate();
    alerts.filter(|(at, alert)| is_kept(*at, alert)).map(|(_, alert)| alert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use News::{Began, Ended, Lasts};
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    const BOTH: [Channel; 2] = [Channel::Command, Channel::Webhook];

    fn hour(hour: i64) -> Timestamp {
        Timestamp::from_unix(1_700_000_000 + hour * 3_600)
    }

    fn finding(name: &str, patience: u64, amount: Option<i64>) -> Finding {
        Finding {
            name: name.to_owned(),
            subject: "f".to_owned(),
            text: format!("{name} holds"),
            patience: Duration::from_hours(patience),
            amount,
        }
    }

    /// A person who looks at what holds, on two channels of which each may be out of reach.
    #[derive(Default)]
    struct Listener {
        alerts: Vec<Alert>,
    }

    impl Listener {
        fn look(&mut self, now: i64, findings: Vec<Finding>, heard: &[Channel]) -> Vec<News> {
            self.look_at(now, findings, heard, Unanswered::These(BTreeSet::new()))
        }

        /// What was told on the channels that hear.
        fn look_at(
            &mut self,
            now: i64,
            findings: Vec<Finding>,
            heard: &[Channel],
            unanswered: Unanswered,
        ) -> Vec<News> {
            let look = Look { findings, unanswered, channels: &BOTH, now: hour(now) };
            self.alerts = observe(std::mem::take(&mut self.alerts), look);
            let mut told = Vec::new();
            for alert in &mut self.alerts {
                for &channel in heard {
                    if let Some(news) = alert.news(channel, hour(now)) {
                        alert.note(channel, news, hour(now));
                        told.push(news);
                    }
                }
            }
            told
        }
    }

    /// When it is looked, whether the condition holds then, and what is told.
    fn told(patience: u64, looks: &[(i64, bool, Option<News>)]) {
        let mut listener = Listener::default();
        for (now, holds, expected) in looks {
            let findings = holds.then(|| finding("gap", patience, None)).into_iter().collect();
            let told = listener.look(*now, findings, &[Channel::Command]);
            assert_eq!(told.first(), expected.as_ref(), "at hour {now} of {looks:?}");
        }
    }

    #[test]
    fn a_condition_is_told_once_after_a_day_again_and_once_when_it_is_over() {
        told(
            0,
            &[
                (0, true, Some(Began)),
                (1, true, None),
                (23, true, None),
                (24, true, Some(Lasts)),
                (47, true, None),
                (50, true, Some(Lasts)),
                (51, false, Some(Ended)),
                (52, false, None),
                (100, false, None),
                (101, true, Some(Began)),
            ],
        );
    }

    #[test]
    fn what_passes_within_its_patience_is_told_to_nobody() {
        told(2, &[(0, true, None), (1, true, None), (2, false, None), (3, true, None)]);
        told(2, &[(0, true, None), (2, true, Some(Began)), (3, false, Some(Ended))]);
        told(2, &[(0, true, None), (30, true, Some(Began)), (31, true, None)]);
        // Nobody knows whether it held for so long.
        told(2, &[(0, true, None), (30, false, None)]);
    }

    #[test]
    fn a_clock_that_was_ahead_silences_nothing_for_long() {
        told(
            0,
            &[
                (9_000, true, Some(Began)),
                (0, true, Some(Lasts)),
                (1, true, None),
                (2, false, Some(Ended)),
            ],
        );
    }

    #[test]
    fn whoever_was_not_reached_is_told_later_and_the_other_not_again() {
        let mut listener = Listener::default();
        let holds = || vec![finding("gap", 0, None)];
        assert_eq!(listener.look(0, holds(), &[Channel::Command]), [Began]);
        assert_eq!(listener.look(1, holds(), &[]), []);
        assert_eq!(listener.look(2, holds(), &BOTH), [Began]);
        assert_eq!(listener.look(3, vec![], &[Channel::Webhook]), [Ended]);
        assert_eq!(listener.look(4, vec![], &BOTH), [Ended]);
        // It began and ended while nobody was reached: that is told as well.
        assert_eq!(listener.look(5, holds(), &[]), []);
        assert_eq!(listener.look(6, vec![], &[]), []);
        assert_eq!(listener.look(7, vec![], &BOTH), [Ended, Ended]);
        assert_eq!(listener.look(8, vec![], &BOTH), []);
    }

    #[test]
    fn what_only_grows_is_over_a_day_after_it_grew_last() {
        let mut listener = Listener::default();
        let lost = |seconds| vec![finding("lost", 0, Some(seconds))];
        for (now, seconds, expected) in [
            (0, 60, Some(Began)),
            (1, 60, None),
            (20, 90, None),
            (24, 90, Some(Lasts)),
            (43, 90, None),
            (44, 90, Some(Ended)),
            (45, 90, None),
            (46, 80, None),
            (47, 90, Some(Began)),
            (71, 90, Some(Ended)),
            (3_000, 90, None),
        ] {
            let told = listener.look(now, lost(seconds), &[Channel::Command]);
            assert_eq!(told.first(), expected.as_ref(), "at hour {now}");
        }
        assert_eq!(listener.alerts.len(), 1, "the last is kept, with how much there was");
    }

    #[test]
    fn what_could_not_be_asked_stays_and_what_nobody_asks_is_over() {
        let mut listener = Listener::default();
        let command = &[Channel::Command];
        let both = vec![finding("check", 0, None), finding("mine", 0, None)];
        assert_eq!(listener.look(0, both, command), [Began, Began]);
        let failed = Unanswered::These(["check".to_owned()].into());
        assert_eq!(listener.look_at(1, vec![], command, failed), [Ended]);
        let holds = vec![finding("mine", 0, None)];
        assert_eq!(listener.look_at(2, holds, command, Unanswered::AllBut("mine")), [Began]);
        assert_eq!(listener.look_at(3, vec![], command, Unanswered::AllBut("check")), [Ended]);
    }

    #[test]
    fn a_channel_that_is_new_hears_of_what_holds_and_of_nothing_past() {
        let look = |alerts, findings, channels, now| {
            let unanswered = Unanswered::These(BTreeSet::new());
            observe(alerts, Look { findings, unanswered, channels, now: hour(now) })
        };
        let (command, webhook) = ([Channel::Command], [Channel::Webhook]);
        let alerts = look(vec![], vec![finding("a", 0, None), finding("b", 0, None)], &command, 0);
        let alerts = look(alerts, vec![finding("b", 0, None)], &webhook, 1);
        let news: Vec<_> =
            alerts.iter().map(|alert| alert.news(Channel::Webhook, hour(1))).collect();
        assert_eq!(news, [None, Some(Began)]);
    }

    /// A step: hours since the last, whether the condition holds, whether the listener hears.
    fn steps() -> impl Strategy<Value = Vec<(i64, bool, bool)>> {
        prop::collection::vec((1..30_i64, any::<bool>(), any::<bool>()), 1..40)
    }

    proptest! {
        /// Against a listener who remembers only what was heard: each spell is told once when it
        /// is heard of first, at most once a day while it lasts, and once when it is over.
        #[test]
        fn any_sequence_is_told_exactly(steps in steps()) {
            let mut listener = Listener::default();
            let (mut now, mut was_holding) = (0, false);
            // When the present spell was told last, and spells that are over and not told so.
            let (mut told_at, mut untold) = (None::<i64>, 0);
            for (hours, holds, hears) in steps {
                now += hours;
                let heard: &[Channel] = if hears { &[Channel::Command] } else { &[] };
                let findings = holds.then(|| finding("gap", 0, None)).into_iter().collect();
                let mut told = listener.look(now, findings, heard);
                if was_holding && !holds {
                    untold += 1;
                    told_at = None;
                }
                was_holding = holds;
                let mut expected = Vec::new();
                if hears {
                    expected.extend(vec![Ended; untold]);
                    untold = 0;
                    let news = match told_at {
                        _ if !holds => None,
                        None => Some(Began),
                        Some(at) if now - at >= 24 => Some(Lasts),
                        Some(_) => None,
                    };
                    told_at = news.map(|_| now).or(told_at);
                    expected.extend(news);
                }
                told.sort();
                expected.sort();
                prop_assert_eq!(told, expected);
            }
        }
    }
}
