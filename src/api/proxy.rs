//! Proxies: checked when they are given. One that cannot be used is never passed over: the service
//! would be asked directly by somebody who said otherwise.

use super::Endpoint;
use super::redaction::is_ordinary;
use super::tunnel::Tunnel;
use percent_encoding::percent_decode_str;
use reqwest::{NoProxy, Url};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

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
        // Words that other programs and people write for none, and hosts to nobody.
        if ["none", "direct", "off", "no", "false"].iter().any(|no| text.eq_ignore_ascii_case(no)) {
            return Err(ProxyProblem::NoUrl);
        }
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

/// Who is asked directly, as `NO_PROXY` says it. Its form was never agreed on, and each program
/// reads another one.
#[derive(Debug, PartialEq, Eq)]
pub struct Exemptions<'a> {
    /// Domains with what lies beneath them, addresses, ranges of them, or `*` for all.
    understood: Vec<String>,
    /// The entries that name nobody here.
    pub misunderstood: Vec<&'a str>,
}

impl<'a> Exemptions<'a> {
    /// Reads a list divided by commas, semicolons or blanks.
    pub fn read(list: &'a str) -> Self {
        let (mut understood, mut misunderstood) = (Vec::new(), Vec::new());
        let is_between = |c: char| matches!(c, ',' | ';') || c.is_whitespace();
        for entry in list.split(is_between).filter(|entry| !entry.is_empty()) {
            match exemption(entry) {
                Some(meant) => understood.push(meant),
                None => misunderstood.push(entry),
            }
        }
        Self { understood, misunderstood }
    }
}

/// All names and all addresses: the library takes `*` for names alone.
const EVERYBODY: &str = "*,0.0.0.0/0,::/0";

/// What an entry means, as the library understands it. One with a port holds for that port only,
/// which the library cannot tell apart.
fn exemption(entry: &str) -> Option<String> {
    if entry == "*" {
        return Some(EVERYBODY.to_owned());
    }
    let host = entry.split_once("://").map_or(entry, |(_, host)| host.trim_end_matches('/'));
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok()?.to_string(),
        None => host.strip_prefix("*.").map_or_else(|| host.to_owned(), |rest| format!(".{rest}")),
    };
    let is_range = host.split_once('/').is_some_and(|(address, bits)| {
        let most = match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    });
    if is_range || host.parse::<IpAddr>().is_ok() {
        return Some(host);
    }
    let domain = host.strip_suffix('.').unwrap_or(&host);
    is_domain(domain.strip_prefix('.').unwrap_or(domain)).then(|| domain.to_owned())
}

/// Whether this is a name of the domain name system. One that ends in a number is none: it is an
/// address that was not understood, or a part of one.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        !label.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.split('.').all(is_label) && last.bytes().any(|byte| byte.is_ascii_alphabetic())
}

impl Proxies {
    /// The proxy for an address. What only this machine can reach is asked directly, whatever was
    /// said.
    pub(super) fn of(&self, endpoint: &Endpoint) -> Option<Result<reqwest::Proxy, reqwest::Error>> {
        let address = if endpoint.is_encrypted() { &self.https } else { &self.http };
        let address = address.as_ref().filter(|_| !endpoint.is_near())?;
        let exempt = NoProxy::from_string(&Exemptions::read(&self.exempt).understood.join(","));
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
            "DIRECT",
            "none",
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

    #[test]
    fn exemptions_are_read_in_the_forms_of_many_programs() {
        let list = "*, x.example,.example.com;*.Example.net 10.0.0.0/8\t::1,[::1],fe80::1:8,\
                    https://h.example/,fd00::/8,10.1.2.3,localhost,end.example., a_b.example";
        let Exemptions { understood, misunderstood } = Exemptions::read(list);
        assert_eq!(
            understood.join(" "),
            "*,0.0.0.0/0,::/0 x.example .example.com .Example.net 10.0.0.0/8 ::1 ::1 fe80::1:8 \
             h.example fd00::/8 10.1.2.3 localhost end.example a_b.example"
        );
        assert_eq!(misunderstood, [""; 0]);
        let other = [
            "10.*",
            "*example.com",
            "a.*.example",
            "service.example:443",
            ".example.com:443",
            "[::1]:443",
            "https://x.example:443/path",
            "<local>",
            "<-loopback>",
            "10.0.0.0/33",
            "10.0.0.0/255.0.0.0",
            "10.0.0",
            "10.0.0.1-10.0.0.9",
            "fe80::1%eth0",
            "example..com",
            ".",
            "b\u{fc}ro.example",
        ];
        let read = other.join(",");
        let Exemptions { understood, misunderstood } = Exemptions::read(&read);
        assert_eq!((understood, misunderstood), (vec![], other.to_vec()));
    }

    #[test]
    fn who_is_exempt_is_asked_directly() {
        let proxies = |exempt: &str| Proxies {
            https: ProxyAddress::parse("http://127.0.0.1:1").ok(),
            http: None,
            exempt: exempt.to_owned(),
        };
        let endpoint = |text| Endpoint::parse(text, super::super::PlainHttp::Anywhere).unwrap();
        // The library does not tell whom it asks directly; its own words for an entry do.
        let of = |exempt: &str| {
            let proxy = proxies(exempt).of(&endpoint("https://a.example")).unwrap().unwrap();
            format!("{proxy:?}")
        };
        assert_eq!(of("*.example [::1]"), of(".example,::1"));
        assert_ne!(of("*.example"), of(""));
        assert_eq!(of("a.example:443"), of(""));
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
