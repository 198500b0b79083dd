//! What the addresses of a live page keep of what it is about.

use crate::domain::Zone;

/// The functions it is about, by name or glob, and the zone of its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) functions: Vec<String>,
    pub(super) zone: Zone,
}
