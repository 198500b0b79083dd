//! Addresses of the service: checked when they are given, and made into the URL of a call.

use reqwest::Url;
use std::fmt;
use std::net::IpAddr;

/// Where plain `http`, which shows tokens to everyone on the way, is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// On this machine.
    #[default]
    LoopbackOnly,
    /// Everywhere, because the user said so.
    Anywhere,
}

/// Why an address is not used. The address itself is left out: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointProblem {
    /// It cannot be read.
    #[error("it is no URL")]
    NoUrl,
    /// It is neither `https` nor `http`.
    #[error("its scheme is neither https nor http")]
    Scheme,
    /// It holds a user name or a password.
    #[error("it holds a user name or a password")]
    Userinfo,
    /// It holds a query or a fragment.
    #[error("it holds a query or a fragment")]
    Query,
    /// It would send secrets in the clear.
    #[error("plain http is accepted for this machine's own addresses only")]
    PlainHttp,
}

/// The base address of a service, a path prefix included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Checks an address.
    pub fn parse(text: &str, plain_http: PlainHttp) -> Result<Self, EndpointProblem> {
        let url = Url::parse(text.trim()).map_err(|_| EndpointProblem::NoUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointProblem::Scheme);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(EndpointProblem::NoUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointProblem::Userinfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointProblem::Query);
        }
        let endpoint = Self(url);
        if !endpoint.is_encrypted()
            && !endpoint.is_loopback()
            && plain_http == PlainHttp::LoopbackOnly
        {
            return Err(EndpointProblem::PlainHttp);
        }
        Ok(endpoint)
    }

    /// Whether this is the machine's own address.
    pub fn is_loopback(&self) -> bool {
        self.0.host_str() == Some("localhost") || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// Whether it leads no further than the machine or its own link, where a cloud server's
    /// metadata is: no proxy can serve it.
    pub fn is_near(&self) -> bool {
        let is_of_link = |ip| match ip {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_unicast_link_local(),
        };
        self.is_loopback() || self.ip().is_some_and(is_of_link)
    }

    fn ip(&self) -> Option<IpAddr> {
        let host = self.0.host_str()?.trim_start_matches('[').trim_end_matches(']');
        host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
    }

    /// Whether the way there is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether both are the same server, reached by the same scheme.
    pub fn is_same_host(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }

    /// The `Host` header: the port stands in it unless it is the scheme's own.
    pub(super) fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Host and port, as a proxy is asked for a way there.
    pub(super) fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        format!("{host}:{}", self.0.port_or_known_default().unwrap_or_default())
    }

    /// The URL of a call; path and query are encoded already and stay as they are.
    pub(super) fn url(&self, path: &str, query: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.prefix()));
        url.set_query((!query.is_empty()).then_some(query));
        url
    }

    /// The address itself, with another query.
    pub(super) fn with_query(&self, query: Option<&str>) -> Url {
        let mut url = self.0.clone();
        url.set_query(query);
        url
    }

    /// A path of Keystone's version 3, whether or not the address ends with the version already.
    pub(super) fn v3_path(&self, rest: &str) -> String {
        if self.prefix().ends_with("/v3") { format!("/{rest}") } else { format!("/v3/{rest}") }
    }

    /// The path in front of every call, without a `/` at its end.
    pub(super) fn prefix(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Endpoint, EndpointProblem> {
        Endpoint::parse(text, PlainHttp::LoopbackOnly)
    }

    #[test]
    fn refuses_what_would_leak_or_mislead() {
        for (text, problem) in [
            ("", EndpointProblem::NoUrl),
            ("example.com", EndpointProblem::NoUrl),
            ("https://", EndpointProblem::NoUrl),
            ("file:///etc/passwd", EndpointProblem::Scheme),
            ("ftp://example.com", EndpointProblem::Scheme),
            ("https://user@example.com", EndpointProblem::Userinfo),
            ("https://:secret@example.com", EndpointProblem::Userinfo),
            ("https://example.com?a=b", EndpointProblem::Query),
            ("https://example.com/#a", EndpointProblem::Query),
            ("http://example.com", EndpointProblem::PlainHttp),
            ("http://127.0.0.1.example.com", EndpointProblem::PlainHttp),
            ("http://10.0.0.1:8080", EndpointProblem::PlainHttp),
        ] {
            assert_eq!(parse(text), Err(problem), "{text}");
        }
        assert!(Endpoint::parse("http://example.com", PlainHttp::Anywhere).is_ok());
    }

    #[test]
    fn this_machine_has_many_names() {
        for text in [
            "http://localhost:1",
            "http://127.0.0.1",
            "http://127.9.9.9:80",
            "http://[::1]:8080",
            "https://LOCALHOST",
        ] {
            assert!(parse(text).unwrap().is_loopback(), "{text}");
        }
        assert!(!parse("https://localhost.example").unwrap().is_loopback());
    }

    #[test]
    fn a_prefix_stays_in_front_and_encoding_stays_as_given() {
        let url = |base: &str| parse(base).unwrap().url("/v2/a%3Ab%21", "x=%27%20~").to_string();
        assert_eq!(url("https://example.com"), "https://example.com/v2/a%3Ab%21?x=%27%20~");
        assert_eq!(
            url("https://example.com/gate/way/"),
            "https://example.com/gate/way/v2/a%3Ab%21?x=%27%20~"
        );
        assert_eq!(parse("https://example.com:443/").unwrap().host(), "example.com");
        assert_eq!(parse("http://[::1]:8080").unwrap().host(), "[::1]:8080");
        assert_eq!(parse("https://example.com/").unwrap().to_string(), "https://example.com");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(https?://)?\\PC{0,40}") {
            if let Ok(endpoint) = parse(&text) {
                prop_assert!(endpoint.is_encrypted() || endpoint.is_loopback());
                prop_assert_eq!(
                    parse(&endpoint.to_string()).map(|again| again.to_string()),
                    Ok(endpoint.to_string())
                );
            }
        }
    }

    #[test]
    fn the_version_stands_in_the_path_once() {
        let path =
            |text| Endpoint::parse(text, PlainHttp::LoopbackOnly).unwrap().v3_path("auth/tokens");
        assert_eq!(path("https://iam.example/v3/"), "/auth/tokens");
        assert_eq!(path("https://iam.example/identity/v3"), "/auth/tokens");
        assert_eq!(path("https://iam.example"), "/v3/auth/tokens");
    }
}
