//! Which proxies the environment names, in the variables that everybody reads.

use super::variables::{Environment, usage, variable};
use crate::api::{Endpoint, Proxies, ProxyAddress};
use crate::error::Failure;

/// The variables for addresses with https, the first that is set.
const HTTPS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The same for http.
const HTTP: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Set by a web server for the programs it runs; then a visitor chooses the value of `HTTP_PROXY`
/// (<https://httpoxy.org>).
const OF_A_WEB_SERVER: &str = "REQUEST_METHOD";

/// Finds the proxies for these addresses. One that cannot be used is a mistake: the service must
/// not be asked directly instead. What no address needs is not looked at.
pub(super) fn load_proxies(
    env: Environment<'_>,
    addresses: &[&Endpoint],
) -> Result<Proxies, Failure> {
    let needs =
        |encrypted| addresses.iter().any(|it| !it.is_loopback() && it.is_encrypted() == encrypted);
    let proxy = |needed: bool, names: &[&str]| if needed { read(env, names) } else { Ok(None) };
    let http = if env(OF_A_WEB_SERVER).is_some() { &HTTP[1..] } else { &HTTP[..] };
    let exempt = first(env, &["NO_PROXY", "no_proxy"])?.map(|(_, value)| value).unwrap_or_default();
    Ok(Proxies { https: proxy(needs(true), &HTTPS)?, http: proxy(needs(false), http)?, exempt })
}

/// The first of these variables that is set, with its value.
fn first<'a>(
    env: Environment<'_>,
    names: &[&'a str],
) -> Result<Option<(&'a str, String)>, Failure> {
    for name in names {
        if let Some(value) = variable(env, name)? {
            return Ok(Some((name, value)));
        }
    }
    Ok(None)
}

fn read(env: Environment<'_>, names: &[&str]) -> Result<Option<ProxyAddress>, Failure> {
    let Some((name, value)) = first(env, names)? else { return Ok(None) };
    let unusable = |problem| {
        usage(format!("the proxy in {name} cannot be used")).because(problem).hint(
            "write it like http://proxy.example:3128, unset it, or name the service in NO_PROXY \
             and unset it",
        )
    };
    ProxyAddress::parse(&value).map(Some).map_err(unusable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PlainHttp;
    use pretty_assertions::assert_eq;

    fn load(set: &[(&str, &str)], address: &str) -> Result<Proxies, String> {
        let env =
            |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        let endpoint = Endpoint::parse(address, PlainHttp::Anywhere).unwrap();
        load_proxies(&env, &[&endpoint]).map_err(|failure| {
            assert_eq!((failure.kind.exit_code(), failure.hint.is_some()), (2, true));
            failure.to_string()
        })
    }

    fn shown(set: &[(&str, &str)], address: &str) -> (String, String) {
        let Proxies { https, http, .. } = load(set, address).unwrap();
        let shown = |proxy: Option<ProxyAddress>| {
            proxy.map_or_else(String::new, |proxy| format!("{proxy:?}"))
        };
        (shown(https), shown(http))
    }

    #[test]
    fn the_first_variable_that_is_set_names_the_proxy() {
        let (a, b) = ("http://a:1", "http://b:2");
        let of_https = |set: &[(&str, &str)]| shown(set, "https://example.com").0;
        assert_eq!(of_https(&[]), "");
        for name in HTTPS {
            assert_eq!(of_https(&[(name, a), ("HTTP_PROXY", b)]), a, "{name}");
        }
        assert_eq!(of_https(&[("HTTPS_PROXY", ""), ("https_proxy", a), ("ALL_PROXY", b)]), a);
        let of_http = |set: &[(&str, &str)]| shown(set, "http://example.com").1;
        for name in HTTP {
            assert_eq!(of_http(&[(name, a), ("HTTPS_PROXY", b)]), a, "{name}");
        }
        assert_eq!(of_http(&[("HTTP_PROXY", a), ("http_proxy", b), ("REQUEST_METHOD", "GET")]), b);
        let exempt = |name| load(&[(name, "x.example")], "http://example.com").unwrap().exempt;
        assert_eq!(
            (exempt("NO_PROXY"), exempt("no_proxy")),
            ("x.example".to_owned(), "x.example".to_owned())
        );
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_named_and_not_passed_over() {
        for name in HTTPS {
            for (value, problem) in [
                ("http://user:hunter2@", "it is no address such as http://proxy.example:3128"),
                (
                    "socks5://user:hunter2@a:1",
                    "its protocol is `socks5`, and only http and https are spoken",
                ),
            ] {
                let message = load(&[(name, value)], "https://example.com").unwrap_err();
                assert_eq!(message, format!("the proxy in {name} cannot be used: {problem}"));
            }
        }
    }

    #[test]
    fn what_no_address_needs_is_not_looked_at() {
        let garbage = [("HTTP_PROXY", "://"), ("HTTPS_PROXY", "://")];
        assert_eq!(load(&garbage, "http://127.0.0.1:8080"), Ok(Proxies::default()));
        assert_eq!(load(&garbage[..1], "https://example.com"), Ok(Proxies::default()));
    }
}
