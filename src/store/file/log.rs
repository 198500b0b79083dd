//! Whether what lies beside a file can be its own: a write-ahead log, or a journal to roll back.
//!
//! SQLite plays into a file whatever log lies beside it under the right name. A copy that is put
//! back beside the log of a killed run is spoilt by that, so a log is looked at before SQLite sees
//! it (sqlite.org/fileformat2.html, sections 3 and 4). What is found wrong is certain; what fits
//! may still be foreign in three ways: by chance (one stamp in 32,767), where the copy was made
//! while the same run wrote, or where another program wrote the whole log and never touched the
//! first page.

use super::StoreError;
use super::header::{Header, number, stamp_of};
use super::kept::KeptFile;
use super::paths::{beside, name_of};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Length of the header of a log, and of each of its frames.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What a log begins with; the last bit tells how its sums are formed.
const LOG_MAGIC: u32 = 0x377f_0682;

/// What a journal begins with, and the length of its header.
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
const JOURNAL_HEADER: usize = 28;

/// A log is read again this often where a run begins it anew meanwhile; then the run has already
/// vouched for it.
const MOST_LOOKS: usize = 8;

/// Whether a write-ahead log with something in it lies beside the file.
pub(in crate::store) fn has_log(real: &Path) -> bool {
    fs::symlink_metadata(beside(real, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Whether a journal with something in it lies beside the file.
pub(in crate::store) fn has_journal(real: &Path) -> bool {
    fs::symlink_metadata(beside(real, "-journal")).is_ok_and(|journal| journal.len() > 0)
}

/// Refuses a file beside which a log lies that cannot be its own.
pub(in crate::store) fn check(file: &KeptFile) -> Result<(), StoreError> {
    let (log, journal) = (beside(file.path(), "-wal"), beside(file.path(), "-journal"));
    for _ in 0..MOST_LOOKS {
        let (header, start) = (Header::read(file)?, start_of(&log)?);
        let verdict = match open(&log)? {
            Some(opened) => judge_log(&header, opened).map_err(|error| unreadable(&log, &error))?,
            None => Ok(()),
        };
        let is_stable = Header::read(file)? == header && start_of(&log)? == start;
        match verdict {
            Ok(()) => return check_journal(&header, file, journal),
            Err(why) if is_stable => return Err(StoreError::ForeignLog { log, why }),
            Err(_) => {}
        }
    }
    Ok(())
}

/// Refuses a log that lies where there is no file, or an empty one: SQLite would remove it.
pub(in crate::store) fn check_absence(real: &Path) -> Result<(), StoreError> {
    if has_log(real) {
        return Err(StoreError::ForeignLog {
            log: beside(real, "-wal"),
            why: "there is nothing in the file",
        });
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unreadable(format!("its `{}`: {error}", name_of(path)))
}

/// A log that is not there, or is nothing to read, plays nothing.
fn open(path: &Path) -> Result<Option<File>, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true);
    super::kept::without_waiting(&mut options);
    match options.open(path) {
        Ok(file) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => Ok(Some(file)),
        Ok(_) => Err(unreadable(path, &io::Error::other("it is not a regular file"))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// The header of the log: another one, and the log was begun anew.
fn start_of(log: &Path) -> Result<Vec<u8>, StoreError> {
    let mut start = Vec::with_capacity(LOG_HEADER);
    if let Some(file) = open(log)? {
        file.take(LOG_HEADER as u64)
            .read_to_end(&mut start)
            .map_err(|error| unreadable(log, &error))?;
    }
    Ok(start)
}

/// Whether a log can be that of a file with this header, and if not, why.
///
/// It fits when it plays nothing, when it never touches the first page, or when the stamp of the
/// file is in it.
fn judge_log(header: &Header, log: impl Read) -> io::Result<Result<(), &'static str>> {
    let mut frames = Frames::begin(log)?;
    let wrong = match &frames {
        None => return Ok(Ok(())),
        Some(_) if !header.is_logged() => Some("the file is a copy, or was closed, without a log"),
        Some(frames) if frames.page.len() != header.page_bytes() => {
            Some("its pages have another size")
        }
        Some(_) => None,
    };
    let (mut begins, mut is_pending, mut is_played) = (true, false, false);
    while let Some(frame) = frames.as_mut().map(Frames::next).transpose()?.flatten() {
        if frame.page == 1 && wrong.is_none() {
            let page = frames.as_ref().map_or(&[][..], |frames| &frames.page);
            if header.stamp().fits(stamp_of(page), begins) {
                return Ok(Ok(()));
            }
            begins = false;
            is_pending = true;
        }
        is_played |= frame.commits && (is_pending || wrong.is_some());
    }
    Ok(if is_played { Err(wrong.unwrap_or("it goes on from another state")) } else { Ok(()) })
}

/// What a frame says beside its page.
struct Frame {
    page: u32,
    commits: bool,
}

/// The frames of a log, as far as SQLite would play them.
struct Frames<R> {
    log: BufReader<R>,
    /// The page of the last frame.
    page: Vec<u8>,
    salts: [u8; 8],
    sums: (u32, u32),
    is_big_endian: bool,
}

impl<R: Read> Frames<R> {
    /// Nothing where the header is not whole: such a log plays nothing.
    fn begin(log: R) -> io::Result<Option<Self>> {
        let mut log = BufReader::with_capacity(1 << 17, log);
        let Some(header) = read_array::<LOG_HEADER>(&mut log)? else { return Ok(None) };
        let (magic, page_bytes) = (number(&header, 0), number(&header, 8));
        let is_page = page_bytes.is_power_of_two() && (512..=65_536).contains(&page_bytes);
        let is_big_endian = magic & 1 == 1;
        let sums = summed((0, 0), &header[..24], is_big_endian);
        if magic & !1 != LOG_MAGIC || !is_page || sums != (number(&header, 24), number(&header, 28))
        {
            return Ok(None);
        }
        let salts = <[u8; 8]>::try_from(&header[16..24]).unwrap_or_default();
        Ok(Some(Self { log, page: vec![0; page_bytes as usize], salts, sums, is_big_endian }))
    }

    /// The next frame, unless it is of an earlier log or was not written whole.
    fn next(&mut self) -> io::Result<Option<Frame>> {
        let Some(head) = read_array::<FRAME_HEADER>(&mut self.log)? else { return Ok(None) };
        if head[8..16] != self.salts || !is_read(self.log.read_exact(&mut self.page))? {
            return Ok(None);
        }
        let sums = summed(self.sums, &head[..8], self.is_big_endian);
        self.sums = summed(sums, &self.page, self.is_big_endian);
        let is_whole = self.sums == (number(&head, 16), number(&head, 20)) && number(&head, 0) != 0;
        Ok(is_whole.then(|| Frame { page: number(&head, 0), commits: number(&head, 4) != 0 }))
    }
}

fn read_array<const N: usize>(from: &mut impl Read) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    Ok(is_read(from.read_exact(&mut bytes))?.then_some(bytes))
}

/// A log that ends is no error.
fn is_read(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// SQLite's sum over eight bytes at a time, which goes on from `sums`.
fn summed(sums: (u32, u32), bytes: &[u8], is_big_endian: bool) -> (u32, u32) {
    let word = |four: &[u8]| {
        let four = <[u8; 4]>::try_from(four).unwrap_or_default();
        if is_big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    bytes.chunks_exact(8).fold(sums, |(first, second), eight| {
        let first = first.wrapping_add(word(&eight[..4])).wrapping_add(second);
        (first, second.wrapping_add(word(&eight[4..])).wrapping_add(first))
    })
}

fn check_journal(header: &Header, file: &KeptFile, journal: PathBuf) -> Result<(), StoreError> {
    let Some(opened) = open(&journal)? else { return Ok(()) };
    let bytes = file.metadata()?.len();
    match judge_journal(header, bytes, opened).map_err(|error| unreadable(&journal, &error))? {
        Ok(()) => Ok(()),
        Err(why) => Err(StoreError::ForeignLog { log: journal, why }),
    }
}

/// Whether a journal can be rolled back into a file of so many bytes, and if not, why.
///
/// This program uses one only before a file enters the write-ahead mode, when a transaction changes
/// the first page and nothing else: the file has then the length that the journal remembers, or is
/// just being made.
fn judge_journal(
    header: &Header,
    bytes: u64,
    mut journal: impl Read,
) -> io::Result<Result<(), &'static str>> {
    let Some(start) = read_array::<JOURNAL_HEADER>(&mut journal)? else { return Ok(Ok(())) };
    if start[..8] != JOURNAL_MAGIC {
        return Ok(Ok(()));
    }
    let (before, sector, page_bytes) = (number(&start, 16), number(&start, 20), number(&start, 24));
    if page_bytes as usize != header.page_bytes() {
        return Ok(Err("its pages have another size"));
    }
    let pages = bytes / u64::from(page_bytes.max(1));
    if before == 0 && pages > 1 {
        return Ok(Err("it is of a file that was just being made"));
    }
    if pages < u64::from(before) {
        return Ok(Err("it is of a longer file"));
    }
    io::copy(
        &mut journal.by_ref().take(u64::from(sector).saturating_sub(JOURNAL_HEADER as u64)),
        &mut io::sink(),
    )?;
    let Some(page) = read_array::<4>(&mut journal)? else { return Ok(Ok(())) };
    let mut first = Vec::new();
    journal.take(u64::from(page_bytes)).read_to_end(&mut first)?;
    // Records count once they are durable; one that was not written whole is not played.
    let is_played = number(&start, 8) != 0 && first.len() == page_bytes as usize;
    let is_other = is_played && number(&page, 0) == 1 && stamp_of(&first) != header.stamp();
    Ok(if is_other { Err("it goes back to another state") } else { Ok(()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::stamp::Stamp;
    use crate::store::file::{Archive, Reader};
    use crate::store::testing::Fixture;
    use rusqlite::Connection;
    use tempfile::TempDir;

    /// What a killed run leaves: the file and its log, after so many runs before that ended.
    struct Killed {
        directory: TempDir,
        /// The file as each of the runs before left it.
        copies: Vec<Vec<u8>>,
    }

    fn run(archive: &mut Archive, times: usize) {
        for _ in 0..times {
            archive.begin_run("sync", "2026-03-01T12:00:00Z".parse().unwrap(), &[]).unwrap();
        }
    }

    impl Killed {
        fn after(runs: usize) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("a.db");
            let mut copies = Vec::new();
            for _ in 0..runs {
                run(&mut Archive::open(&path).unwrap(), 2);
                copies.push(fs::read(&path).unwrap());
            }
            // Its connection closes at the end and would clear the log away, so what it leaves is
            // taken before.
            let mut archive = Archive::open(&path).unwrap();
            run(&mut archive, 3);
            let left = [fs::read(&path).unwrap(), fs::read(beside(&path, "-wal")).unwrap()];
            drop(archive);
            fs::write(&path, &left[0]).unwrap();
            fs::write(beside(&path, "-wal"), &left[1]).unwrap();
            Self { directory, copies }
        }

        fn path(&self) -> PathBuf {
            fs::canonicalize(self.directory.path()).unwrap().join("a.db")
        }

        fn log(&self) -> PathBuf {
            beside(&self.path(), "-wal")
        }

        fn verdict(&self) -> Result<(), StoreError> {
            check(&KeptFile::open(&self.path()).unwrap().unwrap())
        }

        fn is_foreign(&self) -> bool {
            match self.verdict() {
                Ok(()) => false,
                Err(StoreError::ForeignLog { .. }) => true,
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn the_log_of_a_killed_run_is_its_own() {
        for runs in 0..4 {
            let killed = Killed::after(runs);
            assert!(!killed.is_foreign(), "after {runs} runs");
            // Its base is the state in which the run before left the file: a copy of that is the
            // same.
            if let Some(copy) = killed.copies.last() {
                fs::write(killed.path(), copy).unwrap();
                assert!(!killed.is_foreign(), "after {runs} runs");
            }
            drop(Archive::open(&killed.path()).unwrap());
            let opened = Connection::open(killed.path()).unwrap();
            let kept: i64 =
                opened.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).unwrap();
            assert_eq!(kept, i64::try_from(2 * runs + 3).unwrap());
        }
    }

    #[test]
    fn wherever_a_log_ends_it_is_its_own() {
        let killed = Killed::after(1);
        let log = fs::read(killed.log()).unwrap();
        for bytes in (0..log.len()).step_by(331) {
            fs::write(killed.log(), &log[..bytes]).unwrap();
            assert!(!killed.is_foreign(), "{bytes} bytes");
        }
    }

    #[test]
    fn a_log_that_was_moved_into_the_file_in_part_is_its_own() {
        let killed = Killed::after(2);
        let connection = Connection::open(killed.path()).unwrap();
        let log = fs::read(killed.log()).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(())).unwrap();
        let moved = fs::read(killed.path()).unwrap();
        drop(connection);
        fs::write(killed.path(), moved).unwrap();
        fs::write(killed.log(), log).unwrap();
        assert!(!killed.is_foreign());
    }

    #[test]
    fn older_newer_and_other_files_are_not_played_over() {
        let killed = Killed::after(3);
        let (path, own) = (killed.path(), fs::read(killed.path()).unwrap());
        let log = fs::read(killed.log()).unwrap();
        let other = Killed::after(2);
        drop(Archive::open(&other.path()).unwrap());
        let newer = {
            let mut archive = Archive::open(&path).unwrap();
            run(&mut archive, 1);
            archive.checkpoint().unwrap();
            fs::read(&path).unwrap()
        };
        let fork = {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("fork.db");
            fs::write(&path, &killed.copies[2]).unwrap();
            run(&mut Archive::open(&path).unwrap(), 1);
            fs::read(&path).unwrap()
        };
        let foreign = [
            killed.copies[0].clone(),
            killed.copies[1].clone(),
            fs::read(other.path()).unwrap(),
            newer,
            fork,
        ];
        for (at, file) in foreign.iter().enumerate() {
            fs::write(&path, file).unwrap();
            fs::write(killed.log(), &log).unwrap();
            assert!(killed.is_foreign(), "file {at}");
            assert!(matches!(Reader::open(&path), Err(StoreError::ForeignLog { .. })));
            assert!(matches!(Archive::open(&path), Err(StoreError::ForeignLog { .. })));
            assert!(
                fs::read(&path).unwrap() == *file && fs::read(killed.log()).unwrap() == log,
                "it was changed"
            );
        }
        fs::write(&path, own).unwrap();
        assert!(!killed.is_foreign());
    }

    #[test]
    fn a_copy_without_a_log_of_its_own_takes_none() {
        let killed = Killed::after(1);
        let mut copy = killed.copies[0].clone();
        // As `backup` leaves it: out of the write-ahead mode.
        copy[18..20].fill(1);
        fs::write(killed.path(), copy).unwrap();
        assert!(killed.is_foreign());
        fs::write(killed.path(), "").unwrap();
        assert!(matches!(Archive::open(&killed.path()), Err(StoreError::ForeignLog { .. })));
        fs::remove_file(killed.path()).unwrap();
        assert!(matches!(Archive::open(&killed.path()), Err(StoreError::ForeignLog { .. })));
        assert!(!killed.path().exists() && killed.log().exists());
    }

    #[test]
    fn a_log_that_plays_nothing_is_nobodys() {
        let directory = Fixture::new().closed();
        let path = fs::canonicalize(directory.path()).unwrap().join("archive.db");
        for log in [&b"x"[..], &[0; 4096], &[0xff; 40]] {
            fs::write(beside(&path, "-wal"), log).unwrap();
            assert!(check(&KeptFile::open(&path).unwrap().unwrap()).is_ok());
        }
    }

    /// A journal of so many records, the first of which is a first page with a stamp.
    fn journal(records: u32, pages_before: u32, page_bytes: u32, stamp: Stamp) -> Vec<u8> {
        let mut bytes = JOURNAL_MAGIC.to_vec();
        for number in [records, 7, pages_before, 512, page_bytes] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.resize(512, 0);
        bytes.extend(1u32.to_be_bytes());
        let mut page = vec![0; page_bytes as usize];
        page[60..64].copy_from_slice(&stamp.bits().to_be_bytes());
        bytes.extend(page);
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn a_journal_is_rolled_back_into_its_own_file_only() {
        let (own, other) = (Stamp::from_bits(7), Stamp::from_bits(8));
        let header = Header::of(4096, false, own);
        let judged =
            |bytes: u64, journal: &[u8]| judge_journal(&header, bytes, journal).unwrap().is_ok();
        // The file is being made, or enters the write-ahead mode.
        assert!(
            judged(4096, &journal(0, 0, 4096, own)) && judged(4 * 4096, &journal(1, 4, 4096, own))
        );
        assert!(judged(4096, b"") && judged(4096, &[0; 600]));
        assert!(
            judged(4 * 4096, &journal(0, 4, 4096, other)),
            "a record that is not durable is not played"
        );
        assert!(
            !judged(4 * 4096, &journal(1, 0, 4096, own)),
            "it would cut the file down to nothing"
        );
        assert!(!judged(4 * 4096, &journal(1, 5, 4096, own)));
        assert!(!judged(4 * 4096, &journal(1, 4, 1024, own)));
        assert!(!judged(4 * 4096, &journal(1, 4, 4096, other)));
    }
}
