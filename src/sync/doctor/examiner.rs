//! What is asked in which order: the credentials, the functions, and then one of them.

use super::prober::Prober;
use super::question::{Subject, probe_page, unless_all};
use crate::api::{CallFailure, Client, Meaning};
use crate::clock::Clock;
use crate::domain::{FunctionFilter, FunctionUrn, Marker, PAGE_LIMIT, ProbeQuery, Timestamp};
use crate::plan::probe::{self, Finding, Verdict};
use crate::plan::windows::MAX_WINDOW;
use crate::requester::{Requester, Source, Witness, Witnesses, list_functions};
use crate::sync::discovery::complete;
use crate::sync::settings::Settings;
use std::time::Duration;

/// So many functions are looked at one by one; a project may have hundreds, and each costs two
/// requests.
const MOST_FUNCTIONS: usize = 100;

/// A function with so many records tells enough, and no other is looked for.
const ENOUGH_RECORDS: u64 = 200;

/// Where one function is asked for, the shortest window that is tried when longer ones are refused.
const SHORTEST_WINDOW: Duration = Duration::from_hours(1);

/// What a check-up came to.
#[derive(Debug)]
pub struct Checkup {
    /// What was found, with the function where it is about one, in the order in which it was looked
    /// at.
    pub findings: Vec<(Option<FunctionUrn>, Finding)>,
    /// The call that ended it early.
    pub failure: Option<CallFailure>,
    /// How many requests it took.
    pub requests: u64,
    /// When it ended, by the service's clock as far as that is known.
    pub at: Timestamp,
}

impl Checkup {
    /// The worst of what was found.
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().map(|(_, finding)| finding.verdict).max().unwrap_or(Verdict::Ok)
    }
}

/// Looks at the credentials of `source`, the project, the functions of `settings` or all of them,
/// and what is open. The failure is that of the project, where functions are named without it:
/// nothing can be looked at then.
pub async fn examine(
    client: Client,
    settings: &Settings,
    clock: &Clock,
    source: &str,
) -> Result<Checkup, CallFailure> {
    let named = if settings.all_functions {
        Vec::new()
    } else {
        complete(&client, &settings.functions).await?
    };
    let requester = Requester::new(client, clock.clone(), settings.politeness());
    let filter = &settings.filter;
    let mut examiner =
        Examiner { requester: &requester, named, filter, skew: None, findings: Vec::new() };
    let failure = examiner.examine(source).await.err();
    let findings = examiner.conclude(failure.as_ref());
    Ok(Checkup { findings, failure, requests: requester.sent().sent, at: requester.service_now() })
}

/// Looks at one thing after the other.
struct Examiner<'a> {
    requester: &'a Requester<Client>,
    /// The functions to look at; all of the project where none is named.
    named: Vec<FunctionUrn>,
    /// Which of those are meant.
    filter: &'a FunctionFilter,
    /// The service's clock less ours, once an answer told.
    skew: Option<i64>,
    findings: Vec<(Option<FunctionUrn>, Finding)>,
}

impl Examiner<'_> {
    async fn examine(&mut self, source: &str) -> Result<(), CallFailure> {
        let functions = self.functions().await?;
        let witnesses = functions.iter().cloned().map(Witness::new);
        self.requester.call_on(Witnesses::Functions(witnesses.collect()));
        // The listing of functions, or their names, needed it: nothing is asked here.
        let client = self.requester.source();
        let project = format!("{} in {}", client.project_id().await?, client.region());
        self.add(
            None,
            Finding::new("project", Verdict::Ok, project, "given, or looked up by the region"),
        );
        let subject = self.choose(&functions).await?;
        self.add(None, Finding::new("credentials", Verdict::Ok, "accepted", source));
        for urn in functions.iter().take(MOST_FUNCTIONS) {
            let source = self.requester.source();
            let call = |urn: FunctionUrn| async move { source.recording(&urn).await };
            let finding = match self.requester.recording(urn, call).await {
                Ok(enabled) => probe::recording(enabled),
                Err(failure) => Finding::failed("recording", &unless_all(self.requester, failure)?),
            };
            self.add(Some(urn.clone()), finding);
        }
        let Some(subject) = subject else { return Ok(()) };
        let urn = subject.urn.clone();
        let mut prober = Prober::new(self.requester, urn.clone());
        let ended = prober.probe(subject).await;
        for finding in prober.conclude(self.requester.service_now()) {
            self.add(Some(urn.clone()), finding);
        }
        ended
    }

    fn add(&mut self, function: Option<FunctionUrn>, finding: Finding) {
        self.findings.push((function, finding));
    }

    /// The named functions, or all of the project.
    async fn functions(&mut self) -> Result<Vec<FunctionUrn>, CallFailure> {
        if !self.named.is_empty() {
            return Ok(self.named.clone());
        }
        self.requester.call_on(Witnesses::Listing);
        let list = list_functions(self.requester).await?;
        let first =
            self.requester.ask(|| self.requester.source().list_functions(Marker(0))).await?;
        let came = format!("{} came on the first page", first.functions.len());
        let (verdict, evidence) = match (&list.problem, list.unreadable) {
            (Some(problem), _) => (Verdict::Warning, format!("there may be more: {problem}")),
            (None, 0) => (Verdict::Ok, came),
            (None, unreadable) => {
                (Verdict::Warning, format!("{unreadable} more entries cannot be read; {came}"))
            }
        };
        let mut functions = list.functions;
        self.add(
            None,
            Finding::new(
                "functions of the project",
                verdict,
                functions.len().to_string(),
                evidence,
            ),
        );
        functions.retain(|urn| self.filter.admits(urn));
        Ok(functions)
    }

    /// The function that shows most, among the first ones.
    async fn choose(&mut self, functions: &[FunctionUrn]) -> Result<Option<Subject>, CallFailure> {
        let mut chosen: Option<Subject> = None;
        let mut failed = None;
        for urn in functions.iter().take(MOST_FUNCTIONS) {
            let subject = match self.look_at(urn).await {
                Ok(subject) => subject,
                Err(failure) => {
                    let failure = unless_all(self.requester, failure)?;
                    failed.get_or_insert_with(|| failure.clone());
                    let cannot = Finding::new(
                        "records",
                        Verdict::Failure,
                        "cannot be listed",
                        failure.to_string(),
                    );
                    self.add(Some(urn.clone()), cannot);
                    continue;
                }
            };
            if chosen.as_ref().is_none_or(|chosen| chosen.first.length() < subject.first.length()) {
                chosen = Some(subject);
            }
            if chosen.as_ref().is_some_and(|chosen| chosen.first.length() >= ENOUGH_RECORDS) {
                break;
            }
        }
        match (chosen, failed) {
            (None, Some(failure)) => Err(failure),
            (None, None) => {
                self.add(
                    None,
                    Finding::new(
                        "functions",
                        Verdict::Warning,
                        "none",
                        "the project lists no function",
                    ),
                );
                Ok(None)
            }
            (chosen, _) => Ok(chosen),
        }
    }

    /// The first page of the longest window that is not refused.
    async fn look_at(&mut self, urn: &FunctionUrn) -> Result<Subject, CallFailure> {
        let mut length = MAX_WINDOW;
        let mut refused = None;
        loop {
            let now = self.requester.service_now();
            let span = (now - length, now);
            let query = ProbeQuery {
                span: Some(span),
                marker: Some(Marker(0)),
                limit: Some(PAGE_LIMIT),
                ..ProbeQuery::default()
            };
            match probe_page(self.requester, urn, &query).await {
                Ok((first, _)) => {
                    self.skew = self.skew.or(self.requester.skew());
                    if self.findings.iter().all(|(_, finding)| finding.question != "longest window")
                    {
                        self.add(Some(urn.clone()), probe::longest_window(length, refused));
                    }
                    return Ok(Subject { urn: urn.clone(), span, first });
                }
                Err(failure) if failure.meaning == Meaning::Refused && length > SHORTEST_WINDOW => {
                    refused = Some(length);
                    length /= 2;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Everything that was found, with what ended it.
    fn conclude(mut self, failure: Option<&CallFailure>) -> Vec<(Option<FunctionUrn>, Finding)> {
        if let Some(skew) = self.skew {
            self.findings.insert(0, (None, probe::clock(skew)));
        }
        if let Some(failure) = failure {
            let question = if failure.is_denied() { "access" } else { "service" };
            let answer = if failure.is_denied() { "refused" } else { "no answer to be used" };
            self.add(None, Finding::new(question, Verdict::Failure, answer, failure.to_string()));
        }
        self.findings
    }
}
