//! The profile file of the vendor's SDKs: `~/.huaweicloud/credentials`, section `[basic]`.
//!
//! Read as Python's `configparser` does, which the vendor's SDK uses: names in any case, `=` or `:`
//! between name and value, `#` or `;` before a comment. Lines that are none of these are passed
//! over. Quotes around a value, which that reader would keep, are taken off: no key has any.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest file read: a profile is a few lines.
pub(super) const MAX_FILE: u64 = 64 * 1024;

/// The section that holds the keys of a project; `[global]` is for calls that are about none.
pub(super) const SECTION: &str = "basic";

/// What the file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    /// Whether it has the section.
    pub(super) has_section: bool,
    /// The section's values, by lower-case name; those without a value are left out. Of a name that
    /// stands there again the last value counts.
    pub(super) values: HashMap<String, String>,
    /// The first name that stands in the section again with another value.
    pub(super) repeated: Option<String>,
}

/// Reads a section of the file; `[basic]` where none is named.
pub(super) fn read_profile(path: &Path, section: Option<&str>) -> io::Result<Profile> {
    let text = String::from_utf8(read_limited(path, MAX_FILE)?);
    let section = section.unwrap_or(SECTION);
    text.map(|text| parse(&text, section)).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// Reads a file of at most `limit` bytes.
pub(super) fn read_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Opens a file, and nothing else: a pipe would be waited for, and a device may never end.
fn open_regular(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut options = File::options();
    options.read(true);
    without_waiting(&mut options);
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

/// Should a pipe take the file's name just now, opening it does not wait for somebody at its other
/// end.
#[cfg(unix)]
fn without_waiting(options: &mut std::fs::OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
}

#[cfg(not(unix))]
fn without_waiting(_options: &mut std::fs::OpenOptions) {}

/// The mode of a file with secrets that others than its owner may read; nothing where it is
/// private.
#[cfg(unix)]
pub(super) fn open_mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o044 != 0).then_some(mode)
}

#[cfg(not(unix))]
pub(super) fn open_mode(_path: &Path) -> Option<u32> {
    None
}

/// Reads a section of a text.
pub(super) fn parse(text: &str, section: &str) -> Profile {
    let Profile { mut has_section, mut values, mut repeated } = Profile::default();
    let mut in_section = false;
    // Lines end as in Python: by a line feed, a carriage return, or both.
    for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']).map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            in_section = name.trim() == section;
            has_section |= in_section;
        } else if in_section && !line.starts_with(['#', ';']) {
            let pair = line
                .split_once(['=', ':'])
                .map(|(name, value)| (name.trim(), unquoted(value.trim())));
            let pair = pair.filter(|(_, value)| !value.is_empty());
            let Some((name, value)) = pair else { continue };
            let name = name.to_ascii_lowercase();
            let before = values.insert(name.clone(), value.to_owned());
            if before.is_some_and(|before| before != value) {
                repeated.get_or_insert(name);
            }
        }
    }
    Profile { has_section, values, repeated }
}

fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).map_or(value, str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    #[test]
    fn reads_the_basic_section_only() {
        let text = "\u{feff}ak = outside\r\n[global]\r\nak = global\r\n[basic]\r\n# sk = \
                    comment\r\n; sk = comment\r\nAK = a=b\r\nsk: s:k \r\nsecurity_token =\r\nno \
                    value here\r\n[other]\r\nak = other\r\n";
        let expected =
            [("ak", "a=b"), ("sk", "s:k")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let expected = Profile { has_section: true, values: expected.into(), repeated: None };
        assert_eq!(parse(text, SECTION), expected);
        assert_eq!(parse(&text.replace("\r\n", "\r"), SECTION), expected);
        assert_eq!(
            parse("ak = outside\n[global]\nak = global\n[Basic]\nak = other\n", SECTION),
            Profile::default()
        );
        assert!(parse("[basic]", SECTION).has_section);
    }

    #[test]
    fn a_name_with_two_values_is_told() {
        let repeated = |text: &str| parse(text, SECTION).repeated;
        assert_eq!(repeated("[basic]\nak=a\nsk=s\nAK=b\n"), Some("ak".to_owned()));
        assert_eq!(repeated("[basic]\nak=a\n[x]\nak=b\n[basic]\nsk=c\nsk=d"), Some("sk".into()));
        assert_eq!(repeated("[basic]\nak=a\nak=a\nsk=\nsk=s\n[x]\nak=b\n"), None);
    }

    #[test]
    fn quotes_around_a_value_are_taken_off() {
        for (written, read) in [
            ("\"AK\"", Some("AK")),
            ("'AK'", Some("AK")),
            (" \" AK \" ", Some("AK")),
            ("\"A'K\"", Some("A'K")),
            ("\"AK", Some("\"AK")),
            ("AK'", Some("AK'")),
            ("\"AK'", Some("\"AK'")),
            ("\"", Some("\"")),
            ("\"\"", None),
        ] {
            let profile = parse(&format!("[basic]\nak = {written}\n"), SECTION);
            assert_eq!(profile.values.get("ak").map(String::as_str), read, "{written}");
        }
    }

    #[test]
    fn a_file_in_another_encoding_is_no_profile() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let utf16: Vec<u8> = "\u{feff}[basic]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        io::Write::write_all(&mut file, &utf16).unwrap();
        assert_eq!(read_profile(file.path(), None).unwrap_err().to_string(), "it is not UTF-8");
    }

    #[test]
    fn a_huge_file_is_no_profile() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, &vec![b'\n'; 64 * 1024 + 1]).unwrap();
        assert!(read_profile(file.path(), None).is_err());
    }

    #[test]
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let pipe = home.path().join("pipe");
        crate::store::testing::make_pipe(&pipe);
        for path in [pipe.as_path(), Path::new("/dev/zero"), home.path()] {
            let error = read_limited(path, MAX_FILE).unwrap_err();
            assert_eq!(error.to_string(), "it is not a regular file", "{}", path.display());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\[basic\\]\n)?[\\PC\n=:#\\[\\]]{0,80}") {
            prop_assert!(
                parse(&text, SECTION)
                    .values
                    .iter()
                    .all(|(name, value)| !value.is_empty() && name.trim() == name)
            );
        }
    }
}
