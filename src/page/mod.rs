//! One page of HTML that tells a period: every figure is a report's, asked as `query` asks it.
//!
//! Three steps: the reports are asked of an archive that is held still ([`answers`]), what they say
//! becomes values that only have to be written down (a file a block), and templates write them. The
//! page has no script and asks for nothing; what is not proven, empty, lost or switched off never
//! looks like a zero, or like each other.

mod answer;
mod answers;
mod archive;
mod ask;
mod bar;
mod buckets;
mod calendar;
mod comparison;
mod document;
mod durations;
mod figure;
mod form_value;
mod functions;
mod gaps;
mod ground;
mod hours;
mod incidents;
mod kept;
mod ledger;
mod link;
mod policy;
#[cfg(feature = "web")]
mod record;
#[cfg(feature = "web")]
mod records;
#[cfg(feature = "web")]
mod refusal;
mod scale;
mod spark;
mod standing;
mod subject;
mod table;
#[cfg(test)]
mod testing;
mod text;
mod throughput;
mod verdict;
mod week;

pub(crate) use answers::Answers;
pub(crate) use document::write;
#[cfg(feature = "web")]
pub(crate) use policy::policy;
#[cfg(feature = "web")]
pub(crate) use record::Record;
#[cfg(feature = "web")]
pub(crate) use records::Records;
#[cfg(feature = "web")]
pub(crate) use refusal::write_refusal;
pub(crate) use subject::{BadPeriod, Subject};
