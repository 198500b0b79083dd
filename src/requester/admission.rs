//! Whether access is refused to a function, to a part of what it holds, or to everything.
//!
//! An answer of status 403 says that these credentials may not see what was asked for. That may be
//! one page, one function, or, where the permission was never given or was taken away, all of the
//! project. A function that was heard in this run tells which: if it is refused too, nothing more
//! is asked. Where none was heard yet, each function is refused by itself: some policies name the
//! functions that may be read, and a project lists all it has.

use super::project::{Failed, Requester, lock};
use super::sink::PageSink;
use super::source::Source;
use super::witnesses::Witnesses;
use crate::api::{CallFailure, Meaning};
use crate::domain::FunctionUrn;

/// So many functions are asked whether a service that put one off answers at all: more would be no
/// way to treat one that asked all of its users to wait.
const MOST_UNHEARD: usize = 5;

impl<S: Source> Requester<S> {
    /// Whether the service admits us to a function of which something was refused. Where it does
    /// not, it is found out whether it admits us to any.
    pub(crate) async fn admits_to(
        &self,
        urn: &FunctionUrn,
        failed: &Failed,
        sink: &PageSink,
    ) -> bool {
        // Nothing is sent in line meanwhile: where access is refused to all, few requests are.
        let _judging = self.judging.lock().await;
        if self.refusal().is_some() {
            return false;
        }
        if self.heard_since(urn, failed.first_sent) {
            return true;
        }
        let Some(form) = self.form_of_witness(urn) else { return false };
        match self.look_at(&form, self.newest_second(), Some(sink)).await {
            Ok(()) => self.heard_since(urn, failed.first_sent),
            Err(failure) => {
                if is_forbidden(&failure) && !self.admits_to_another(urn).await {
                    lock(&self.refused).get_or_insert(failure);
                }
                false
            }
        }
    }

    /// Whether access may be refused to this function alone.
    async fn admits_to_another(&self, urn: &FunctionUrn) -> bool {
        let Some((form, sink)) = self.heard_witness(Some(urn)) else {
            let mut forbidden = lock(&self.forbidden);
            forbidden.insert(urn.clone());
            return forbidden.len() < self.functions_of_run();
        };
        let look = self.look_at(&form, self.newest_second(), sink.as_ref()).await;
        !look.is_err_and(|failure| is_forbidden(&failure))
    }

    /// Whether a function that was heard in this run still answers; where none was heard yet,
    /// whether one of a few others does.
    pub(crate) async fn answers_another(&self) -> bool {
        let _judging = self.judging.lock().await;
        if self.refusal().is_some() {
            return false;
        }
        let witnesses = match self.heard_witness(None) {
            Some(witness) => vec![witness],
            None => self.unheard_witnesses(),
        };
        for (form, sink) in witnesses {
            if self.look_at(&form, self.newest_second(), sink.as_ref()).await.is_ok() {
                return true;
            }
        }
        false
    }

    /// A few functions of which nothing was heard, those that were not asked yet before the others.
    fn unheard_witnesses(&self) -> Vec<(FunctionUrn, Option<PageSink>)> {
        let Witnesses::Functions(functions) = &*lock(&self.witnesses) else { return Vec::new() };
        let silent = lock(&self.silent);
        let was_asked = |urn: &FunctionUrn| silent.contains_key(urn);
        let fresh = functions.iter().filter(|witness| !was_asked(&witness.urn));
        let asked = functions.iter().filter(|witness| was_asked(&witness.urn));
        let forms = fresh.chain(asked).filter_map(|witness| {
            Some((self.forms.of_witness(&witness.urn)?, witness.sink.clone()))
        });
        forms.take(MOST_UNHEARD).collect()
    }

    /// A function that was heard in this run, other than this one, in a form that may be known.
    fn heard_witness(
        &self,
        except: Option<&FunctionUrn>,
    ) -> Option<(FunctionUrn, Option<PageSink>)> {
        let Witnesses::Functions(functions) = &*lock(&self.witnesses) else { return None };
        let heard = lock(&self.heard);
        let mut others = functions
            .iter()
            .filter(|other| Some(&other.urn) != except && heard.contains_key(&other.urn));
        others.find_map(|other| Some((self.forms.of_witness(&other.urn)?, other.sink.clone())))
    }

    /// How many functions the run is about beside one, as far as is known.
    pub(super) fn others_of_run(&self) -> u32 {
        u32::try_from(self.functions_of_run().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// How many functions the run is about, as far as is known.
    fn functions_of_run(&self) -> usize {
        match &*lock(&self.witnesses) {
            Witnesses::Functions(functions) => functions.len(),
            Witnesses::Nobody | Witnesses::Listing => 1,
        }
    }
}

fn is_forbidden(failure: &CallFailure) -> bool {
    failure.meaning == Meaning::Forbidden
}
