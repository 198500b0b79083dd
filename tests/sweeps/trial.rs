//! One disturbed run, what it leaves, and the run after it.

use crate::cloud::Cloud;
use crate::content::Content;
use crate::program::{Home, Program, Said};
use crate::stage::Stage;
use crate::steps::{Report, Steps, Strike, struck};
use fgarchive::store::file::{Reader, StoreError};
use fgarchive::store::maintain::Finding;

/// What is wrong, in words: a sweep goes on and tells of all.
pub(crate) type Verdict = Result<(), String>;

/// An archive on which a run is disturbed.
pub(crate) struct Trial<'a> {
    stage: &'a Stage,
    home: Home,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(stage: &'a Stage) -> Self {
        Self { stage, home: stage.begin() }
    }

    /// A run that is struck, and the steps it came to.
    pub(crate) fn strike(&self, strike: Strike) -> (Said, Steps) {
        let report = Report::new();
        let said = struck(self.stage.run(&self.stage.cloud, &self.home, &report), strike).output();
        (said, report.read())
    }

    /// A run against a cloud.
    pub(crate) fn run(&self, cloud: &Cloud) -> Program {
        self.stage.run(cloud, &self.home, &Report::new())
    }

    /// The archive is whole as far as it goes, or nothing has come into it yet.
    pub(crate) fn is_sound(&self) -> Verdict {
        match self.check() {
            Err(StoreError::Missing | StoreError::Empty) => Ok(()),
            checked => without_finding(checked),
        }
    }

    /// The archive is what undisturbed runs leave.
    pub(crate) fn is_whole(&self) -> Verdict {
        without_finding(self.check())?;
        let difference = self.stage.difference(&Content::of(&self.home.db()));
        if difference.is_empty() {
            Ok(())
        } else {
            Err(format!("the archive differs:{difference}"))
        }
    }

    /// A run that nothing disturbs makes the archive whole.
    pub(crate) fn completes(&self) -> Verdict {
        let said = self.run(&self.stage.cloud).output();
        // What is lost is told once, by whichever run found it.
        if said.code() != 0 && said.code() != self.stage.exit {
            return Err(format!("the next run ends with {}: {}", said.code(), said.stderr));
        }
        self.is_whole()
    }

    fn check(&self) -> Result<Vec<Finding>, StoreError> {
        Reader::open(&self.home.db()).and_then(|mut reader| reader.check())
    }
}

fn without_finding(checked: Result<Vec<Finding>, StoreError>) -> Verdict {
    match checked {
        Ok(findings) if findings.is_empty() => Ok(()),
        Ok(findings) => Err(format!("the archive is not sound: {findings:?}")),
        Err(error) => Err(format!("the archive cannot be checked: {error}")),
    }
}
