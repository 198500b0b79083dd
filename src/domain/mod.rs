//! The words of the program as types: what a record, a window, a function and a moment are.
//!
//! Nothing here knows how the service spells a field, how SQLite stores one, or what time it is.

mod cell;
mod chart;
mod condition;
mod count;
mod counts;
mod interval;
mod invocation;
mod nearest;
mod nothing;
mod page;
mod pattern;
mod shape;
mod status;
mod time;
mod urn;
mod zone;

pub use cell::Cell;
pub use chart::{Bars, Chart};
pub use condition::{BuiltIn, Condition};
pub use count::{count_to_i64, count_to_u64, counted};
pub use counts::{Counts, PageCounts, RecordCounts, RequestCounts};
pub use interval::{Interval, IntervalSet};
pub use invocation::{ErrorCode, Invocation, RecordTime, RequestId};
pub use nearest::nearest;
pub use nothing::{is_of_a_word, stands_for_nothing};
pub use page::{
    Entry, EntryKey, FUNCTIONS_A_PAGE, FunctionPage, Marker, PAGE_LIMIT, Page, PageQuery,
    ProbeQuery, Reject,
};
pub use pattern::{FunctionFilter, FunctionPattern, UnreadablePattern};
pub use shape::{Form, Shape};
pub use status::Status;
pub use time::{Timestamp, UnreadableTime, now_from_system};
pub use urn::{FunctionRef, FunctionUrn, UnreadableFunction};
pub use zone::{UnknownZone, Zone};
