//! Somebody who is told of runs or alerts: an address that takes a text. Nothing secret is sent
//! there, but the address may be one that only its owner should know: messages name its host alone.

use super::failure::Cause;
use super::http::{Timeouts, Transport};
use super::{Endpoint, EndpointProblem, PlainHttp, Proxies, trouble};
use crate::domain::Timestamp;
use reqwest::Url;
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

const JSON: &str = "application/json";

/// Where a listener is.
#[derive(Clone, PartialEq, Eq)]
pub struct ListenerAddress {
    endpoint: Endpoint,
    /// What stands behind the `?`, where many services have their secret.
    query: String,
}

impl ListenerAddress {
    /// Checks an address. No secret of ours is sent there: plain http will do.
    pub fn parse(text: &str) -> Result<Self, EndpointProblem> {
        let (endpoint, query) = text.trim().split_once('?').unwrap_or((text, ""));
        if query.contains('#') {
            return Err(EndpointProblem::Query);
        }
        let endpoint = Endpoint::parse(endpoint, PlainHttp::Anywhere)?;
        Ok(Self { endpoint, query: query.to_owned() })
    }

    /// Its server.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl From<Endpoint> for ListenerAddress {
    fn from(endpoint: Endpoint) -> Self {
        Self { endpoint, query: String::new() }
    }
}

impl fmt::Debug for ListenerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerAddress")
            .field("host", &self.endpoint.host())
            .finish_non_exhaustive()
    }
}

/// What a way to a listener is made from.
#[derive(Clone)]
pub struct ListenerSettings {
    /// Its address.
    pub address: ListenerAddress,
    /// Certificates in PEM, trusted in place of the system's.
    pub authorities: Option<Vec<u8>>,
    /// Through which proxies to reach it.
    pub proxies: Proxies,
    /// How we introduce ourselves.
    pub user_agent: String,
}

/// A way to a listener.
pub struct Listener {
    address: ListenerAddress,
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
        f.debug_struct("Listener").field("host", &self.host()).finish_non_exhaustive()
    }
}

impl Listener {
    /// Makes a way to a listener; nothing is told yet.
    pub fn new(settings: ListenerSettings) -> Result<Self, Cause> {
        let ListenerSettings { address, authorities, proxies, user_agent } = settings;
        let transport =
            Transport { timeouts: TIMEOUTS, ca_cert: None, authorities, user_agent, proxies };
        let http = transport.client(&address.endpoint)?;
        Ok(Self { address, http })
    }

    /// Its host, for messages.
    pub fn host(&self) -> String {
        self.address.endpoint.host()
    }

    /// Tells it a text at a path below its address, once. `now` is our clock.
    pub async fn tell(
        &self,
        (path, query): (&str, &str),
        text: String,
        now: Timestamp,
    ) -> Result<(), Deaf> {
        let url = self.address.endpoint.url(path, query);
        self.send(url, TEXT, text, now).await
    }

    /// Gives it a value in JSON, at its address as it is, once. `now` is our clock.
    pub async fn give(&self, json: String, now: Timestamp) -> Result<(), Deaf> {
        let query = &self.address.query;
        let url = self.address.endpoint.with_query((!query.is_empty()).then_some(query));
        self.send(url, JSON, json, now).await
    }

    async fn send(
        &self,
        url: Url,
        kind: &'static str,
        body: String,
        now: Timestamp,
    ) -> Result<(), Deaf> {
        let answered = self.http.post(url).header(CONTENT_TYPE, kind).body(body).send().await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn an_address_stays_as_it_is_and_is_shown_without_its_secrets() {
        let read = |text: &str| ListenerAddress::parse(text);
        let address = read("https://hooks.example/bot/?key=a-secret&x=%20").unwrap();
        let url = address.endpoint.with_query(Some(&address.query));
        assert_eq!(url.as_str(), "https://hooks.example/bot/?key=a-secret&x=%20");
        assert_eq!(format!("{address:?}"), "ListenerAddress { host: \"hooks.example\", .. }");
        let plain = read("http://hooks.example/a-secret").unwrap();
        assert_eq!(plain.endpoint.with_query(None).as_str(), "http://hooks.example/a-secret");
        for (text, problem) in [
            ("hooks.example", EndpointProblem::NoUrl),
            ("https://hooks.example/?a#b", EndpointProblem::Query),
            ("https://hooks.example/#b", EndpointProblem::Query),
            ("https://a:b@hooks.example/", EndpointProblem::Userinfo),
        ] {
            assert_eq!(read(text), Err(problem), "{text}");
        }
    }
}
