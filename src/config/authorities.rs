//! Who is trusted to vouch for a service: the authorities of the system, those that the environment
//! names in their place, and a file beside them.
//!
//! The library of TLS reads the two variables by itself, and passes over what it cannot use. A
//! value that is set is read here, so that it holds or is a mistake that is told.

use super::origin::Setting;
use super::profile::read_limited;
use super::variables::{Environment, usage};
use crate::api::{check_authorities, check_certificates};
use crate::error::Failure;
use std::cell::OnceCell;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The variable that OpenSSL reads for a file of authorities.
const FILE: &str = "SSL_CERT_FILE";

/// The one for directories of such files, divided like those of `PATH`.
const DIRECTORIES: &str = "SSL_CERT_DIR";

/// The largest file of certificates read: a whole system's store is a quarter of this.
const MAX_CERTIFICATES: u64 = 1024 * 1024;

/// The most files of a directory that are read: a system has three hundred, each under two names.
const MOST_FILES: usize = 10_000;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// How a certificate begins in such a file.
const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// Reads a file of certificates that are trusted beside the system's.
pub(super) fn read_ca_cert(set: &Setting<PathBuf>) -> Result<Vec<u8>, Failure> {
    let (path, origin) = (&set.value, &set.origin);
    let failed = |what| unusable(what, path, origin);
    let pem = read_pem(path).map_err(|error| failed("read").because(error))?;
    check_certificates(&pem).map_err(|problem| failed("use").because(problem))?;
    Ok(pem)
}

/// The authorities that the environment names in place of the system's, read when they are needed
/// first: everybody who is asked or told shares them, and a run reads no file twice.
#[derive(Clone, Debug, Default)]
pub struct Authorities(Rc<OnceCell<Option<Vec<u8>>>>);

impl Authorities {
    /// The authorities in PEM form, where the environment names any.
    pub(super) fn read(&self, env: Environment<'_>) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(read) = self.0.get() {
            return Ok(read.clone());
        }
        let read = read_authorities(env)?;
        Ok(self.0.get_or_init(|| read).clone())
    }
}

/// The authorities, in PEM form, that the environment names in place of the system's; an empty
/// variable counts as unset.
fn read_authorities(env: Environment<'_>) -> Result<Option<Vec<u8>>, Failure> {
    let set = |name| env(name).filter(|value: &OsString| !value.is_empty());
    if let (None, None) = (set(FILE), set(DIRECTORIES)) {
        // Who has the variable set to nothing gets what the system has, which the library would
        // look for under the empty name.
        return Ok(env(FILE).and_then(|_| read_of_system()));
    }
    let mut all = Vec::new();
    if let Some(path) = set(FILE).map(PathBuf::from) {
        let failed = |what| unusable(what, &path, &FILE);
        all = read_pem(&path).map_err(|error| failed("read").because(error))?;
        check_authorities(&all).map_err(|problem| failed("use").because(problem))?;
    }
    if let Some(paths) = set(DIRECTORIES) {
        // As OpenSSL does, one that is missing is passed over where others are there.
        std::env::split_paths(&paths).for_each(|path| append_directory(&path, &mut all));
        if check_authorities(&all).is_err() {
            let shown = paths.display();
            return Err(usage(format!(
                "{DIRECTORIES}: no certificate in PEM form is in `{shown}`"
            ))
            .hint("name directories of files with authorities, or unset it"));
        }
    }
    Ok(Some(all))
}

fn read_of_system() -> Option<Vec<u8>> {
    let found = openssl_probe::probe();
    let mut all = found.cert_file.and_then(|path| read_pem(&path).ok()).unwrap_or_default();
    if all.is_empty() {
        found.cert_dir.iter().for_each(|path| append_directory(path, &mut all));
    }
    (!all.is_empty()).then_some(all)
}

/// Appends the files of a directory that hold certificates; others may lie there too.
fn append_directory(directory: &Path, all: &mut Vec<u8>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten().take(MOST_FILES) {
        if let Ok(pem) = read_pem(&entry.path())
            && check_authorities(&pem).is_ok()
        {
            all.push(b'\n');
            all.extend(pem);
        }
    }
}

/// Reads a file without its byte order marks, with which some editors begin one: each would hide
/// the certificate after it, also where several files were joined.
fn read_pem(path: &Path) -> io::Result<Vec<u8>> {
    let pem = read_limited(path, MAX_CERTIFICATES)?;
    Ok(match String::from_utf8(pem) {
        Ok(text) => text.replace(BYTE_ORDER_MARK, "").into_bytes(),
        Err(error) => error.into_bytes(),
    })
}

fn unusable(what: &str, path: &Path, origin: &dyn Display) -> Failure {
    usage(format!("cannot {what} the certificates `{}`", path.display())).hint(format!(
        "{origin} names a file of certificates in PEM form, each from {PEM_BEGIN} on"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    /// An authority made for tests of TLS.
    const AUTHORITY: &[u8] = include_bytes!("../../tests/fixtures/tls/ca.pem");

    fn read(set: &[(&str, &Path)]) -> Result<Option<Vec<u8>>, (u8, String)> {
        let env = |name: &str| {
            let value = set.iter().find(|(key, _)| *key == name);
            value.map(|(_, value)| value.as_os_str().to_owned())
        };
        read_authorities(&env).map_err(|failure| {
            assert!(failure.hint.is_some());
            (failure.kind.exit_code(), format!("{failure} {:?}", failure.hint))
        })
    }

    #[test]
    fn what_the_variables_name_is_read_or_told() {
        let directory = tempfile::tempdir().unwrap();
        let written = |name: &str, bytes: &[u8]| {
            fs::write(directory.path().join(name), bytes).unwrap();
            directory.path().join(name)
        };
        let mark = &b"\xef\xbb\xbf"[..];
        let marked = [mark, AUTHORITY, mark, AUTHORITY].concat();
        let good = written("good.pem", &marked);
        let both = [AUTHORITY, AUTHORITY].concat();
        let nothing = Path::new("");
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[(FILE, &good)]), Ok(Some(both.clone())));
        assert_eq!(read(&[(FILE, &good), (DIRECTORIES, nothing)]), Ok(Some(both)));
        assert_eq!(read(&[(DIRECTORIES, nothing)]), Ok(None));
        assert!(read(&[(FILE, nothing)]).is_ok());
        let found = read(&[(FILE, nothing), (DIRECTORIES, directory.path())]).unwrap().unwrap();
        assert!(check_certificates(&found).is_ok());
        for (path, told) in [
            (written("page.html", b"<html>"), "it is a page of HTML"),
            (written("one.der", b"\x30\x82\x01\x01"), "it is in DER form"),
            (written("none", b""), "it is empty"),
            (directory.path().to_owned(), "regular file"),
            (directory.path().join("missing"), "No such file"),
        ] {
            let (code, said) = read(&[(FILE, &path)]).unwrap_err();
            assert!(code == 2 && said.contains(told) && said.contains(FILE), "{said}");
            // Other files may lie in the directory that is named.
            assert!(read(&[(DIRECTORIES, directory.path())]).is_ok());
        }
        for path in [&good, &directory.path().join("missing")] {
            let (code, said) = read(&[(DIRECTORIES, path)]).unwrap_err();
            assert!(code == 2 && said.contains(DIRECTORIES), "{said}");
        }
    }
}
