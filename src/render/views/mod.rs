//! What commands say of a value: as JSON, which programs rely on, and as text for people.
//!
//! The JSON of a command is a type here, so that no field is renamed by accident. Its fields stand
//! in the order of the alphabet, in which they are printed. Only this part of the room knows the
//! values of `store` and `sync`.

mod backup;
mod check;
mod checkup;
mod compact;
mod cursor;
mod datasette;
mod failure;
mod preview;
mod prune;
mod ranges;
mod run;
mod settings;
mod status;
mod summary;
mod verification;

pub(crate) use backup::{BackupView, write_backup};
pub(crate) use check::{AcceptedView, CheckView, write_accepted, write_findings};
pub(crate) use checkup::{CheckupView, write_checkup};
pub(crate) use compact::{CompactView, mebibytes, write_compact};
pub(crate) use cursor::CursorView;
pub(crate) use datasette::DatasetteView;
pub(crate) use failure::FailureView;
pub(crate) use preview::{PreviewsView, write_previews};
pub(crate) use prune::{PruneView, write_prune};
pub(crate) use run::RunView;
pub(crate) use settings::{SettingView, SettingsView, write_settings};
pub(crate) use status::{StatusView, write_status};
pub(crate) use summary::SummaryView;
pub(crate) use verification::{VerificationView, write_verification};
