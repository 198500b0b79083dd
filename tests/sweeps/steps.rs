//! The program with its steps numbered by `steps.c`, and one of them struck.

use crate::program::Program;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

/// The library; a build of SQLite needs a C compiler too, so there is one.
static LIBRARY: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let library = directory.path().join("steps.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sweeps/steps.c");
    let mut compiler = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".to_owned()));
    compiler.args(["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]);
    let built = compiler.args([&library, Path::new(source)]).arg("-ldl").status();
    assert!(built.unwrap().success(), "{source} does not compile");
    (directory, library)
});

/// What happens to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    /// SIGKILL instead of it.
    Kill,
    /// SIGKILL after half of the bytes.
    Tear,
    /// It does nothing and fails.
    Fail(Trouble),
    /// Half of the bytes are written, the next step fails.
    Short(Trouble),
}

impl Blow {
    /// Whether it needs a call that writes bytes; it is as another one elsewhere.
    pub(crate) fn halves(self) -> bool {
        matches!(self, Self::Tear | Self::Short(_))
    }
}

/// How a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The disk is full.
    Full,
    /// The disk is broken.
    Broken,
}

impl Trouble {
    /// `ENOSPC` or `EIO`, as Linux numbers them everywhere.
    fn errno(self) -> u32 {
        match self {
            Self::Full => 28,
            Self::Broken => 5,
        }
    }
}

/// A blow at the n-th step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strike {
    /// The step, from 1.
    pub(crate) at: usize,
    pub(crate) blow: Blow,
    /// Whether all later steps fail too.
    pub(crate) lasts: bool,
}

/// The steps of a run by their calls, in the order in which they were made.
pub(crate) type Steps = Vec<String>;

/// Whether a call writes bytes.
pub(crate) fn writes(call: &str) -> bool {
    call.contains("write")
}

/// Where a run's steps are noted: not below the directory that is watched.
#[derive(Debug)]
pub(crate) struct Report(TempDir);

impl Report {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("steps")
    }

    pub(crate) fn read(&self) -> Steps {
        fs::read_to_string(self.path()).unwrap().lines().map(str::to_owned).collect()
    }
}

/// The program at a moment of its own, its steps below `directory` numbered.
pub(crate) fn watched(program: Program, directory: &Path, now: i64, report: &Report) -> Program {
    program
        .env("LD_PRELOAD", &LIBRARY.1)
        .env("STEPS_BELOW", fs::canonicalize(directory).unwrap())
        .env("STEPS_NOW", now.to_string())
        .env("STEPS_REPORT", report.path())
}

/// The program, whose timers run so many times as fast.
pub(crate) fn hurried(program: Program, haste: u32) -> Program {
    program.env("STEPS_HASTE", haste.to_string())
}

/// The program, which will be struck.
pub(crate) fn struck(program: Program, Strike { at, blow, lasts }: Strike) -> Program {
    let (action, errno) = match blow {
        Blow::Kill => ("kill", 0),
        Blow::Tear => ("tear", 0),
        Blow::Fail(trouble) => ("fail", trouble.errno()),
        Blow::Short(trouble) => ("short", trouble.errno()),
    };
    program
        .env("STEPS_AT", at.to_string())
        .env("STEPS_ACTION", action)
        .env("STEPS_ERRNO", errno.to_string())
        .env("STEPS_LASTS", if lasts { "1" } else { "0" })
}
