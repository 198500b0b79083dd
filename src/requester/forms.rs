//! In which form of its URN a function is asked for: as it was given or listed, or the other one
//! where that is answered by "not found".

use crate::api::CallFailure;
use crate::domain::FunctionUrn;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Mutex as AsyncMutex;

/// What a run knows of the form of one function.
#[derive(Debug)]
pub(crate) struct Form {
    /// The form to ask with.
    pub(crate) current: FunctionUrn,
    /// Whether the service has answered to it.
    pub(crate) is_answered: bool,
    /// Whether the other form was tried: a run does so once a function.
    is_other_tried: bool,
    /// The failure of a function that is known in neither form.
    pub(crate) unknown: Option<CallFailure>,
}

impl Form {
    /// The form to try in place of one that was not found. `None` where no form is left to try.
    pub(crate) fn alternative(&mut self) -> Option<FunctionUrn> {
        let other = self.current.other_form().filter(|_| !self.is_other_tried);
        self.is_other_tried = true;
        other
    }

    /// Takes in that the other form was answered by something else than "not found": what passes
    /// tells nothing of it, and a refusal of the request itself comes of a function that is known.
    pub(crate) fn note_failure_of(&mut self, other: FunctionUrn, failure: &CallFailure) {
        if failure.is_temporary() {
            self.is_other_tried = false;
        } else {
            self.current = other;
        }
    }
}

/// The forms of the functions of a run.
#[derive(Debug, Default)]
pub(crate) struct Forms {
    of_functions: Mutex<HashMap<FunctionUrn, Arc<AsyncMutex<Form>>>>,
    /// The forms, as they are written, that were not found, each with the failure that said so.
    not_found: Mutex<HashMap<String, CallFailure>>,
}

impl Forms {
    /// The form of a function. It is held until a first request was answered, and while the other
    /// form is tried: all its requests wait for that.
    pub(crate) fn of(&self, urn: &FunctionUrn) -> Arc<AsyncMutex<Form>> {
        // Each holder does a single look-up, so a panic cannot leave the map half changed.
        let mut forms = self.of_functions.lock().unwrap_or_else(PoisonError::into_inner);
        let form = || Form {
            current: urn.clone(),
            is_answered: false,
            is_other_tried: false,
            unknown: None,
        };
        Arc::clone(forms.entry(urn.clone()).or_insert_with(|| Arc::new(AsyncMutex::new(form()))))
    }

    /// The form that the service answered to, if it did.
    pub(crate) async fn answered(&self, urn: &FunctionUrn) -> Option<FunctionUrn> {
        let form = self.of(urn);
        let form = form.lock().await;
        form.is_answered.then(|| form.current.clone())
    }

    /// Notes that a function answered a witness in this form, unless a request in line is finding
    /// out just now.
    pub(crate) fn note_answered(&self, form: &FunctionUrn) {
        if let Ok(mut known) = self.of(form).try_lock()
            && !known.is_answered
        {
            (known.current, known.is_answered, known.unknown) = (form.clone(), true, None);
        }
    }

    /// Notes that a form was not found, whether a request in line or a witness found out.
    pub(crate) fn note_not_found(&self, form: &FunctionUrn, failure: &CallFailure) {
        let mut not_found = self.not_found.lock().unwrap_or_else(PoisonError::into_inner);
        not_found.insert(form.as_given(), failure.clone());
    }

    /// The failure of a form that was not found before: it is not asked with again.
    pub(crate) fn not_found(&self, form: &FunctionUrn) -> Option<CallFailure> {
        self.not_found.lock().unwrap_or_else(PoisonError::into_inner).get(&form.as_given()).cloned()
    }

    /// A form to ask a witness with, without waiting for what is under way: one that was answered,
    /// or else one that was not answered with "not found"; none where neither is left.
    pub(crate) fn of_witness(&self, urn: &FunctionUrn) -> Option<FunctionUrn> {
        if let Ok(form) = self.of(urn).try_lock()
            && form.is_answered
        {
            return Some(form.current.clone());
        }
        let not_found = self.not_found.lock().unwrap_or_else(PoisonError::into_inner);
        let forms = [Some(urn.clone()), urn.other_form()].into_iter().flatten();
        forms.into_iter().find(|form| !not_found.contains_key(&form.as_given()))
    }
}
