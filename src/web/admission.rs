//! Who is answered: programs and people of this machine, or whoever knows a token.
//!
//! A page of somebody else's, open in a browser of this machine, must not read the archive. It
//! cannot read the answers of another origin, but its own name can be made to lead here (DNS
//! rebinding). Its requests carry that name in `Host` then, and are refused. Where a token is asked
//! for, names do not matter: a browser shows a password to the origin that asked for it alone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::net::{IpAddr, SocketAddr};

/// What a request has to show.
#[derive(Clone, Debug)]
pub(crate) enum Admission {
    /// A name of this machine's own, with the port that is listened on.
    OwnName(SocketAddr),
    /// The token of which this is the hash, as the password of HTTP's basic scheme or as a
    /// bearer's. Hashes are compared, so that the time it takes tells nothing of the token.
    Token([u8; 32]),
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It was sent to a name that is none of this machine's.
    Name,
    /// It shows no token, or another one.
    Token,
}

impl Admission {
    /// Whoever shows this token.
    pub(crate) fn by_token(token: &str) -> Self {
        Self::Token(Sha256::digest(token.as_bytes()).into())
    }

    /// Whether a request with these values of `Host` and `Authorization` is let in.
    pub(super) fn check(
        &self,
        host: Option<&str>,
        authorization: Option<&str>,
    ) -> Result<(), Refused> {
        match self {
            Self::OwnName(address) => {
                if host.is_some_and(|host| is_own(host, *address)) {
                    Ok(())
                } else {
                    Err(Refused::Name)
                }
            }
            Self::Token(hash) => {
                let shown = authorization.and_then(token_of);
                let is_right =
                    shown.is_some_and(|token| <[u8; 32]>::from(Sha256::digest(token)) == *hash);
                if is_right { Ok(()) } else { Err(Refused::Token) }
            }
        }
    }
}

/// Whether a name and a port lead here and nowhere else, whatever a name server says. The port may
/// be left out where it is that of HTTP.
fn is_own(host: &str, address: SocketAddr) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, Some(80)),
    };
    let ip = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let is_loopback = ip.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    port == Some(address.port()) && (is_loopback || name.eq_ignore_ascii_case("localhost"))
}

/// The token that a header shows: `Bearer TOKEN`, or `Basic` with the token as password and any
/// name (RFC 6750, 7617).
fn token_of(authorization: &str) -> Option<Vec<u8>> {
    let (scheme, value) = authorization.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.trim().as_bytes().to_vec());
    }
    let pair = STANDARD.decode(value.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| pair[colon + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_asked_by_its_own_names_only() {
        let admission = Admission::OwnName("127.0.0.1:8400".parse().unwrap());
        for own in
            ["127.0.0.1:8400", "localhost:8400", "LocalHost:8400", "[::1]:8400", "127.9.9.9:8400"]
        {
            assert_eq!(admission.check(Some(own), None), Ok(()), "{own}");
        }
        for other in [
            "evil.example:8400",
            "localhost.evil.example:8400",
            "127.0.0.1.evil.example:8400",
            "127.0.0.1",
            "127.0.0.1:8401",
            "127.0.0.1:",
            "localhost",
            "10.0.0.1:8400",
            "[::1",
            "[fe80::1]:8400",
            ":8400",
            "",
        ] {
            assert_eq!(admission.check(Some(other), None), Err(Refused::Name), "{other}");
        }
        assert_eq!(admission.check(None, None), Err(Refused::Name));
        let usual = Admission::OwnName("127.0.0.1:80".parse().unwrap());
        assert_eq!(usual.check(Some("localhost"), None), Ok(()));
        assert_eq!(usual.check(Some("[::1]"), None), Ok(()));
    }

    #[test]
    fn a_token_lets_in_by_any_name() {
        let admission = Admission::by_token("s3cret:token");
        let check =
            |authorization: &str| admission.check(Some("archive.example"), Some(authorization));
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert_eq!(check("Bearer s3cret:token"), Ok(()));
        assert_eq!(check("bearer  s3cret:token"), Ok(()));
        assert_eq!(check(&basic("anybody:s3cret:token")), Ok(()));
        assert_eq!(check(&basic(":s3cret:token")), Ok(()));
        for wrong in ["", "Bearer", "Bearer s3cret", "Bearer s3cret:token2", "Digest s3cret:token"]
        {
            assert_eq!(check(wrong), Err(Refused::Token), "{wrong}");
        }
        assert_eq!(check(&basic("s3cret:token")), Err(Refused::Token));
        assert_eq!(check("Basic %%%"), Err(Refused::Token));
        assert_eq!(admission.check(Some("localhost"), None), Err(Refused::Token));
    }
}
