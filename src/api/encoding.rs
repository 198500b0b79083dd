//! What was done to a body for the way: undone as far as we speak it, named where we do not.

use flate2::bufread::GzDecoder;
use flate2::read::{DeflateDecoder, ZlibDecoder};
use std::io::{self, Read};

/// What we ask for.
pub(super) const ACCEPTED: &str = "gzip";

/// More encodings one upon the other are a mistake, or made to harm.
const MOST_ENCODINGS: usize = 4;

/// The two bytes with which every gzip file begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Why a body could not be unpacked.
#[derive(Debug)]
pub(super) enum PackedBody {
    /// It is longer than any honest one.
    TooLong,
    /// An encoding that was not asked for, by its name as it came.
    Unknown(String),
    /// It is cut off or damaged.
    Damaged(io::Error),
}

/// The body as it was before it was encoded; `encodings` are the values of `Content-Encoding`, in
/// order.
pub(super) fn unpack<'a>(
    mut body: Vec<u8>,
    encodings: impl Iterator<Item = &'a str>,
    limit: usize,
) -> Result<Vec<u8>, PackedBody> {
    let names: Vec<&str> = encodings.flat_map(|value| value.split(',')).map(str::trim).collect();
    if names.len() > MOST_ENCODINGS {
        return Err(PackedBody::Unknown(names.join(", ")));
    }
    for name in names.iter().rev() {
        body = undo(name, body, limit)?;
    }
    // No answer of ours begins like this, but some servers pack it without saying so.
    if names.is_empty() && body.starts_with(&GZIP) { undo("gzip", body, limit) } else { Ok(body) }
}

fn undo(name: &str, body: Vec<u8>, limit: usize) -> Result<Vec<u8>, PackedBody> {
    match &*name.to_ascii_lowercase() {
        "" | "identity" => Ok(body),
        // A proxy that unpacks may leave the header as it was.
        "gzip" | "x-gzip" if !body.starts_with(&GZIP) => Ok(body),
        "gzip" | "x-gzip" => gunzip(&body, limit),
        "deflate" if is_zlib(&body) => read_all(ZlibDecoder::new(&body[..]), limit),
        // Some servers leave out the head of two bytes.
        "deflate" => read_all(DeflateDecoder::new(&body[..]), limit),
        // As it came: it may hold a secret, which is found only as it is spelled.
        _ => Err(PackedBody::Unknown(name.to_owned())),
    }
}

/// Whether a body has the head of a zlib stream (RFC 1950, 2.2).
fn is_zlib(body: &[u8]) -> bool {
    let head = |first: &u8, second: &u8| u16::from_be_bytes([*first, *second]);
    matches!(body, [first, second, ..] if first & 0x0f == 8 && head(first, second) % 31 == 0)
}

/// Unpacks one member after the other (RFC 1952, 2.2). Zero bytes behind the last are no member:
/// some servers fill their last block with them, and `gzip` passes over them as well.
fn gunzip(mut packed: &[u8], limit: usize) -> Result<Vec<u8>, PackedBody> {
    let mut body = Vec::new();
    while packed.iter().any(|byte| *byte != 0) {
        read_more(GzDecoder::new(&mut packed), limit, &mut body)?;
    }
    Ok(body)
}

fn read_all(packed: impl Read, limit: usize) -> Result<Vec<u8>, PackedBody> {
    let mut body = Vec::new();
    read_more(packed, limit, &mut body)?;
    Ok(body)
}

/// Reads to the end, and no further than the limit, whatever a body unpacks to.
fn read_more(packed: impl Read, limit: usize, body: &mut Vec<u8>) -> Result<(), PackedBody> {
    let left = limit - body.len();
    let read = packed.take(left as u64 + 1).read_to_end(body).map_err(PackedBody::Damaged)?;
    if read > left { Err(PackedBody::TooLong) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;
    use std::io::Write;

    const LIMIT: usize = 1_000;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(body: Vec<u8>, encodings: &[&str]) -> Result<String, String> {
        match unpack(body, encodings.iter().copied(), LIMIT) {
            Ok(body) => Ok(String::from_utf8(body).unwrap()),
            Err(PackedBody::TooLong) => Err("too long".to_owned()),
            Err(PackedBody::Unknown(name)) => Err(name),
            Err(PackedBody::Damaged(_)) => Err("damaged".to_owned()),
        }
    }

    #[test]
    fn every_encoding_that_is_spoken_is_undone() {
        let page = b"{\"invocations\":[]}";
        let members = [gzip(&page[..5]), gzip(b""), gzip(&page[5..])].concat();
        for (body, encodings) in [
            (page.to_vec(), &[][..]),
            (page.to_vec(), &["identity"]),
            (page.to_vec(), &[""]),
            (page.to_vec(), &["gzip"]),
            (gzip(page), &["gzip"]),
            (gzip(page), &["X-GZip"]),
            (gzip(page), &[]),
            (members, &["gzip"]),
            ([gzip(page), vec![0; 13]].concat(), &["gzip"]),
            ([gzip(page), gzip(b""), vec![0]].concat(), &["gzip"]),
            (gzip(&gzip(page)), &["gzip, gzip"]),
            (gzip(&zlib(page)), &["deflate", "gzip"]),
            (zlib(page), &["deflate"]),
            (deflate(page), &["deflate"]),
        ] {
            assert_eq!(
                read(body, encodings).as_deref(),
                Ok("{\"invocations\":[]}"),
                "{encodings:?}"
            );
        }
    }

    #[test]
    fn what_is_not_spoken_is_named_and_what_is_cut_is_damaged() {
        let packed = gzip(b"{\"invocations\":[]}");
        let error = |body: &[u8], encodings: &[&str]| read(body.to_vec(), encodings).unwrap_err();
        assert_eq!(error(b"x", &["Br"]), "Br");
        assert_eq!(error(&packed, &["gzip", "zstd"]), "zstd");
        assert_eq!(error(&packed, &["gzip,gzip,gzip,gzip,gzip"]), "gzip, gzip, gzip, gzip, gzip");
        for cut in 2..packed.len() {
            assert_eq!(error(&packed[..cut], &["gzip"]), "damaged", "{cut} bytes");
        }
        assert_eq!(error(&[&packed[..], b"{}"].concat(), &["gzip"]), "damaged");
        assert_eq!(error(&[&packed[..], b"\0{}"].concat(), &["gzip"]), "damaged");
        assert_eq!(error(&gzip(&vec![b'a'; LIMIT + 1]), &["gzip"]), "too long");
        let halves = [gzip(&vec![b'a'; LIMIT]), gzip(b"a")].concat();
        assert_eq!(error(&halves, &["gzip"]), "too long");
        assert_eq!(read(gzip(&vec![b'a'; LIMIT]), &["gzip"]).map(|text| text.len()), Ok(LIMIT));
    }

    proptest! {
        #[test]
        fn any_bytes_are_unpacked_or_refused(
            body in prop::collection::vec(any::<u8>(), 0..60),
            name in "(gzip|deflate|br|)",
        ) {
            let _ = unpack([&GZIP[..], &body].concat(), [name.as_str()].into_iter(), LIMIT);
            let _ = unpack(body, [name.as_str()].into_iter(), LIMIT);
        }
    }
}
