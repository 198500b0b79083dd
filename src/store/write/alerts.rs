//! What is known of alerts, and who was told of them.

use crate::plan::alerts::{Alert, Channel, Telling};
use crate::store::file::{Archive, Reader, StoreError};
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};
use std::collections::HashMap;

/// What an archive knows of alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownAlerts {
    /// Which archive it is, under whatever name.
    pub archive_id: String,
    /// The number of its last run; 0 before the first.
    pub last_run: i64,
    /// The alerts, the oldest first.
    pub alerts: Vec<Alert>,
}

impl Archive {
    /// What it knows of alerts.
    pub fn known_alerts(&self) -> Result<KnownAlerts, StoreError> {
        load_known(self.connection())
    }

    /// Keeps these alerts in place of those that were known, and gives numbers to new ones. Nothing
    /// is written where nothing has changed.
    pub fn save_alerts(&mut self, alerts: &mut [Alert]) -> Result<(), StoreError> {
        let known = load_alerts(self.connection())?;
        if known == alerts {
            return Ok(());
        }
        let ids = self.transact(|transaction| {
            for gone in known.iter().filter(|it| alerts.iter().all(|kept| kept.id != it.id)) {
                delete(transaction, gone.id)?;
            }
            let changed = |alert: &&Alert| alert.id.is_none() || !known.contains(alert);
            let mut ids = HashMap::new();
            for (at, alert) in alerts.iter().enumerate().filter(|(_, alert)| changed(alert)) {
                ids.insert(at, save_alert(transaction, alert)?);
            }
            Ok(ids)
        })?;
        // Not before it is committed: a number of a transaction that failed is nobody's.
        for (at, id) in ids {
            alerts[at].id = Some(id);
        }
        Ok(())
    }
}

impl Reader {
    /// What the archive knows of alerts.
    pub fn known_alerts(&self) -> Result<KnownAlerts, StoreError> {
        load_known(&self.connection)
    }
}

fn load_known(connection: &Connection) -> Result<KnownAlerts, StoreError> {
    let id = connection.query_row("SELECT id FROM archive", [], |row| row.get(0)).optional()?;
    let last_run = "SELECT coalesce(max(id), 0) FROM runs";
    Ok(KnownAlerts {
        archive_id: id.unwrap_or_default(),
        last_run: connection.query_row(last_run, [], |row| row.get(0))?,
        alerts: load_alerts(connection)?,
    })
}

fn load_alerts(connection: &Connection) -> Result<Vec<Alert>, StoreError> {
    let mut tellings = load_tellings(connection)?;
    let mut select = connection.prepare(
        "SELECT id, name, subject, text, began_at, due_at, seen_at, ended_at, amount
           FROM alerts ORDER BY id",
    )?;
    let alerts = select.query_map([], |row| {
        let id: i64 = row.get(0)?;
        Ok(Alert {
            id: Some(id),
            name: row.get(1)?,
            subject: row.get(2)?,
            text: row.get(3)?,
            began_at: row.get(4)?,
            due_at: row.get(5)?,
            seen_at: row.get(6)?,
            ended_at: row.get(7)?,
            amount: row.get(8)?,
            tellings: tellings.remove(&id).unwrap_or_default(),
        })
    })?;
    Ok(alerts.collect::<Result<_, _>>()?)
}

fn load_tellings(connection: &Connection) -> Result<HashMap<i64, Vec<Telling>>, StoreError> {
    let mut select = connection.prepare(
        "SELECT alert_id, channel, told_at, ended_told_at
           FROM alert_tellings ORDER BY alert_id, channel",
    )?;
    let mut rows = select.query([])?;
    let mut tellings: HashMap<i64, Vec<Telling>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(1)?;
        let known = [Channel::Command, Channel::Webhook].into_iter();
        // The schema knows no other.
        let Some(channel) = known.into_iter().find(|known| known.as_str() == name) else {
            continue;
        };
        let telling = Telling { channel, told_at: row.get(2)?, ended_told_at: row.get(3)? };
        tellings.entry(row.get(0)?).or_default().push(telling);
    }
    Ok(tellings)
}

fn delete(transaction: &Transaction<'_>, id: Option<i64>) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM alert_tellings WHERE alert_id = ?1", [id])?;
    transaction.execute("DELETE FROM alerts WHERE id = ?1", [id])?;
    Ok(())
}

/// Its number.
fn save_alert(transaction: &Transaction<'_>, alert: &Alert) -> Result<i64, StoreError> {
    let mut save = transaction.prepare_cached(
        "INSERT INTO alerts (id, name, subject, text, began_at, due_at, seen_at, ended_at, amount)
         VALUES (:id, :name, :subject, :text, :began_at, :due_at, :seen_at, :ended_at, :amount)
             ON CONFLICT (id) DO UPDATE
            SET text = :text, due_at = :due_at, seen_at = :seen_at, ended_at = :ended_at,
                amount = :amount
         RETURNING id",
    )?;
    let id: i64 = save.query_row(
        named_params! {
            ":id": alert.id,
            ":name": alert.name,
            ":subject": alert.subject,
            ":text": alert.text,
            ":began_at": alert.began_at,
            ":due_at": alert.due_at,
            ":seen_at": alert.seen_at,
            ":ended_at": alert.ended_at,
            ":amount": alert.amount,
        },
        |row| row.get(0),
    )?;
    let mut save = transaction.prepare_cached(
        "INSERT OR REPLACE INTO alert_tellings (alert_id, channel, told_at, ended_told_at)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    for Telling { channel, told_at, ended_told_at } in &alert.tellings {
        save.execute((id, channel.as_str(), told_at, ended_told_at))?;
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::plan::alerts::{Finding, Look, Unanswered, observe};
    use pretty_assertions::assert_eq;
    use std::collections::BTreeSet;
    use std::time::Duration;

    fn look(archive: &mut Archive, findings: &[(&str, Option<i64>)], now: &str) -> Vec<Alert> {
        let finding = |(name, amount): &(&str, Option<i64>)| Finding {
            name: (*name).to_owned(),
            subject: "f".to_owned(),
            text: format!("{name} at {now}"),
            patience: Duration::from_hours(1),
            amount: *amount,
        };
        let channels = &[Channel::Command, Channel::Webhook];
        let look = Look {
            findings: findings.iter().map(finding).collect(),
            unanswered: Unanswered::These(BTreeSet::new()),
            channels,
            now: now.parse().unwrap(),
        };
        let mut alerts = observe(archive.known_alerts().unwrap().alerts, look);
        archive.save_alerts(&mut alerts).unwrap();
        alerts
    }

    #[test]
    fn alerts_are_read_back_as_they_were_kept_and_keep_their_numbers() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("archive.db");
        let open = || Archive::open(&path).unwrap();
        let mut archive = open();
        let both = [("gap", None), ("lost", Some(60))];
        let mut first = look(&mut archive, &both, "2026-03-01T10:00:00Z");
        let now: Timestamp = "2026-03-01T11:30:00Z".parse().unwrap();
        let news = first[1].news(Channel::Webhook, now).unwrap();
        first[1].note(Channel::Webhook, news, now);
        archive.save_alerts(&mut first).unwrap();
        drop(archive);

        let archive = open();
        let known = archive.known_alerts().unwrap();
        assert_eq!((&known.alerts, known.last_run), (&first, 0));
        assert_eq!(known.archive_id.len(), 32);
        drop(archive);
        assert_eq!(Reader::open(&path).unwrap().known_alerts().unwrap(), known);
        let mut archive = open();
        assert_eq!(first.iter().map(|alert| alert.id).collect::<Vec<_>>(), [Some(1), Some(2)]);

        // One is over before it was told, and its number is never used again.
        let second = look(&mut archive, &[("lost", Some(60))], "2026-03-01T10:30:00Z");
        assert_eq!(second.iter().map(|alert| alert.id).collect::<Vec<_>>(), [Some(2)]);
        let third = look(&mut archive, &both, "2026-03-01T12:00:00Z");
        assert_eq!(third.iter().map(|alert| alert.id).collect::<Vec<_>>(), [Some(2), Some(3)]);
        assert_eq!(archive.known_alerts().unwrap().alerts, third);
    }

    #[test]
    fn nothing_is_written_where_nothing_has_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("archive.db");
        let mut archive = Archive::open(&path).unwrap();
        let mut alerts = look(&mut archive, &[("lost", Some(60))], "2026-03-01T10:00:00Z");
        let log = || std::fs::metadata(path.with_extension("db-wal")).unwrap().len();
        let before = log();
        archive.save_alerts(&mut alerts).unwrap();
        assert_eq!(log(), before);
    }
}
