//! The first hundred bytes of a SQLite file (sqlite.org/fileformat2.html, section 1.3), read
//! without SQLite.

use super::schema::APPLICATION_ID;
use super::stamp::Stamp;
use super::{StoreError, kept::KeptFile};

/// Length of a SQLite header.
pub(in crate::store) const HEADER_BYTES: usize = 100;

/// What every SQLite file begins with.
pub(in crate::store) const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Where the formats for writing and for reading stand: 1 with a rollback journal, 2 with a
/// write-ahead log.
const WRITE_FORMAT_AT: usize = 18;
const READ_FORMAT_AT: usize = 19;

/// Where the format of the schema stands, big-endian, 0 before the first table, and its newest.
const SCHEMA_FORMAT_AT: usize = 44;
const NEWEST_SCHEMA_FORMAT: u32 = 4;

/// Where `user_version` stands, big-endian: our stamp.
const USER_VERSION_AT: usize = 60;

/// Where `application_id` stands, big-endian.
const APPLICATION_ID_AT: usize = 68;

/// The header of a file that is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Header {
    bytes: Vec<u8>,
}

impl Header {
    /// Reads it; a stranger's file is refused by it alone.
    pub(in crate::store) fn read(file: &KeptFile) -> Result<Self, StoreError> {
        let bytes = file.start(HEADER_BYTES)?;
        if !bytes.starts_with(MAGIC) {
            return Err(StoreError::NotOurs("no SQLite file"));
        }
        if bytes.len() < HEADER_BYTES {
            return Err(StoreError::Damaged("it ends inside its header".to_owned()));
        }
        let header = Self { bytes };
        if header.number(APPLICATION_ID_AT) != APPLICATION_ID {
            return Err(StoreError::NotOurs("the SQLite file of another program"));
        }
        header.check_format()?;
        Ok(header)
    }

    /// Refuses a format for writing, for reading, or of the schema, that SQLite never writes: it
    /// would take the file for one that may be read only, or speak of a mistake in a statement.
    fn check_format(&self) -> Result<(), StoreError> {
        let is_known = matches!(self.bytes[WRITE_FORMAT_AT..=READ_FORMAT_AT], [1, 1] | [2, 2]);
        if is_known && self.number(SCHEMA_FORMAT_AT) <= NEWEST_SCHEMA_FORMAT {
            return Ok(());
        }
        Err(StoreError::Damaged("its header names no format that SQLite writes".to_owned()))
    }

    /// Whether the file is in the write-ahead mode.
    pub(in crate::store) fn is_logged(&self) -> bool {
        self.bytes[READ_FORMAT_AT] == 2
    }

    /// Bytes of a page; 1 stands for 65,536.
    pub(in crate::store) fn page_bytes(&self) -> usize {
        match u16::from_be_bytes([self.bytes[16], self.bytes[17]]) {
            1 => 65_536,
            bytes => usize::from(bytes),
        }
    }

    /// Which run wrote the file last.
    pub(in crate::store) fn stamp(&self) -> Stamp {
        Stamp::from_bits(self.number(USER_VERSION_AT))
    }

    fn number(&self, at: usize) -> u32 {
        number(&self.bytes, at)
    }
}

/// The stamp on the first page of a file.
pub(in crate::store) fn stamp_of(page: &[u8]) -> Stamp {
    Stamp::from_bits(number(page, USER_VERSION_AT))
}

/// Four bytes, big-endian; 0 where they are missing.
pub(in crate::store) fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_be_bytes)
}

#[cfg(test)]
impl Header {
    /// A header of a page size, in or out of the write-ahead mode, with a stamp.
    pub(in crate::store) fn of(page_bytes: u16, is_logged: bool, stamp: Stamp) -> Self {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..16].copy_from_slice(MAGIC);
        bytes[16..18].copy_from_slice(&page_bytes.to_be_bytes());
        bytes[WRITE_FORMAT_AT..=READ_FORMAT_AT].fill(if is_logged { 2 } else { 1 });
        bytes[USER_VERSION_AT..USER_VERSION_AT + 4].copy_from_slice(&stamp.bits().to_be_bytes());
        bytes[APPLICATION_ID_AT..APPLICATION_ID_AT + 4]
            .copy_from_slice(&APPLICATION_ID.to_be_bytes());
        Self { bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::{Archive, Reader};
    use crate::store::testing::Fixture;
    use std::fs;

    #[test]
    fn a_format_that_sqlite_does_not_write_is_damage_to_readers_and_runs() {
        let schema = SCHEMA_FORMAT_AT + 3;
        for (at, format) in [
            (WRITE_FORMAT_AT, 3),
            (READ_FORMAT_AT, 3),
            (WRITE_FORMAT_AT, 1),
            (READ_FORMAT_AT, 0),
            (schema, 5),
        ] {
            let directory = Fixture::new().closed();
            let path = directory.path().join("archive.db");
            let mut bytes = fs::read(&path).unwrap();
            assert_eq!(bytes[WRITE_FORMAT_AT..=READ_FORMAT_AT], [2, 2]);
            bytes[at] = format;
            fs::write(&path, bytes).unwrap();
            for refused in [Reader::open(&path).map(drop), Archive::open(&path).map(drop)] {
                assert!(
                    matches!(&refused, Err(StoreError::Damaged(why)) if why.contains("format")),
                    "{refused:?}"
                );
            }
        }
    }
}
