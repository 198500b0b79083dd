//! Somebody who is told of runs: an address that takes a text. Nothing secret is sent there, but
//! the address may be one that only its owner should know: messages name its host alone.

use super::failure::Cause;
use super::http::{Timeouts, Transport};
use super::{Endpoint, Proxies, trouble};
use crate::domain::Timestamp;
use reqwest::header::CONTENT_TYPE;
use std::fmt;
use std::time::Duration;

/// How long telling may take. Whoever listens answers at once, and a run waits for it.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    read: Duration::from_secs(10),
    total: Duration::from_secs(10),
};

const TEXT: &str = "text/plain; charset=utf-8";

/// What a way to a listener is made from.
#[derive(Clone)]
pub struct ListenerSettings {
    /// Its address.
    pub address: Endpoint,
    /// Certificates in PEM, trusted in place of the system's.
    pub authorities: Option<Vec<u8>>,
    /// Through which proxies to reach it.
    pub proxies: Proxies,
    /// How we introduce ourselves.
    pub user_agent: String,
}

/// A way to a listener.
pub struct Listener {
    address: Endpoint,
    http: reqwest::Client,
}

/// Why a listener was not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Deaf {
    /// It was not reached, or its server failed: it may be told a little later.
    #[error("{0}")]
    ForNow(String),
    /// It does not take what it was told.
    #[error("it answers with HTTP {0}")]
    Refused(u16),
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("host", &self.address.host()).finish_non_exhaustive()
    }
}

impl Listener {
    /// Makes a way to a listener; nothing is told yet.
    pub fn new(settings: ListenerSettings) -> Result<Self, Cause> {
        let ListenerSettings { address, authorities, proxies, user_agent } = settings;
        let transport =
            Transport { timeouts: TIMEOUTS, ca_cert: None, authorities, user_agent, proxies };
        let http = transport.client(&address)?;
        Ok(Self { address, http })
    }

    /// Its host, for messages.
    pub fn host(&self) -> String {
        self.address.host()
    }

    /// Tells it a text at a path below its address, once. `now` is our clock.
    pub async fn tell(
        &self,
        (path, query): (&str, &str),
        text: String,
        now: Timestamp,
    ) -> Result<(), Deaf> {
        let url = self.address.url(path, query);
        let answered = self.http.post(url).header(CONTENT_TYPE, TEXT).body(text).send().await;
        let status = match answered {
            Ok(answer) => answer.status(),
            Err(error) => return Err(Deaf::ForNow(trouble::explain(&error, now).1.to_string())),
        };
        match status.as_u16() {
            200..300 => Ok(()),
            code @ (408 | 429 | 500..) => Err(Deaf::ForNow(Deaf::Refused(code).to_string())),
            code => Err(Deaf::Refused(code)),
        }
    }
}
