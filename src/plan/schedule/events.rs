//! What goes in and out of a schedule: questions and their answers, and what is to be done with
//! what was learnt.

use crate::domain::{Interval, Page, PageQuery, RequestId, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::failing::Setback;
use crate::plan::ledger::Entry;
use crate::plan::paging::{Doubt, Proof};
use crate::plan::reach::Measured;
use crate::plan::refresh::Recheck;
use crate::plan::retry::Effort;
use crate::plan::verify::VerificationWalk;
use std::sync::Arc;

/// What time it is when an event comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    /// The present, by both clocks.
    pub now: Moment,
    /// When the run began, by both clocks as far as they are known by now.
    pub began_at: Moment,
}

/// Names a walk of a function's part of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct WalkId(pub(super) u64);

/// Something to ask the service about a function. Each is answered once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// A page of a walk.
    Page(WalkId, PageQuery, Effort),
    /// A record by its id, in a range that is not too long for the service.
    Record(RequestId, Interval, Effort),
    /// The pages between two bounds, one after the other, until one fails or is empty, and so many
    /// at most. What they hold is archived, and that is all they are asked for.
    Around {
        /// From when on.
        begin: Timestamp,
        /// Until when.
        end: Timestamp,
        /// The most pages to ask for.
        most_pages: u64,
    },
    /// Whether the service records the function's invocations at all.
    Recording,
}

/// What the service answered.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// The page that was asked for, or one of the record that was; and when the service answered.
    Page(&'a Page, Moment),
    /// The pages around something were asked for.
    Around,
    /// Whether the function's invocations are recorded, as far as that can be told.
    Recording(Option<bool>),
}

/// What became of a question; `F` is what the caller calls a failure, which is only handed on.
pub type Answered<'a, F> = Result<Answer<'a>, Setback<F>>;

/// What is to be done next. The records of a page are archived before the effects of its answer,
/// whatever these are.
#[derive(Debug)]
pub enum Effect<F> {
    /// Ask this, as soon as there is room for it; in this order.
    Ask(Question),
    /// Enter rows in the ledger.
    Enter(Vec<Entry>),
    /// Compare what the service shows of a settled window with what is archived.
    Compare(VerificationWalk),
    /// Note that an open record was asked for, whether or not it was shown.
    NoteAsked(Recheck),
    /// Wait no longer for the end of these records.
    GiveUp(Vec<RequestId>),
    /// Keep what the service told beside its records; the moment is that of the answer.
    Keep(Timestamp, ServiceFact),
    /// Tell the reader of the log.
    Tell(Note<F>),
}

/// Something the service told of a function beside its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceFact {
    /// Whether it records the function's invocations; nothing where that could not be told.
    Recording(Option<bool>),
    /// How far back it reaches.
    Reach(Measured),
}

/// Something to tell the reader of the log.
#[derive(Debug)]
pub enum Note<F> {
    /// A walk of a window is believed.
    Believed {
        /// The window.
        window: Interval,
        /// How many pages it took.
        pages: u64,
        /// How many records they held.
        records: u64,
        /// Why it is believed.
        proof: Proof,
    },
    /// A walk of a window proved nothing.
    Doubted(Interval, Doubt),
    /// The service refused a window for its length.
    TooLong(Interval),
    /// A window cannot be had.
    CannotBeHad(Interval, Arc<str>),
    /// The service shows so many records in a range where it showed none to an earlier run.
    RecordsInTheEmpty(Interval, u64),
    /// The service records nothing of the function, and that is news.
    NotRecorded,
    /// Something that was asked beside the records is left for the next run; no record is missing
    /// for that.
    LeftForLater(F),
}
