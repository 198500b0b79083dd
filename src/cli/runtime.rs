//! The runtime of the commands that speak to the network.

use crate::error::{Failure, FailureKind};
use crate::store::file::check_open_files;
use std::path::Path;
use tokio::runtime::{Builder, Runtime};

/// Starts the runtime. Two threads fetch and decode beside the one that commits.
pub(super) fn start() -> Result<Runtime, Failure> {
    let cannot = |error| {
        Failure::new(FailureKind::Unexpected, "cannot start the runtime")
            .because(error)
            .hint("raise the limit on open files: ulimit -n 1024")
    };
    // Asked beforehand: tokio panics where it cannot make the pipe over which signals come.
    check_open_files(Path::new("/")).map_err(cannot)?;
    Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(cannot)
}
