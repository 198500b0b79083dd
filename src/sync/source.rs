//! The projects that a run asks, each by a requester of its own.

use super::settings::Settings;
use crate::clock::Clock;
use crate::domain::RequestCounts;
use crate::plan::clocks::Moment;
use crate::plan::paging::Habits;
use crate::requester::{Requester, Source};
use crate::store::sql::SourceId;
use std::sync::Arc;
use tracing::Span;

/// A project that a run asks, and what it is asked for.
#[derive(Debug)]
pub struct RunSource<S> {
    /// Its name, unique within the run: in messages, in the archive, in JSON.
    pub name: Box<str>,
    /// The way to it.
    pub source: S,
    /// What it is asked for, and how.
    pub settings: Settings,
}

/// A source of a run that goes on.
#[derive(Debug)]
pub(super) struct ActiveSource<S> {
    pub(super) id: SourceId,
    pub(super) name: Box<str>,
    pub(super) requester: Arc<Requester<S>>,
    pub(super) settings: Settings,
    /// What earlier runs learnt about its pages.
    pub(super) habits: Habits,
    /// Names the source in all lines about it, where there are others.
    pub(super) span: Span,
}

impl<S: Source> ActiveSource<S> {
    /// The sources of a run that begins now; `ids` are their rows, in the same order.
    pub(super) fn all(sources: Vec<RunSource<S>>, ids: Vec<SourceId>, clock: &Clock) -> Vec<Self> {
        let is_only = sources.len() == 1;
        let active = |(RunSource { name, source, settings }, id)| Self {
            id,
            requester: Arc::new(Requester::new(source, clock.clone(), settings.politeness())),
            span: if is_only { Span::none() } else { tracing::error_span!("source", %name) },
            name,
            settings,
            habits: Habits::default(),
        };
        sources.into_iter().zip(ids).map(active).collect()
    }
}

/// How far a run is, as its sources tell it.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// What time it is, by all clocks.
    pub(super) now: Moment,
    /// When the run began, by the same.
    pub(super) began_at: Moment,
    /// What was sent to each source.
    pub(super) sent: Vec<(SourceId, RequestCounts)>,
}

impl Standing {
    pub(super) fn of<S: Source>(sources: &[ActiveSource<S>]) -> Option<Self> {
        let joined = |moment: fn(&Requester<S>) -> Moment| {
            sources.iter().map(|source| moment(&source.requester)).reduce(Moment::and)
        };
        let sent = sources.iter().map(|source| (source.id, source.requester.sent())).collect();
        Some(Self { now: joined(Requester::now)?, began_at: joined(Requester::began_at)?, sent })
    }
}
