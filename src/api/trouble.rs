//! Why no answer came: told apart by what the libraries below know, not by their words.
//!
//! A certificate that is not accepted and a proxy that does not let us through are settings, not
//! weather: they are as they are until somebody changes them, so nothing is asked a second time.

use super::failure::{CallFailure, Cause, Meaning, ProxyRefusal};
use super::tunnel;
use crate::domain::Timestamp;
use rustls::pki_types::pem;
use rustls::{AlertDescription, CertificateError};
use std::error::Error;
use std::io;

/// How the error of a tunnel through a proxy begins; the library does not show its type.
const TUNNEL: &str = "tunnel error: ";

/// Of a proxy that opens no tunnel, or does not read what it is asked.
const OPENS_NO_WAY: &str = "it opens no way to the service, or speaks another protocol";

/// Of a proxy that knows nobody without a login.
const ASKS_FOR_LOGIN: &str = "it asks for a user name and a password";

/// A failure to be understood, where it is a proxy that was spoken to.
pub(super) fn of_proxy(failure: CallFailure) -> CallFailure {
    CallFailure { meaning: Meaning::Proxy(ProxyRefusal::Tunnel), ..failure }.because(OPENS_NO_WAY)
}

/// A failure to open a tunnel, with the status that the proxy answers when it is asked for that
/// alone.
pub(super) fn with_status(failure: CallFailure, status: u16) -> CallFailure {
    let passing = |failure| CallFailure { meaning: Meaning::Unreachable, ..failure };
    match status {
        200..300 => passing(failure).because("the proxy opened no way to it at first"),
        407 => CallFailure { meaning: Meaning::Proxy(ProxyRefusal::Login), ..failure }
            .because(ASKS_FOR_LOGIN),
        _ if tunnel::may_pass(status) => passing(failure)
            .because(format!("the proxy opens no way to it, and answers with HTTP {status}")),
        _ => failure
            .because(format!("it opens no way to the service, and answers with HTTP {status}")),
    }
}

/// Why no client could be made.
pub(super) fn of_preparation(error: &reqwest::Error) -> Cause {
    // The verifier of certificates has no type of its own for this.
    let has_no_authorities = chain(error).into_iter().any(|error| {
        matches!(error.downcast_ref(), Some(rustls::Error::General(words))
            if words.starts_with("No CA certificates"))
    });
    if has_no_authorities {
        return Cause(
            "this machine has no certificates of authorities (the package ca-certificates has \
             them; SSL_CERT_FILE and SSL_CERT_DIR, where they are set, name others)"
                .into(),
        );
    }
    Cause::innermost(error)
}

/// Why a file in PEM form cannot be read.
pub(super) fn of_pem(error: &pem::Error) -> Cause {
    Cause(match error {
        pem::Error::MissingSectionEnd { .. } => "it ends within a certificate".into(),
        pem::Error::IllegalSectionStart { .. } => "a line that begins a part is broken".into(),
        pem::Error::Base64Decode(_) => "a certificate in it is damaged: it is no base64".into(),
        other => other.to_string().into(),
    })
}

/// What the failure of a request means, and its cause in words. `now` is our clock.
pub(super) fn explain(error: &reqwest::Error, now: Timestamp) -> (Meaning, Cause) {
    let chain = chain(error);
    if let Some(told) =
        chain.iter().find_map(|error| error.downcast_ref()).and_then(|tls| of_tls(tls, now))
    {
        return told;
    }
    if let Some(tunnel) =
        chain.iter().map(ToString::to_string).find(|words| words.starts_with(TUNNEL))
    {
        return of_tunnel(&tunnel, &chain.last().map(ToString::to_string).unwrap_or_default());
    }
    let is_head_too_large = |error: &&(dyn Error + 'static)| {
        error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large)
    };
    if chain.iter().any(is_head_too_large) {
        let most = super::headers::MAX_HEADERS;
        return (
            Meaning::TooLarge,
            Cause(format!("more than {most} headers, or headers too long to read").into()),
        );
    }
    // In the clear alone: behind TLS somebody answers who has a certificate for that name.
    let is_in_the_clear = error.url().is_some_and(|url| url.scheme() == "http");
    let is_unreadable = |error: &&(dyn Error + 'static)| {
        error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse)
    };
    if is_in_the_clear && chain.iter().any(is_unreadable) {
        return (Meaning::OtherProtocol, Cause::innermost(error));
    }
    let meaning = if error.is_timeout() {
        Meaning::Timeout
    } else if error.is_builder() {
        Meaning::Misconfigured
    } else {
        Meaning::Unreachable
    };
    (meaning, Cause::innermost(error))
}

/// An error and all that lie beneath it. The error inside an [`io::Error`] is not its source, but
/// itself.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut chain = vec![error];
    let mut next = Some(error);
    while let Some(error) = next {
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
        chain.extend(next);
    }
    chain
}

/// What TLS found wrong with the server. `None` where the connection may merely have broken.
fn of_tls(error: &rustls::Error, now: Timestamp) -> Option<(Meaning, Cause)> {
    let words = match error {
        rustls::Error::InvalidCertificate(problem) => of_certificate(problem, now),
        rustls::Error::InvalidMessage(_) => "what answers there does not speak TLS".to_owned(),
        rustls::Error::PeerIncompatible(_) => format!("no common form of TLS: {error}"),
        rustls::Error::AlertReceived(alert) => of_alert(*alert, error)?,
        _ => return None,
    };
    Some((Meaning::Untrusted, Cause(words.into())))
}

/// What the server says of our side, where that stays until a setting is changed here or there.
/// `None` for what tells of a broken connection, or of trouble of the server's own.
fn of_alert(alert: AlertDescription, error: &rustls::Error) -> Option<String> {
    use AlertDescription as A;
    match alert {
        A::NoCertificate
        | A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::CertificateRequired => Some(format!(
            "the server refuses the connection, as one does that asks its clients for a \
             certificate, and there is none to show: {error}"
        )),
        A::HandshakeFailure
        | A::IllegalParameter
        | A::AccessDenied
        | A::ExportRestriction
        | A::ProtocolVersion
        | A::InsufficientSecurity
        | A::InappropriateFallback
        | A::MissingExtension
        | A::UnsupportedExtension
        | A::UnrecognisedName
        | A::UnknownPSKIdentity
        | A::NoApplicationProtocol => Some(format!("the server refuses the connection: {error}")),
        _ => None,
    }
}

fn of_certificate(problem: &CertificateError, now: Timestamp) -> String {
    let moment = |time: &rustls::pki_types::UnixTime| {
        Timestamp::from_unix(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
    };
    match problem {
        CertificateError::UnknownIssuer => {
            "its certificate is signed by nobody whom this machine trusts, or by itself".to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!(
                "its certificate expired at {}, and this machine's clock says {now}",
                moment(not_after)
            )
        }
        CertificateError::Expired => {
            format!("its certificate has expired, and this machine's clock says {now}")
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "its certificate is valid from {} on, and this machine's clock says {now}",
                moment(not_before)
            )
        }
        CertificateError::NotValidYet => {
            format!("its certificate is not valid yet, and this machine's clock says {now}")
        }
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<&str> = presented.iter().map(|name| plain_name(name)).collect();
            format!("its certificate is for another name: {}", names.join(", "))
        }
        // The library does not show the type of what it wraps.
        CertificateError::Other(inner) if inner.to_string() == "CaUsedAsEndEntity" => {
            "its certificate is that of an authority, as a self-signed one often is: a server \
             needs one of its own, made without CA:TRUE"
                .to_owned()
        }
        other => format!("its certificate is not accepted: {other}"),
    }
}

/// A name as it stands in a certificate, without the kind that the library writes around it:
/// `DnsName("a.example")`.
fn plain_name(shown: &str) -> &str {
    shown
        .split_once('(')
        .and_then(|(_, name)| name.strip_suffix(')'))
        .map_or(shown, |name| name.trim_matches('"'))
}

/// What a tunnel through a proxy failed at; `innermost` tells why the proxy itself could not be
/// reached.
fn of_tunnel(tunnel: &str, innermost: &str) -> (Meaning, Cause) {
    match tunnel.strip_prefix(TUNNEL).unwrap_or_default() {
        "proxy authorization required" => {
            (Meaning::Proxy(ProxyRefusal::Login), Cause(ASKS_FOR_LOGIN.into()))
        }
        "unsuccessful" | "proxy response headers too long" => {
            (Meaning::Proxy(ProxyRefusal::Tunnel), Cause(OPENS_NO_WAY.into()))
        }
        _ => (
            Meaning::Unreachable,
            Cause(format!("the proxy cannot be reached: {innermost}").into()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the numbers of the registry of TLS: those of the weather tell of a broken connection, of
    /// trouble of the server's own, or of nothing that is known.
    #[test]
    fn an_alert_that_refuses_our_side_is_a_setting_and_others_are_weather() {
        let meaning = |number: u8| {
            let error = rustls::Error::AlertReceived(AlertDescription::from(number));
            of_tls(&error, Timestamp::MIN).map(|(meaning, _)| meaning)
        };
        for number in [40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 60, 70, 71, 86, 109, 110, 112, 115] {
            assert_eq!(meaning(number), Some(Meaning::Untrusted), "{number}");
        }
        assert_eq!(meaning(116), Some(Meaning::Untrusted));
        assert_eq!(meaning(120), Some(Meaning::Untrusted));
        for number in [0, 10, 20, 21, 22, 30, 50, 51, 80, 90, 100, 200] {
            assert_eq!(meaning(number), None, "{number}");
        }
    }
}
