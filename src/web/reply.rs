//! An answer, or why there is none.

use crate::error::{Failure, FailureKind, Hint};
use crate::store::file::StoreError;
use std::io::{self, Write};
use std::path::Path;

/// The most bytes of an answer: a browser shows no more with any ease, and a program asks for less
/// at a time.
const MOST_BYTES: usize = 32 << 20;

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

/// Why there is no answer, for whoever asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Whether it is over in a moment, so that asking again helps.
    pub(super) is_brief: bool,
}

impl Trouble {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), hint: None, is_brief: false }
    }

    /// Others ask just now.
    pub(super) fn too_many() -> Self {
        let busy = Self::new(503, "too many requests at once").hint("ask again in a second");
        Self { is_brief: true, ..busy }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// What is the matter with the archive, or with the question to it.
    pub(super) fn of_store(error: StoreError, archive: &Path) -> Self {
        match error {
            StoreError::TimedOut | StoreError::OutOfMemory | StoreError::FilledDisk => {
                Self::new(503, "the question takes more than one request may use")
                    .hint("ask for a shorter period, or fewer functions")
            }
            StoreError::BadArgument { message, hint } => Self::new(400, message).hint(hint),
            other => other.into_failure(archive).into(),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        let status = match failure.kind {
            FailureKind::Usage => 400,
            FailureKind::Archive | FailureKind::Busy => 503,
            _ => 500,
        };
        let hint = match &failure.hint {
            Some(Hint::Words(words)) => Some(words.clone()),
            // A step tells how the program is run, which whoever asks here may not be able to.
            Some(Hint::Step(_)) | None => None,
        };
        Self { hint, ..Self::new(status, failure.to_string()) }
    }
}

/// A body that takes no more than an answer may hold.
#[derive(Debug, Default)]
pub(super) struct Body(Vec<u8>);

impl Body {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Write for Body {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a body; one that is too large is no answer.
pub(super) fn written(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Vec<u8>, Trouble> {
    let mut body = Body::default();
    write(&mut body).map_err(unwritten)?;
    Ok(body.into_bytes())
}

/// Why a body could not be written.
#[expect(clippy::needless_pass_by_value, reason = "it is what becomes of the error of a write")]
pub(super) fn unwritten(error: io::Error) -> Trouble {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return Trouble::new(413, format!("the answer is larger than {} MiB", MOST_BYTES >> 20))
            .hint("ask for less at a time: `limit`, a shorter period, fewer functions");
    }
    Trouble::new(500, format!("the answer cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_none() {
        let of = |bytes: usize| written(|out| out.write_all(&vec![b'x'; bytes]));
        assert_eq!(of(3).unwrap(), b"xxx");
        assert_eq!(of(MOST_BYTES).unwrap().len(), MOST_BYTES);
        assert_eq!(of(MOST_BYTES + 1).unwrap_err().status, 413);
    }

    #[test]
    fn trouble_tells_who_has_to_do_something() {
        let archive = Path::new("a.db");
        let of = |error| Trouble::of_store(error, archive).status;
        assert_eq!(of(StoreError::TimedOut), 503);
        assert_eq!(of(StoreError::Missing), 503);
        let bad = StoreError::BadArgument { message: "m".to_owned(), hint: "h".to_owned() };
        assert_eq!(Trouble::of_store(bad, archive), Trouble::new(400, "m").hint("h"));
    }
}
