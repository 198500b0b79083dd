//! Certificates of authorities as they stand in files: which of them can be used, and what a file
//! holds in their place.

use super::failure::Cause;
use super::trouble;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Whether a file of certificates in PEM form holds any, and none that cannot be read.
pub fn check_certificates(pem: &[u8]) -> Result<(), Cause> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| trouble::of_pem(&error))?;
    if certificates.is_empty() {
        return Err(what_else(pem));
    }
    let mut store = RootCertStore::empty();
    certificates
        .into_iter()
        .try_for_each(|certificate| store.add(certificate))
        .map_err(|error| Cause::innermost(&error))
}

/// Whether a system's file of authorities holds any that can be used.
pub fn check_authorities(pem: &[u8]) -> Result<(), Cause> {
    if usable(pem).is_empty() { Err(what_else(pem)) } else { Ok(()) }
}

/// The certificates that can be used: systems keep some that nobody can.
pub(super) fn usable(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    let can_be_used = |it: &CertificateDer<'static>| RootCertStore::empty().add(it.clone()).is_ok();
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).filter(can_be_used).collect()
}

/// What a file is that holds no certificate in PEM form.
fn what_else(bytes: &[u8]) -> Cause {
    let text = bytes.trim_ascii_start();
    let holds = |words: &str| text.windows(words.len()).any(|it| it == words.as_bytes());
    let words = if text.is_empty() {
        "it is empty"
    } else if text.starts_with(b"<") {
        "it is a page of HTML, or XML"
    // The tag of a sequence, and a length of several bytes.
    } else if text.starts_with(&[0x30]) && text.get(1).is_some_and(|length| *length > 0x80) {
        "it is in DER form; `openssl x509 -inform DER -in FILE` makes PEM of it"
    } else if text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]) {
        "it is a text in UTF-16, and must be one in ASCII"
    } else if holds("-----BEGIN CERTIFICATE-----") || holds("-----BEGIN TRUSTED CERTIFICATE-----") {
        "no certificate in it can be used"
    } else if holds("PRIVATE KEY-----") {
        "it holds a private key, and no certificate"
    } else {
        "it holds none in PEM form"
    };
    Cause(words.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_file_without_certificates_is_told_by_what_it_is() {
        for (bytes, words) in [
            (&b""[..], "it is empty"),
            (b" \n", "it is empty"),
            (b"\n<!DOCTYPE html><html>", "it is a page of HTML, or XML"),
            (b"\x30\x82\x01\x0a", "it is in DER form; `openssl x509 -inform DER -in FILE`"),
            (b"\xff\xfe-\0-\0", "it is a text in UTF-16"),
            (b"-----BEGIN RSA PRIVATE KEY-----\n", "it holds a private key, and no certificate"),
            (b"0123", "it holds none in PEM form"),
            (
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "no certificate in it can be used",
            ),
        ] {
            let told = check_authorities(bytes).unwrap_err().to_string();
            assert!(told.starts_with(words), "{told}");
        }
        let of_extra = |pem: &[u8]| check_certificates(pem).unwrap_err().to_string();
        assert_eq!(of_extra(b"\n<html>"), "it is a page of HTML, or XML");
    }
}
