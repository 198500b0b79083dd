//! A source of a run, once it is known what there is to do.

use super::absence::Looked;
use super::committer::Begun;
use super::discovery::Resolved;
use super::job::FunctionJob;
use super::source::ActiveSource;
use crate::api::CallFailure;
use crate::requester::Source;
use crate::store::sql::FunctionId;
use crate::store::write::{RunFunction, SeenPage};

/// A source of a run that is ready, or will not be.
#[derive(Debug)]
pub(super) struct Prepared<'s, S> {
    pub(super) source: &'s ActiveSource<S>,
    /// Whether it is known what there is to do, or that it refused; else the run ended before.
    pub(super) is_known: bool,
    /// Why nothing is asked of it, where it refused.
    pub(super) refusal: Option<CallFailure>,
    pub(super) resolved: Resolved,
    /// What became of functions that were gone.
    pub(super) looked: Looked,
    pub(super) jobs: Vec<FunctionJob>,
    /// Its functions as the writer has to know them, those of `jobs` among them.
    pub(super) functions: Vec<(FunctionId, RunFunction)>,
    /// What was shown meanwhile.
    pub(super) page: Option<SeenPage>,
}

impl<'s, S: Source> Prepared<'s, S> {
    /// A source of which nothing is known yet.
    pub(super) fn nothing(source: &'s ActiveSource<S>) -> Self {
        Self {
            source,
            is_known: false,
            refusal: None,
            resolved: Resolved::default(),
            looked: Looked::default(),
            jobs: Vec::new(),
            functions: Vec::new(),
            page: None,
        }
    }

    /// What the writer has to know of it, which is handed out once.
    pub(super) fn begin(&mut self) -> Begun {
        let list = self.resolved.list.as_ref();
        Begun {
            functions: std::mem::take(&mut self.functions),
            page: self.page.take(),
            rejects: list.map_or_else(Vec::new, |list| list.rejects.clone()),
            unreadable: list.map_or(0, |list| list.unreadable),
        }
    }
}
