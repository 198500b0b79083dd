//! Keys of the agency that a cloud server acts for, as the server's metadata gives them to whoever
//! asks on it.
//!
//! Paths, headers and form are those of the vendor's SDKs (Python: `auth/internal.py`, Go:
//! `metadata_accessor.go`).

use super::Endpoint;
use super::exchange::Exchange;
use super::failure::{CallFailure, Cause, Meaning};
use super::request::{Call, SESSION_OF_METADATA};
use super::wire::{self, AgencyKeys};
use crate::domain::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Where a session for the metadata begins, and how long it may last.
const SESSION_PATH: &str = "/meta-data/latest/api/token";
const SESSION_LENGTH: (&str, &str) = ("x-metadata-token-ttl-seconds", "21600");

/// Where the keys are.
const KEYS_PATH: &str = "/openstack/latest/securitykey";

/// The answers of a metadata service that knows no sessions: it is asked without one.
const WITHOUT_SESSIONS: [u16; 3] = [404, 405, 503];

/// Keys that last for fewer seconds are asked for anew, as in the vendor's SDKs.
const LEAST_LEFT: i64 = 40 * 60;

/// So many seconds pass between two questions while there are keys that have not expired.
const PAUSE: i64 = 60;

/// The keys of an agency: fetched when they are first needed and before they expire, by one caller
/// for all.
#[derive(Debug, Default)]
pub(super) struct Agency(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    keys: Option<Arc<Keys>>,
    asked_at: Option<Timestamp>,
}

/// A pair of keys with the token that makes them good for a while.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) access_key: String,
    pub(super) secret_key: SecretString,
    pub(super) security_token: SecretString,
    expires_at: Timestamp,
}

impl Agency {
    /// Keys that have not expired.
    pub(super) async fn get(
        &self,
        exchange: &Exchange,
        metadata: &Endpoint,
    ) -> Result<Arc<Keys>, CallFailure> {
        let mut held = self.0.lock().await;
        let now = exchange.now();
        let valid = held.keys.clone().filter(|keys| keys.expires_at > now);
        if let Some(keys) = valid.as_ref().filter(|keys| held.suffice(keys, now)) {
            return Ok(Arc::clone(keys));
        }
        held.asked_at = Some(now);
        match Box::pin(fetch(exchange, metadata)).await {
            Ok(keys) => Ok(Arc::clone(held.keys.insert(Arc::new(keys)))),
            // Nobody has to hear of it as long as the ones at hand are good.
            Err(failure) => valid.ok_or(failure),
        }
    }
}

impl Held {
    /// Whether keys that have not expired are used without asking for others.
    fn suffice(&self, keys: &Keys, now: Timestamp) -> bool {
        let is_just_asked =
            self.asked_at.is_some_and(|at| (0..PAUSE).contains(&now.seconds_since(at)));
        keys.expires_at.seconds_since(now) > LEAST_LEFT || is_just_asked
    }
}

async fn fetch(exchange: &Exchange, metadata: &Endpoint) -> Result<Keys, CallFailure> {
    let operation = "read the keys of this server's agency";
    let session = begin_session(exchange, metadata, operation).await?;
    let headers = session.iter().map(|session| (SESSION_OF_METADATA, session.expose_secret()));
    let call = Call::get(operation, metadata, KEYS_PATH, &[]).of_metadata();
    let answer = exchange.ask_metadata(call, headers).await.map_err(without_agency)?;
    // What cannot be read may hold a key that nobody knows yet: no word of it is shown.
    let unreadable =
        || answer.failure(operation, Meaning::BrokenAnswer).because("the answer holds no keys");
    let read = wire::decode_agency_keys(&answer.body).ok_or_else(unreadable)?;
    let AgencyKeys { access, secret, securitytoken, expires_at } = read;
    let keys = Keys {
        access_key: access,
        secret_key: secret.into(),
        security_token: securitytoken.into(),
        expires_at: expires_at.parse().map_err(|_| unreadable())?,
    };
    exchange.secrets.learn(&keys.secret_key);
    exchange.secrets.learn(&keys.security_token);
    Ok(keys)
}

/// What shows the session, where the metadata service knows such.
async fn begin_session(
    exchange: &Exchange,
    metadata: &Endpoint,
    operation: &str,
) -> Result<Option<SecretString>, CallFailure> {
    let call = Call::put(operation, metadata, SESSION_PATH).of_metadata();
    match exchange.ask_metadata(call, [SESSION_LENGTH].into_iter()).await {
        Ok(answer) => {
            let text = String::from_utf8_lossy(&answer.body);
            let session = Some(text.trim()).filter(|text| !text.is_empty());
            let session = session.map(SecretString::from);
            if let Some(session) = &session {
                exchange.secrets.learn(session);
            }
            Ok(session)
        }
        Err(CallFailure { status: Some(status), .. }) if WITHOUT_SESSIONS.contains(&status) => {
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// A refusal is about how the server is set up: no keys are shown with these requests.
fn without_agency(failure: CallFailure) -> CallFailure {
    if failure.status.is_none() || failure.is_temporary() {
        return failure;
    }
    let cause = Cause("no agency is given to this server".into());
    CallFailure { meaning: Meaning::Misconfigured, cause: Some(cause), ..failure }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn keys_are_asked_for_again_in_time_and_not_too_often() {
        let at = Timestamp::from_unix;
        let keys = |expires_at| Keys {
            access_key: "AK".to_owned(),
            secret_key: "s".into(),
            security_token: "t".into(),
            expires_at: at(expires_at),
        };
        let suffice = |left: i64, asked_before: Option<i64>| {
            let now = 1_000_000;
            let asked_at = asked_before.map(|seconds| at(now - seconds));
            Held { keys: None, asked_at }.suffice(&keys(now + left), at(now))
        };
        assert_eq!(
            [LEAST_LEFT + 1, LEAST_LEFT, 1].map(|left| suffice(left, None)),
            [true, false, false]
        );
        // A clock that was set back since tells nothing.
        assert_eq!(
            [0, PAUSE - 1, PAUSE, -1].map(|before| suffice(1, Some(before))),
            [true, true, false, false]
        );
    }
}
