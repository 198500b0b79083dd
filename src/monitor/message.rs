//! What somebody is told of alerts: one message for all of which there is news, as JSON for
//! programs, and as text in it for people.

use crate::domain::Timestamp;
use crate::plan::alerts::{Alert, Channel, News};
use serde::Serialize;
use std::path::Path;

/// The form of the message: raised where a program that reads it would have to be changed.
const VERSION: u32 = 1;

/// The most alerts of a message; the others are told by the next run.
pub(crate) const MOST_ALERTS: usize = 500;

/// The most alerts that its text tells one by one.
const MOST_LINES: usize = 20;

/// So many characters of an alert are in the text, which a command finds in its environment.
const LONGEST_LINE: usize = 1_000;

/// The keys stand in the order of the alphabet.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Message {
    alerts: Vec<AlertNews>,
    archive: ArchiveName,
    at: String,
    text: String,
    version: u32,
}

#[derive(Clone, Debug, Serialize)]
struct ArchiveName {
    id: String,
    path: String,
}

#[derive(Clone, Debug, Serialize)]
struct AlertNews {
    began_at: String,
    ended_at: Option<String>,
    id: Option<i64>,
    name: String,
    news: &'static str,
    subject: String,
    text: String,
}

impl Message {
    /// What a channel has still to hear of these alerts; none where there is nothing. With it come
    /// the places of the alerts that it tells.
    pub(crate) fn of(
        alerts: &[Alert],
        channel: Channel,
        (id, path): (&str, &Path),
        now: Timestamp,
    ) -> Option<(Self, Vec<(usize, News)>)> {
        let news = |(at, alert): (usize, &Alert)| Some((at, alert.news(channel, now)?));
        let told: Vec<_> = alerts.iter().enumerate().filter_map(news).take(MOST_ALERTS).collect();
        if told.is_empty() {
            return None;
        }
        let of = |(at, news): &(usize, News)| AlertNews::of(&alerts[*at], *news);
        let alerts: Vec<AlertNews> = told.iter().map(of).collect();
        let message = Self {
            text: text(&alerts),
            alerts,
            archive: ArchiveName { id: id.to_owned(), path: path.display().to_string() },
            at: now.to_string(),
            version: VERSION,
        };
        Some((message, told))
    }

    /// Its text in JSON. It has nothing that could not be written so.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What a command finds in its environment beside it, for scripts that read no JSON.
    pub(crate) fn variables(&self) -> [(&'static str, String); 4] {
        let count = |news: News| {
            self.alerts.iter().filter(|alert| alert.news == news.as_str()).count().to_string()
        };
        [
            ("FGARCHIVE_ALERTS_BEGAN", count(News::Began)),
            ("FGARCHIVE_ALERTS_LASTING", count(News::Lasts)),
            ("FGARCHIVE_ALERTS_ENDED", count(News::Ended)),
            ("FGARCHIVE_ALERTS_TEXT", self.text.clone()),
        ]
    }
}

impl AlertNews {
    fn of(alert: &Alert, news: News) -> Self {
        Self {
            began_at: alert.began_at.to_string(),
            ended_at: alert.ended_at.map(|at| at.to_string()),
            id: alert.id,
            name: alert.name.clone(),
            news: news.as_str(),
            subject: alert.subject.clone(),
            text: alert.text.clone(),
        }
    }

    /// On one line, without what a terminal would take for more than text.
    fn line(&self) -> String {
        let Self { news, name, subject, text, began_at, .. } = self;
        let of = if subject.is_empty() { String::new() } else { format!(" of {subject}") };
        let line = match &self.ended_at {
            None => format!("{news}: {name}{of}, since {began_at}: {text}"),
            Some(ended_at) => format!("{news}: {name}{of}, from {began_at} to {ended_at}: {text}"),
        };
        line.chars().take(LONGEST_LINE).map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

fn text(alerts: &[AlertNews]) -> String {
    let mut lines: Vec<String> = alerts.iter().take(MOST_LINES).map(AlertNews::line).collect();
    if let Some(more) = alerts.len().checked_sub(MOST_LINES).filter(|&more| more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::alerts::Telling;
    use pretty_assertions::assert_eq;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn alert(name: &str, told_at: Option<&str>, ended_at: Option<&str>) -> Alert {
        let telling =
            Telling { channel: Channel::Webhook, told_at: told_at.map(at), ended_told_at: None };
        Alert {
            id: Some(7),
            name: name.to_owned(),
            subject: "billing:invoice".to_owned(),
            text: "3h of it\nis not proven".to_owned(),
            began_at: at("2026-03-01T10:00:00Z"),
            due_at: at("2026-03-01T10:00:00Z"),
            seen_at: at("2026-03-01T10:00:00Z"),
            ended_at: ended_at.map(at),
            amount: None,
            tellings: vec![telling],
        }
    }

    const NOW: &str = "2026-03-02T12:00:00Z";

    fn message(alerts: &[Alert]) -> Option<(Message, Vec<(usize, News)>)> {
        Message::of(alerts, Channel::Webhook, ("0f5a", Path::new("/a.db")), at(NOW))
    }

    #[test]
    fn a_message_has_what_is_news_and_no_more() {
        let alerts = [
            alert("told", Some("2026-03-02T11:00:00Z"), None),
            alert("gap", Some("2026-03-01T11:00:00Z"), Some("2026-03-02T11:00:00Z")),
            alert("lost", None, None),
        ];
        let (message, told) = message(&alerts).unwrap();
        assert_eq!(told, [(1, News::Ended), (2, News::Began)]);
        assert_eq!(
            message.json(),
            "{\"alerts\":[{\"began_at\":\"2026-03-01T10:00:00Z\",\
             \"ended_at\":\"2026-03-02T11:00:00Z\",\"id\":7,\"name\":\"gap\",\"news\":\"ended\",\
             \"subject\":\"billing:invoice\",\"text\":\"3h of it\\nis not proven\"},\
             {\"began_at\":\"2026-03-01T10:00:00Z\",\"ended_at\":null,\"id\":7,\"name\":\"lost\",\
             \"news\":\"began\",\"subject\":\"billing:invoice\",\
             \"text\":\"3h of it\\nis not proven\"}],\
             \"archive\":{\"id\":\"0f5a\",\"path\":\"/a.db\"},\"at\":\"2026-03-02T12:00:00Z\",\
             \"text\":\"ended: gap of billing:invoice, from 2026-03-01T10:00:00Z to \
             2026-03-02T11:00:00Z: 3h of it is not proven\\nbegan: lost of billing:invoice, since \
             2026-03-01T10:00:00Z: 3h of it is not proven\",\"version\":1}"
        );
        let counts = message.variables().map(|(_, value)| value);
        assert_eq!(counts[..3], ["1", "0", "1"]);
    }

    #[test]
    fn a_message_of_many_alerts_is_bounded() {
        assert!(message(&[]).is_none());
        let alerts = vec![alert("gap", None, None); MOST_ALERTS + 1];
        let (message, told) = message(&alerts).unwrap();
        assert_eq!(told.len(), MOST_ALERTS);
        assert_eq!(message.text.lines().count(), MOST_LINES + 1);
        assert!(message.text.ends_with("and 480 more"), "{}", message.text);
    }
}
