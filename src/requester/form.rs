//! Requests about one function, in the form of its URN that the service knows.

use super::about::About;
use super::forms::Form;
use super::project::{Failed, Requester};
use super::source::Source;
use crate::api::CallFailure;
use crate::domain::FunctionUrn;
use crate::plan::retry::Effort;

impl<S: Source> Requester<S> {
    /// Sends a request about a function in the form at hand, and where that is not found once in
    /// the other one.
    pub(crate) async fn ask_of<T, F>(
        &self,
        urn: &FunctionUrn,
        call: impl Fn(FunctionUrn) -> F,
    ) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        self.ask_of_with(Effort::Whole, urn, call).await.map_err(|failed| failed.failure)
    }

    /// The same, with as much patience as it is worth.
    pub(crate) async fn ask_of_with<T, F>(
        &self,
        effort: Effort,
        urn: &FunctionUrn,
        call: impl Fn(FunctionUrn) -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        self.note_asked(urn);
        let form = self.forms.of(urn);
        let mut held = form.lock().await;
        if let Some(failure) = &held.unknown {
            return Err(failure.clone().into());
        }
        let asked = held.current.clone();
        if held.is_answered {
            // Of a function that answered in this run, "not found" is about what was asked, or it
            // is gone by now.
            drop(held);
            let about = About::function(urn, effort);
            return self.ask_with(about, || call(asked.clone())).await;
        }
        // The others wait for the first answer: a form that is not known is asked once.
        match self.ask_unless_not_found(effort, &asked, &call).await {
            Err(failed) if failed.is_of_address() => {
                self.forms.note_not_found(&asked, &failed.failure);
                self.try_other_form(&mut held, failed.failure, call).await
            }
            answer => {
                held.is_answered |= answer.is_ok();
                answer
            }
        }
    }

    /// Sends a request in a form that may not be known: where a witness was told so already,
    /// nothing is sent.
    async fn ask_unless_not_found<T, F>(
        &self,
        effort: Effort,
        form: &FunctionUrn,
        call: &impl Fn(FunctionUrn) -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        match self.forms.not_found(form) {
            Some(failure) => Err(failure.into()),
            None => self.ask_with(About::function(form, effort), || call(form.clone())).await,
        }
    }

    /// Sends a request again whose function was not found, once in the other form. Where that is
    /// not found either, the run asks no more for the function.
    async fn try_other_form<T, F>(
        &self,
        form: &mut Form,
        failure: CallFailure,
        call: impl Fn(FunctionUrn) -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let Some(other) = form.alternative() else {
            form.unknown = Some(failure.clone());
            return Err(failure.into());
        };
        let about = About::function(&other, Effort::Whole);
        match self.ask_with(about, || call(other.clone())).await {
            Err(also) if also.is_of_address() => {
                self.forms.note_not_found(&other, &also.failure);
                form.unknown = Some(failure.clone());
                Err(failure.into())
            }
            Err(failed) => {
                form.note_failure_of(other, &failed.failure);
                Err(failed)
            }
            Ok(answer) => {
                (form.current, form.is_answered) = (other, true);
                Ok(answer)
            }
        }
    }

    /// The form of a function's URN that the service answered to, if it did.
    pub(crate) async fn answered_form(&self, urn: &FunctionUrn) -> Option<FunctionUrn> {
        self.forms.answered(urn).await
    }

    /// A form in which a function can be asked for beside the line.
    pub(crate) fn form_of_witness(&self, urn: &FunctionUrn) -> Option<FunctionUrn> {
        self.forms.of_witness(urn)
    }
}
