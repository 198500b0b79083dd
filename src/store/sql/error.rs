//! The error of a record that failed: its code and its message, as bytes and as a hash.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use twox_hash::XxHash3_64;

/// Whether a record of this status has an error: FAIL and DISCARD do, whatever else they tell.
pub(in crate::store) fn has_failed(status: ValueRef<'_>) -> bool {
    matches!(bytes_of(status), b"FAIL" | b"DISCARD")
}

/// What tells the error of a record that failed from others: XXH3-64 of its code and its message.
/// None where it has not failed.
///
/// Two errors among a million have the same hash once in 37 million archives.
pub(in crate::store) fn error_hash(
    status: ValueRef<'_>,
    code: ValueRef<'_>,
    message: ValueRef<'_>,
) -> Option<i64> {
    has_failed(status).then(|| XxHash3_64::oneshot(&bytes_of_error(code, message)).cast_signed())
}

/// Teaches a connection `hash_of_error(status, error_code, error_message)`.
pub(in crate::store) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("hash_of_error", 3, flags, |context| {
        let [status, code, message] = [0, 1, 2].map(|at| context.get_raw(at));
        Ok(error_hash(status, code, message))
    })
}

/// The bytes of a text; none of what is no text.
pub(in crate::store) fn bytes_of(column: ValueRef<'_>) -> &[u8] {
    match column {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    }
}

/// A code by its type and a message, so that no two errors look the same.
pub(in crate::store) fn bytes_of_error(code: ValueRef<'_>, message: ValueRef<'_>) -> Vec<u8> {
    let (kind, number, text) = match code {
        ValueRef::Integer(number) => (1, number, &[][..]),
        ValueRef::Real(number) => (2, number.to_bits().cast_signed(), &[][..]),
        other => (u8::from(other != ValueRef::Null) * 3, 0, bytes_of(other)),
    };
    let mut bytes = Vec::with_capacity(24 + text.len() + bytes_of(message).len());
    bytes.push(kind);
    bytes.extend(number.to_le_bytes());
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text);
    bytes.push(u8::from(message != ValueRef::Null));
    bytes.extend(bytes_of(message));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> ValueRef<'_> {
        ValueRef::Text(text.as_bytes())
    }

    #[test]
    fn errors_that_differ_have_different_hashes_and_only_failed_records_have_one() {
        let fail = text("FAIL");
        let errors = [
            (ValueRef::Null, ValueRef::Null),
            (ValueRef::Null, text("")),
            (text(""), ValueRef::Null),
            (ValueRef::Integer(4), ValueRef::Null),
            (text("4"), ValueRef::Null),
            (ValueRef::Null, text("4")),
            (ValueRef::Integer(4), text("a")),
            (ValueRef::Integer(4), text("b")),
            (text("4a"), text("b")),
            (text("4"), text("ab")),
        ];
        for (at, one) in errors.iter().enumerate() {
            let hash = error_hash(fail, one.0, one.1);
            assert!(hash.is_some());
            assert_eq!(hash, error_hash(text("DISCARD"), one.0, one.1));
            for status in ["SUCCESS", "WAIT", "RUNNING", "", "fail"] {
                assert_eq!(error_hash(text(status), one.0, one.1), None, "{status}");
            }
            for other in &errors[at + 1..] {
                assert_ne!(hash, error_hash(fail, other.0, other.1), "{one:?} {other:?}");
            }
        }
    }

    /// The hash is in the file: another one would make every archive seem to be changed by others.
    #[test]
    fn the_hash_of_an_error_stays_the_same() {
        let hash = error_hash(text("FAIL"), ValueRef::Integer(4211), text("too slow"));
        assert_eq!(hash, Some(-7_994_203_329_976_931_304));
    }
}
