//! Who may ask: the emulator's own reading of `SDK-HMAC-SHA256` and of IAM tokens, written apart
//! from the client's so that the two cannot share a mistake; pinned by signatures of the vendor's
//! SDK.

use super::wire::Asked;
use crate::domain::Timestamp;
use axum::http::HeaderMap;
use chrono::NaiveDateTime;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The access key that is accepted.
pub const ACCESS_KEY: &str = "emulator";
/// Its secret; a stand-in guards nothing.
pub const SECRET_KEY: &str = "emulator-secret";
/// A token that never expires.
pub const TOKEN: &str = "emulator-token";
/// The user that IAM knows.
pub const USER: &str = "emulator";
/// That user's password.
pub const PASSWORD: &str = "emulator-password";
/// That user's domain, which is the account.
pub const DOMAIN: &str = "emulator-domain";

/// The scheme of the `Authorization` header.
const SCHEME: &str = "SDK-HMAC-SHA256 ";
/// How far a signature's date may be off, seconds (API signing guide).
const SKEW: i64 = 15 * 60;
/// More consecutive failures than this lock the key (API signing guide).
const FAILURES: u32 = 5;
/// For so long, seconds.
const LOCK: i64 = 5 * 60;
/// How long a token is valid, seconds (IAM's documentation of passwords).
pub(super) const TOKEN_LIFE: i64 = 86_400;
/// The most tokens that are remembered; beyond, the oldest are forgotten and must be renewed.
const MOST_TOKENS: usize = 1_000;

/// What stays as it is in a canonical path or query: letters, digits and `-_.~`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Why the gateway turns a request away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Neither a token nor a signature.
    Missing,
    /// A token that is not known.
    Token,
    /// A token that has expired.
    Expired,
    /// A token that is for no project.
    Unscoped,
    /// A key that is not known, or a signature that does not fit.
    Signature,
    /// A date too far from the service's.
    Skew,
    /// Too many failures before.
    Locked,
}

/// The keys and tokens of the emulator, and what has been tried with them.
#[derive(Debug, Default)]
pub(super) struct Access {
    failures: u32,
    locked_until: Option<Timestamp>,
    issued: BTreeMap<u64, Issued>,
    next_token: u64,
}

#[derive(Clone, Copy, Debug)]
struct Issued {
    expires: Timestamp,
    scoped: bool,
}

impl Access {
    /// Lets a request through, or says why not.
    pub(super) fn admit(&mut self, asked: &Asked, now: Timestamp) -> Result<(), Refusal> {
        if let Some(token) = header(&asked.headers, "x-auth-token") {
            return self.admit_token(&token, now);
        }
        let Some(line) = header(&asked.headers, "authorization") else {
            return Err(Refusal::Missing);
        };
        if self.locked_until.is_some_and(|until| now < until) {
            return Err(Refusal::Locked);
        }
        let verdict = verify(asked, &line, now);
        self.remember(verdict, now);
        verdict
    }

    /// How many signatures in a row were refused.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Issues a token, and says until when it is valid.
    pub(super) fn issue(&mut self, scoped: bool, now: Timestamp) -> (String, Timestamp) {
        let expires = Timestamp::from_unix(now.unix() + TOKEN_LIFE);
        self.next_token += 1;
        self.issued.insert(self.next_token, Issued { expires, scoped });
        if self.issued.len() > MOST_TOKENS {
            self.issued.pop_first();
        }
        (format!("{TOKEN}-{}", self.next_token), expires)
    }

    /// Ends every issued token, as a change of the password does.
    pub(super) fn expire_tokens(&mut self, now: Timestamp) {
        self.issued.values_mut().for_each(|issued| issued.expires = now);
    }

    fn admit_token(&self, token: &str, now: Timestamp) -> Result<(), Refusal> {
        if token == TOKEN {
            return Ok(());
        }
        let number =
            token.strip_prefix(TOKEN).and_then(|rest| rest.strip_prefix('-')?.parse().ok());
        match number.and_then(|number: u64| self.issued.get(&number)) {
            None => Err(Refusal::Token),
            Some(issued) if issued.expires <= now => Err(Refusal::Expired),
            Some(issued) if !issued.scoped => Err(Refusal::Unscoped),
            Some(_) => Ok(()),
        }
    }

    fn remember(&mut self, verdict: Result<(), Refusal>, now: Timestamp) {
        self.failures = if verdict.is_ok() { 0 } else { self.failures + 1 };
        if self.failures > FAILURES {
            self.failures = 0;
            self.locked_until = Some(Timestamp::from_unix(now.unix() + LOCK));
        }
    }
}

/// An `Authorization` header, taken apart.
#[derive(Debug)]
struct Claim<'a> {
    access_key: &'a str,
    signed: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut parts = line.strip_prefix(SCHEME)?.split(", ");
        let access_key = parts.next()?.strip_prefix("Access=")?;
        let signed = parts.next()?.strip_prefix("SignedHeaders=")?.split(';').collect();
        let signature = parts.next()?.strip_prefix("Signature=")?;
        parts.next().is_none().then_some(Self { access_key, signed, signature })
    }
}

fn verify(asked: &Asked, line: &str, now: Timestamp) -> Result<(), Refusal> {
    let claim = Claim::parse(line).ok_or(Refusal::Signature)?;
    let date = header(&asked.headers, "x-sdk-date").ok_or(Refusal::Signature)?;
    let moment =
        NaiveDateTime::parse_from_str(&date, "%Y%m%dT%H%M%SZ").map_err(|_| Refusal::Signature)?;
    if (moment.and_utc().timestamp() - now.unix()).abs() > SKEW {
        return Err(Refusal::Skew);
    }
    let covered = claim.access_key == ACCESS_KEY && claim.signed.contains(&"x-sdk-date");
    let expected = canonical_request(asked, &claim.signed)
        .map(|canonical| sign(SECRET_KEY, &date, &canonical));
    if covered && expected.as_deref() == Some(claim.signature) {
        Ok(())
    } else {
        Err(Refusal::Signature)
    }
}

/// The request in the form that is signed; nothing when a signed header is missing.
fn canonical_request(asked: &Asked, signed: &[&str]) -> Option<String> {
    let lines =
        signed.iter().map(|name| Some(format!("{name}:{}\n", header(&asked.headers, name)?)));
    let headers = lines.collect::<Option<String>>()?;
    let payload =
        header(&asked.headers, "x-sdk-content-sha256").unwrap_or_else(|| sha256(&asked.body));
    let (method, path, query) =
        (&asked.method, canonical_path(&asked.path), canonical_query(&asked.query));
    Some(format!("{method}\n{path}\n{query}\n{headers}\n{}\n{payload}", signed.join(";")))
}

fn string_to_sign(date: &str, canonical: &str) -> String {
    format!("SDK-HMAC-SHA256\n{date}\n{}", sha256(canonical.as_bytes()))
}

fn sign(secret: &str, date: &str, canonical: &str) -> String {
    // A key of any length will do, so there is no error to speak of.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(string_to_sign(date, canonical).as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Decoded as a whole and only then taken apart: the vendor's signer has `%2F` for a separator.
fn canonical_path(path: &str) -> String {
    let mut encoded = decoded(path).split('/').map(encode).collect::<Vec<_>>().join("/");
    if !encoded.ends_with('/') {
        encoded.push('/');
    }
    encoded
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect();
    pairs.sort();
    let encoded = pairs.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value)));
    encoded.collect::<Vec<_>>().join("&")
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// What a percent-encoded text stands for; a plus is a plus.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A header's value without the white space around it; several values of one name are one list.
pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue, Method};
    use serde_json::Value;

    const NOW: i64 = 1_709_294_400;

    fn vectors(of: &str) -> Vec<Value> {
        let file = include_str!("../../tests/fixtures/sdk_signing_vectors.json");
        let list = serde_json::from_str::<Value>(file).unwrap()[of].take();
        list.as_array().unwrap().clone()
    }

    fn asked(method: &str, target: &str, headers: &Value, body: &Value) -> Asked {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = headers.as_object().unwrap().iter();
        Asked {
            method: method.parse().unwrap(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: pairs
                .map(|(name, value)| {
                    let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
                    (name.parse::<HeaderName>().unwrap(), value)
                })
                .collect(),
            body: body.as_str().unwrap_or_default().to_owned().into(),
        }
    }

    fn text<'v>(value: &'v Value, field: &str) -> &'v str {
        value[field].as_str().unwrap()
    }

    #[test]
    fn every_vector_of_the_vendor_s_signer_is_reproduced() {
        let vectors: Vec<Value> = [vectors("vectors"), vectors("published_vectors")].concat();
        assert_eq!(vectors.len(), 19);
        for vector in vectors {
            let (name, request, expected) =
                (text(&vector, "name"), &vector["request"], &vector["expected"]);
            let target = text(expected, "request_target_as_sent");
            let mut asked = asked(
                text(request, "method"),
                target,
                &request["headers_before_signing"],
                &request["body_utf8"],
            );
            asked.headers.entry("host").or_insert(text(request, "host").parse().unwrap());
            let signed: Vec<&str> = text(expected, "signed_headers").split(';').collect();
            if signed.contains(&"x-sdk-content-sha256") {
                asked
                    .headers
                    .entry("x-sdk-content-sha256")
                    .or_insert(text(expected, "hashed_payload_hex").parse().unwrap());
            }
            let canonical = canonical_request(&asked, &signed).unwrap();
            assert_eq!(canonical, text(expected, "canonical_request"), "{name}");
            let date = header(&asked.headers, "x-sdk-date").unwrap();
            assert_eq!(
                string_to_sign(&date, &canonical),
                text(expected, "string_to_sign"),
                "{name}"
            );
            assert_eq!(
                sign(text(&vector, "secret_key"), &date, &canonical),
                text(expected, "signature"),
                "{name}"
            );
        }
    }

    #[test]
    fn every_request_that_the_vendor_s_sdk_sent_is_verified() {
        let pipeline = vectors("sdk_pipeline");
        assert_eq!(pipeline.len(), 5);
        for case in pipeline {
            let wire = &case["wire"];
            let target = text(wire, "url").split_once(".com").unwrap().1;
            let asked = asked(text(wire, "method"), target, &wire["headers"], &wire["body"]);
            let line = header(&asked.headers, "authorization").unwrap();
            let claim = Claim::parse(&line).unwrap();
            assert_eq!(claim.access_key, text(&case, "access_key"));
            let canonical = canonical_request(&asked, &claim.signed).unwrap();
            let date = header(&asked.headers, "x-sdk-date").unwrap();
            assert_eq!(
                sign(text(&case, "secret_key"), &date, &canonical),
                claim.signature,
                "{}",
                text(&case, "name")
            );
        }
    }

    /// A request as a client would sign it with the emulator's key.
    fn signed(secret: &str) -> Asked {
        let headers =
            serde_json::json!({ "Host": "127.0.0.1:1", "X-Sdk-Date": "20240301T120000Z" });
        let mut asked = asked("GET", "/v3/projects?name=cn-north-4", &headers, &Value::Null);
        let canonical = canonical_request(&asked, &["host", "x-sdk-date"]).unwrap();
        let signature = sign(secret, "20240301T120000Z", &canonical);
        let line = format!(
            "{SCHEME}Access={ACCESS_KEY}, SignedHeaders=host;x-sdk-date, Signature={signature}"
        );
        asked.headers.insert("authorization", line.parse().unwrap());
        asked
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(NOW + second)
    }

    #[test]
    fn a_signature_holds_for_what_was_signed_and_when() {
        let mut access = Access::default();
        let good = signed(SECRET_KEY);
        assert_eq!(access.admit(&good, at(0)), Ok(()));
        assert_eq!(access.admit(&good, at(-900)), Ok(()));
        assert_eq!(access.admit(&good, at(901)), Err(Refusal::Skew));
        assert_eq!(access.admit(&signed("other"), at(0)), Err(Refusal::Signature));
        let changed = |change: fn(&mut Asked)| {
            let mut asked = signed(SECRET_KEY);
            change(&mut asked);
            asked
        };
        for wrong in [
            changed(|asked| asked.method = Method::POST),
            changed(|asked| asked.path.push('x')),
            changed(|asked| asked.query.push('x')),
            changed(|asked| asked.body = "x".into()),
            changed(|asked| {
                drop(asked.headers.insert("host", HeaderValue::from_static("elsewhere")));
            }),
        ] {
            assert_eq!(
                Access::default().admit(&wrong, at(0)),
                Err(Refusal::Signature),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn six_failures_in_a_row_lock_the_key_for_five_minutes() {
        let mut access = Access::default();
        let (good, bad) = (signed(SECRET_KEY), signed("other"));
        for _ in 0..5 {
            assert_eq!(access.admit(&bad, at(0)), Err(Refusal::Signature));
        }
        assert_eq!(
            (access.failures(), access.admit(&good, at(0)), access.failures()),
            (5, Ok(()), 0)
        );
        for _ in 0..6 {
            assert_eq!(access.admit(&bad, at(0)), Err(Refusal::Signature));
        }
        assert_eq!(access.admit(&good, at(299)), Err(Refusal::Locked));
        assert_eq!(access.admit(&good, at(300)), Ok(()));
    }

    #[test]
    fn a_token_is_good_for_a_day() {
        let mut access = Access::default();
        let (token, expires) = access.issue(true, at(0));
        let (global, _) = access.issue(false, at(0));
        assert_eq!(expires, at(86_400));
        for (token, now, verdict) in [
            (TOKEN, at(0), Ok(())),
            (&*token, at(86_399), Ok(())),
            (&*token, at(86_400), Err(Refusal::Expired)),
            (&*global, at(0), Err(Refusal::Unscoped)),
            ("emulator-token-99", at(0), Err(Refusal::Token)),
            ("other", at(0), Err(Refusal::Token)),
        ] {
            let asked =
                asked("GET", "/", &serde_json::json!({ "X-Auth-Token": token }), &Value::Null);
            assert_eq!(access.admit(&asked, now), verdict, "{token}");
        }
        access.expire_tokens(at(1));
        let asked = asked("GET", "/", &serde_json::json!({ "X-Auth-Token": token }), &Value::Null);
        assert_eq!(access.admit(&asked, at(1)), Err(Refusal::Expired));
    }

    #[test]
    fn without_anything_nobody_is_admitted() {
        let nothing = asked("GET", "/", &serde_json::json!({}), &Value::Null);
        assert_eq!(Access::default().admit(&nothing, at(0)), Err(Refusal::Missing));
    }
}
