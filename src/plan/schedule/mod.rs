//! The work of a run for one function, as a state machine: answers go in, and what to do next comes
//! out.
//!
//! ```text
//!            answers, setbacks, the time                 questions, rows of the ledger, notes
//!                        │                                              ▲
//!                        ▼                                              │
//!   Begin → LookBack → Pending → Hours → LookUps → Verify → Measure → Recording → Over
//!                      ▲     │                        │                            ▲
//!                      └─────┘ what turns out         └──── what the run is for ───┤
//!                              to be left                   cannot be had          │
//!   any phase ──────────────── the function itself cannot be had ──────────────────┘
//!
//!   one window in Pending, Hours or Verify:
//!
//!   lane ── take_window ──→ active ── take_page ──→ more pages to ask
//!    ▲ ▲                      │  │         └──→ over: believed ──→ rows of the ledger
//!    │ └─ again, shorter, ────┘  │                    doubted ──→ again, shorter, halves, unproven
//!    │    halves                 └── take_setback ──→ halves, or unproven and asked around
//!    └─── what a first page shows to be too much is cut off
//! ```
//!
//! A phase is over when all that it asked is answered and it has nothing more to ask. The caller
//! asks the questions side by side, archives the records of each page, and carries out the effects
//! in order; it decides nothing.

mod active;
mod events;
mod function;
mod lanes;
mod look_ups;
mod side_checks;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod verdicts;
mod walked;
mod walks;
mod wholes;

pub use events::{Answer, Answered, Effect, Note, Present, Question, ServiceFact, WalkId};
pub use function::{Schedule, Work};
pub use side_checks::{Recorded, SideChecks};
pub use walked::Walked;
