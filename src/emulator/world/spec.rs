//! What a world is made from, and what no world can have.

use crate::domain::Timestamp;

/// The region the world lies in.
pub const REGION: &str = "cn-north-4";

/// The project that the world's functions belong to.
pub const PROJECT_ID: &str = "0123456789abcdef0123456789abcdef";

/// The most functions of a world; the default quota of an account is 400.
pub const MAX_FUNCTIONS: usize = 10_000;
/// The most records of a world: 400 MB of start times.
pub const MAX_RECORDS: u64 = 100_000_000;
/// The longest span, seconds: ten years, far beyond what the service keeps.
pub const MAX_SPAN: u64 = 3_650 * 86_400;

/// What a world is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldSpec {
    /// Same seed, same world.
    pub seed: u64,
    /// The region in the functions' URNs.
    pub region: &'static str,
    /// The project in the functions' URNs.
    pub project_id: &'static str,
    /// How many functions; the first has the most records.
    pub functions: usize,
    /// Of those, how many have no status log: no configuration, and no records.
    pub unlogged: usize,
    /// Records of all functions that begin before the anchor.
    pub records: u64,
    /// The end of the span, normally the moment the emulator was started.
    pub anchor: Timestamp,
    /// How far before the anchor the first records begin, seconds.
    pub span: u64,
    /// Whether records go on appearing for a day after the anchor.
    pub live: bool,
    /// The longest time until a record is listed, seconds; most are listed much sooner.
    pub lateness: u32,
    /// How long a record is listed after its start, seconds; nothing for ever.
    pub retention: Option<u64>,
    /// How many seconds of each function hold a burst.
    pub bursts: u64,
    /// Records in each of those seconds.
    pub burst_size: u64,
    /// Records that run for hours or days, parts per million.
    pub slow: u64,
    /// Records that fail, then succeed when tried again, parts per million.
    pub retried: u64,
}

impl WorldSpec {
    /// Thirty days before the anchor, 20,000 records, 3 functions, and a little of everything.
    pub fn new(anchor: Timestamp) -> Self {
        Self {
            seed: 1,
            region: REGION,
            project_id: PROJECT_ID,
            functions: 3,
            unlogged: 0,
            records: 20_000,
            anchor,
            span: 30 * 86_400,
            live: false,
            lateness: 120,
            retention: None,
            bursts: 3,
            burst_size: 40,
            slow: 500,
            retried: 5_000,
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.functions == 0 || self.functions > MAX_FUNCTIONS {
            return Err(format!(
                "a world has 1 to {MAX_FUNCTIONS} functions, not {}",
                self.functions
            ));
        }
        if self.unlogged >= self.functions {
            return Err(format!(
                "{} of {} functions cannot be without a status log",
                self.unlogged, self.functions
            ));
        }
        if self.records > MAX_RECORDS {
            return Err(format!("a world has at most {MAX_RECORDS} records, not {}", self.records));
        }
        if self.span == 0 || self.span > MAX_SPAN {
            return Err(format!("a world spans 1 to {MAX_SPAN} seconds, not {}", self.span));
        }
        Ok(())
    }
}
