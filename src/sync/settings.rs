//! What a run is asked to do.

use crate::domain::{FunctionFilter, FunctionRef, Timestamp};
use crate::plan::retry::RetryPolicy;
use crate::requester::Politeness;
use std::time::Duration;

/// Which settled windows to verify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// From when on.
    pub since: Option<Timestamp>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// So many windows of each function, drawn at random; all if none.
    pub sample: Option<usize>,
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Task {
    /// To archive what is pending, and to verify a little of what is settled.
    Sync {
        /// Which share of the requests, 0 to 1, may walk settled windows again.
        verify_share: f64,
    },
    /// To walk settled windows again.
    Verify(Selection),
}

/// Which share of the requests, 0 to 1, may walk settled windows again where nothing else is said.
pub const VERIFY_SHARE: f64 = 0.02;

impl Task {
    /// As `fgarchive sync` does it where nothing else is said.
    pub const SYNC: Self = Self::Sync { verify_share: VERIFY_SHARE };

    /// The command that does it.
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::Sync { .. } => "sync",
            Self::Verify(_) => "verify",
        }
    }
}

/// What a source of a run is asked for, and how; checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Functions named by the user, some of them without their project.
    pub functions: Vec<FunctionRef>,
    /// Whether to archive the functions that the project lists as well.
    pub all_functions: bool,
    /// Which of those are meant; every one, where nothing else is said.
    pub filter: FunctionFilter,
    /// From when on to archive, where the user said so: it can only extend what is archived
    /// already.
    pub since: Option<Timestamp>,
    /// How far back the first run of a function reaches otherwise.
    pub first_reach: Duration,
    /// Until when to archive; the present where the user said nothing.
    pub until: Option<Timestamp>,
    /// How long after its end a window may still gain records.
    pub settle_delay: Duration,
    /// The longest wait before an open record is asked for again; zero asks every run.
    pub open_recheck: Duration,
    /// How many requests may be under way at once.
    pub concurrency: usize,
    /// How many requests a second may leave.
    pub max_rps: f64,
    /// How patient to be with a request.
    pub patience: RetryPolicy,
    /// Where the waits before retries are drawn from.
    pub seed: u64,
}

impl Default for Settings {
    /// The documented defaults of `fgarchive sync`, for no function yet.
    fn default() -> Self {
        Self {
            functions: Vec::new(),
            all_functions: false,
            filter: FunctionFilter::default(),
            since: None,
            first_reach: crate::plan::windows::MAX_WINDOW,
            until: None,
            settle_delay: Duration::from_mins(15),
            open_recheck: Duration::from_hours(1),
            concurrency: 4,
            max_rps: 5.0,
            patience: RetryPolicy::default(),
            seed: 0,
        }
    }
}

impl Settings {
    /// How a project is asked.
    pub(super) fn politeness(&self) -> Politeness {
        let Self { max_rps, concurrency, patience, seed, .. } = *self;
        Politeness { max_rps, concurrency, patience, seed }
    }

    /// The same for a service that may take so long for an answer.
    #[must_use]
    pub fn with_answers_after(self, longest_answer: Duration) -> Self {
        Self { patience: self.patience.with_answers_after(longest_answer), ..self }
    }
}
