//! What goes wrong, for the person who reads cron's mail, and the exit codes scripts rely on.

use std::error::Error;
use std::fmt;

/// The kinds of failure, each with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// 1: something this program did not foresee.
    Unexpected,
    /// 2: usage or configuration; nothing was asked or written.
    Usage,
    /// 3: incomplete, safe to run again; everything fetched is kept.
    Incomplete,
    /// 4: the service refused access.
    Denied,
    /// 5: another run holds the archive.
    Busy,
    /// 6: the archive cannot be used.
    Archive,
    /// 7: a check found something.
    Finding,
    /// 130: interrupted; the page in hand is committed.
    Interrupted,
}

impl FailureKind {
    /// The exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::Denied => 4,
            Self::Busy => 5,
            Self::Archive => 6,
            Self::Finding => 7,
            Self::Interrupted => 130,
        }
    }
}

/// The next step for whoever reads a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// In words, which name no option of this program.
    Words(String),
    /// By its meaning, where the words depend on how the reader sets something: only the command
    /// line knows.
    Step(Step),
}

impl From<&str> for Hint {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<String> for Hint {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<Step> for Hint {
    fn from(step: Step) -> Self {
        Self::Step(step)
    }
}

/// What a reader can do about a failure by setting something, or by asking in another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Say where the archive is, or begin one: there is none.
    NameArchive,
    /// Give the archive another path: something else is there, and was left as it was.
    NameOtherArchive,
    /// Archive something: the file at its path is empty.
    Begin,
    /// Run once, which upgrades an archive of an older program.
    Upgrade,
    /// See how much of a damaged archive is left, and recover it.
    Recover,
    /// Give one statement that reads, and see which tables there are.
    ReadTables,
    /// Ask about less at once, or give the question more time.
    AskLessOrLonger,
    /// Ask for less at once, or give the question more memory.
    AskLessOrWithMore,
    /// See what the report takes.
    ReadReport,
    /// Give each parameter of the statement a value.
    FillIn,
    /// Ask the service more slowly.
    SlowDown,
    /// Wait for a service that does not answer as it should; else see who answers in its place.
    AwaitService,
    /// See why the service is not reached.
    ReachService,
    /// See why the service that names projects and gives out tokens does not answer as it should.
    ReachIam,
    /// See why what answers is not trusted.
    TrustService,
    /// See why the proxy does not let us through.
    PassProxy,
    /// Correct the user's name or password.
    CorrectLogin,
    /// Correct which function is asked for, and where.
    CorrectFunction,
    /// Correct which service is asked, and about which project.
    CorrectProject,
    /// Say which project is asked about.
    NameProject,
    /// See that the address is that of the service.
    CheckAddress,
    /// Give the service longer until what it shows counts as settled.
    SettleLater,
    /// See which entries of the list of functions could not be read.
    ReadRejects,
    /// See which functions the archive holds.
    ListFunctions,
    /// Run again, and see which ranges are not proven.
    WalkAgain,
    /// Run more often, and see which ranges are lost.
    RunMoreOften,
    /// Run again, and see more of what it does.
    SayMore,
}

/// A place in a text that somebody wrote, to be pointed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1 on.
    pub line: usize,
    /// The character in the line, from 1 on.
    pub column: usize,
    /// The line itself.
    pub text: String,
}

impl Place {
    /// The place of a byte of the text; one beyond it is its end.
    pub fn at(text: &str, offset: usize) -> Self {
        let offset = text.floor_char_boundary(offset);
        let begin = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: text[..offset].matches('\n').count() + 1,
            column: text[begin..offset].chars().count() + 1,
            text: text[begin..].lines().next().unwrap_or_default().to_owned(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A failure as it is shown: one lower-case sentence, its cause, and the next step.
#[derive(Debug)]
pub struct Failure {
    /// Which exit code it ends with.
    pub kind: FailureKind,
    /// What failed: the operation and its object.
    pub message: String,
    /// The next step for the reader, if one is known.
    pub hint: Option<Hint>,
    /// Where in a text of the reader's it lies.
    pub place: Option<Place>,
    /// Why it failed.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure without a cause or a hint yet.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, place: None, source: None }
    }

    /// Adds the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// The sentence and its causes on one line, without the hint: `operation: cause: cause`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = self.source.as_deref().map(|source| source as &dyn Error);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_names_operation_and_cause() {
        let failure = Failure::new(FailureKind::Archive, "cannot open the archive `a.db`")
            .because(std::io::Error::other("disk full"))
            .hint("free some space");
        assert_eq!(failure.to_string(), "cannot open the archive `a.db`: disk full");
        assert_eq!(failure.kind.exit_code(), 6);
    }

    #[test]
    fn a_place_is_told_by_line_and_character() {
        let text = "SELECT 1,\n  'é' + x\nFROM y";
        for (offset, line, column, shown) in [
            (0, 1, 1, "SELECT 1,"),
            (9, 1, 10, "SELECT 1,"),
            (10, 2, 1, "  'é' + x"),
            (19, 2, 9, "  'é' + x"),
            (14, 2, 4, "  'é' + x"),
            (99, 3, 7, "FROM y"),
        ] {
            let place = Place { line, column, text: shown.to_owned() };
            assert_eq!(Place::at(text, offset), place, "{offset}");
        }
        assert_eq!(Place::at("", 0).to_string(), "line 1, column 1");
    }
}
