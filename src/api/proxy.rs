//! Proxies: checked when they are given. One that cannot be used is never passed over: the service
//! would be asked directly by somebody who said otherwise.

use super::Endpoint;
use super::redaction::is_ordinary;
use super::tunnel::Tunnel;
use percent_encoding::percent_decode_str;
use reqwest::{NoProxy, Url};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// Why a proxy is not used. Its address is left out: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyProblem {
    /// It cannot be read.
    #[error("it is no address such as http://proxy.example:3128")]
    NoUrl,
    /// It speaks what we do not.
    #[error("its protocol is `{0}`, and only http and https are spoken")]
    Protocol(String),
}

/// The address of a proxy, with a user name and a password where it takes them.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyAddress(Url);

impl ProxyAddress {
    /// Checks an address; one without a protocol is asked by http, as everywhere.
    pub fn parse(text: &str) -> Result<Self, ProxyProblem> {
        let text = text.trim();
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&whole).map_err(|_| ProxyProblem::NoUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ProxyProblem::Protocol(url.scheme().chars().take(20).collect()));
        }
        let has_path =
            !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some();
        if url.host_str().is_none_or(str::is_empty) || has_path {
            return Err(ProxyProblem::NoUrl);
        }
        Ok(Self(url))
    }

    /// The password, as it stands and as it is meant.
    fn secrets(&self) -> Vec<SecretString> {
        let Some(written) = self.0.password() else { return Vec::new() };
        let meant = percent_decode_str(written).decode_utf8_lossy();
        vec![SecretString::from(written), SecretString::from(&*meant)]
    }
}

/// Without user name and password.
impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(
            f,
            "{}://{host}:{}",
            self.0.scheme(),
            self.0.port_or_known_default().unwrap_or_default()
        )
    }
}

/// Through which proxies addresses are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For addresses with https.
    pub https: Option<ProxyAddress>,
    /// For addresses with http.
    pub http: Option<ProxyAddress>,
    /// Who is asked directly, in the form of `NO_PROXY`.
    pub exempt: String,
}

impl Proxies {
    /// The proxy for an address. The machine's own addresses are asked directly, whatever was said.
    pub(super) fn of(&self, endpoint: &Endpoint) -> Option<Result<reqwest::Proxy, reqwest::Error>> {
        let address = if endpoint.is_encrypted() { &self.https } else { &self.http };
        let address = address.as_ref().filter(|_| !endpoint.is_loopback())?;
        let exempt = NoProxy::from_string(&self.exempt);
        Some(reqwest::Proxy::all(address.0.as_str()).map(|proxy| proxy.no_proxy(exempt)))
    }

    /// The way that a proxy was asked to open to an address, where it is a proxy that is spoken to
    /// in the clear.
    pub(super) fn tunnel_to(&self, endpoint: &Endpoint) -> Option<Tunnel> {
        let ProxyAddress(proxy) = self.https.as_ref().filter(|_| endpoint.is_encrypted())?;
        let host = proxy.host_str().filter(|_| proxy.scheme() == "http")?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let meant = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let password = proxy.password().map(meant).unwrap_or_default();
        let user = Some(meant(proxy.username()));
        Some(Tunnel {
            proxy: (host, proxy.port_or_known_default()?),
            login: user.filter(|user| !user.is_empty()).map(|user| (user, password)),
            target: endpoint.authority(),
        })
    }

    /// Whether a password among them cannot be told from ordinary text: it is covered in words
    /// only.
    pub fn have_ordinary_password(&self) -> bool {
        self.secrets().iter().any(|secret| is_ordinary(secret.expose_secret()))
    }

    /// The parts of them that must never be shown.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        [&self.https, &self.http].into_iter().flatten().flat_map(ProxyAddress::secrets).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    #[test]
    fn a_proxy_is_an_address_or_a_mistake() {
        let shown = |text: &str| ProxyAddress::parse(text).map(|address| format!("{address:?}"));
        assert_eq!(shown("http://proxy.example:3128"), Ok("http://proxy.example:3128".to_owned()));
        assert_eq!(
            shown("https://user:hunter2@proxy.example/"),
            Ok("https://proxy.example:443".to_owned())
        );
        assert_eq!(shown(" proxy.example:3128"), Ok("http://proxy.example:3128".to_owned()));
        assert_eq!(shown("10.0.0.1"), Ok("http://10.0.0.1:80".to_owned()));
        for text in [
            "http://",
            "://x",
            "http://a b",
            "http://proxy:port",
            "http://proxy:99999",
            "proxy/path",
            "\u{fffd}",
        ] {
            assert_eq!(shown(text), Err(ProxyProblem::NoUrl), "{text}");
        }
        for protocol in ["socks5", "socks5h", "socks4", "ftp"] {
            let text = format!("{protocol}://proxy.example:1080");
            assert_eq!(shown(&text), Err(ProxyProblem::Protocol(protocol.to_owned())), "{text}");
        }
    }

    #[test]
    fn each_address_has_its_proxy() {
        let address = |text| ProxyAddress::parse(text).ok();
        let proxies = Proxies { https: address("http://a:1"), http: None, exempt: String::new() };
        let has_one = |text| {
            let endpoint = Endpoint::parse(text, super::super::PlainHttp::Anywhere).unwrap();
            proxies.of(&endpoint).is_some()
        };
        assert!(
            has_one("https://example.com")
                && !has_one("http://example.com")
                && !has_one("https://127.0.0.1")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text in "(https?://)?\\PC{0,30}") {
            if let Ok(address) = ProxyAddress::parse(&text) {
                prop_assert!(reqwest::Proxy::all(address.0.as_str()).is_ok(), "{address:?}");
            }
        }
    }
}
