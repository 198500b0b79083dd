//! A check-up: what stands in the way of archiving, and what the service does where its documentation is silent.
//!
//! Asks by read-only calls alone, at a run's pace and with its patience; what the answers mean is for
//! [`plan::probe`](crate::plan::probe) to say. Every loop here is bounded: some sixty requests and two a function. A question
//! that fails is a finding, and the others are asked all the same; only where nothing can be asked, the check-up ends.

use super::discovery::complete;
use super::settings::Settings;
use crate::api::{CallFailure, Client, Meaning};
use crate::clock::Clock;
use crate::domain::{FunctionUrn, Marker, PAGE_LIMIT, Page, ProbeQuery, Shape, Timestamp};
use crate::plan::probe::{self, Finding, Specimen, Verdict};
use crate::plan::windows::MAX_WINDOW;
use crate::requester::{Requester, Source, Witnesses, list_functions};
use std::time::Duration;

/// So many functions are looked at one by one; a project may have hundreds, and each costs two requests.
const MOST_FUNCTIONS: usize = 100;

/// A function with so many records tells enough, and no other is looked for.
const ENOUGH_RECORDS: u64 = 200;

/// Where one function is asked for, the shortest window that is tried when longer ones are refused.
const SHORTEST_WINDOW: Duration = Duration::from_hours(1);

/// A record this old is in no window by default.
const LONG_AGO: Duration = Duration::from_hours(2);

/// How much longer the window is each time that is to hold a few records, and how often it is tried.
const WIDER: u32 = 4;
const WIDENINGS: u32 = 9;

/// What a check-up came to.
#[derive(Debug)]
pub struct Checkup {
    /// What was found, with the function where it is about one, in the order in which it was looked at.
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
pub async fn examine(client: Client, settings: &Settings, clock: &Clock, source: &str) -> Result<Checkup, CallFailure> {
    let named = if settings.all_functions { Vec::new() } else { complete(&client, &settings.functions).await? };
    let requester = Requester::new(client, clock.clone(), settings.politeness());
    let mut examiner = Examiner { requester: &requester, named, skew: None, findings: Vec::new() };
    let failure = examiner.examine(source).await.err();
    let findings = examiner.conclude(failure.as_ref());
    Ok(Checkup { findings, failure, requests: requester.sent().sent, at: requester.service_now() })
}

/// Looks at one thing after the other.
struct Examiner<'a> {
    requester: &'a Requester<Client>,
    /// The functions to look at; all of the project where none is named.
    named: Vec<FunctionUrn>,
    /// The service's clock less ours, once an answer told.
    skew: Option<i64>,
    findings: Vec<(Option<FunctionUrn>, Finding)>,
}

/// The function that is asked about what is open, and the first page of its longest window.
struct Subject {
    urn: FunctionUrn,
    span: (Timestamp, Timestamp),
    first: Page,
}

/// The answers to the questions about one function.
struct Prober<'a> {
    requester: &'a Requester<Client>,
    urn: FunctionUrn,
    shape: Shape,
    pages: Vec<Page>,
    findings: Vec<Finding>,
}

impl Examiner<'_> {
    async fn examine(&mut self, source: &str) -> Result<(), CallFailure> {
        let functions = self.functions().await?;
        let witnesses = functions.iter().map(|urn| (urn.clone(), None));
        self.requester.call_on(Witnesses::Functions(witnesses.collect()));
        // The listing of functions, or their names, needed it: nothing is asked here.
        let client = self.requester.source();
        let project = format!("{} in {}", client.project_id().await?, client.region());
        self.add(None, Finding::new("project", Verdict::Ok, project, "given, or looked up by the region"));
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
        let mut prober = Prober {
            requester: self.requester,
            urn: urn.clone(),
            shape: Shape::default(),
            pages: Vec::new(),
            findings: Vec::new(),
        };
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
        let first = self.requester.ask(|| self.requester.source().list_functions(Marker(0))).await?;
        let came = format!("{} came on the first page", first.functions.len());
        let (verdict, evidence) = match (&list.problem, list.unreadable) {
            (Some(problem), _) => (Verdict::Warning, format!("there may be more: {problem}")),
            (None, 0) => (Verdict::Ok, came),
            (None, unreadable) => (Verdict::Warning, format!("{unreadable} more entries cannot be read; {came}")),
        };
        let functions = list.functions;
        self.add(None, Finding::new("functions of the project", verdict, functions.len().to_string(), evidence));
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
                    let cannot = Finding::new("records", Verdict::Failure, "cannot be listed", failure.to_string());
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
                self.add(None, Finding::new("functions", Verdict::Warning, "none", "the project lists no function"));
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
                    if self.findings.iter().all(|(_, finding)| finding.question != "longest window") {
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

/// The failure of one question, unless nothing else can be asked either. What is refused with 403 may be one function.
fn unless_all(requester: &Requester<Client>, failure: CallFailure) -> Result<CallFailure, CallFailure> {
    let may_be_one = failure.meaning == Meaning::Forbidden || !failure.is_denied();
    if may_be_one && requester.refusal().is_none() { Ok(failure) } else { Err(failure) }
}

async fn probe_page(
    requester: &Requester<Client>,
    urn: &FunctionUrn,
    query: &ProbeQuery,
) -> Result<(Page, Shape), CallFailure> {
    let call = |urn: FunctionUrn| async move { requester.timed(requester.source().probe(&urn, query)).await };
    let ((page, shape), sent) = requester.ask_of(urn, call).await?;
    requester.learn_time(sent, page.served_at);
    Ok((page, shape))
}

impl Prober<'_> {
    async fn probe(&mut self, subject: Subject) -> Result<(), CallFailure> {
        let Subject { span, first, .. } = subject;
        self.findings.push(probe::order(&first));
        let asked = self.stability(span, &first).await;
        self.unless_failed("order of equals", asked)?;
        let asked = self.sizes(span, &first).await;
        self.unless_failed("records on a page", asked)?;
        let specimen = Specimen::choose(&first);
        if let Some(specimen) = &specimen {
            let asked = self.bounds(specimen).await;
            self.unless_failed("bounds of a window", asked)?;
            let asked = self.paging(specimen).await;
            self.unless_failed("count", asked)?;
            let asked = self.look_up(specimen).await;
            self.unless_failed("window of a look-up by id", asked)?;
        }
        let asked = self.default_window(specimen.as_ref()).await;
        self.unless_failed("window by default", asked)?;
        self.pages.push(first);
        Ok(())
    }

    /// Notes that a question could not be asked, unless no other can.
    fn unless_failed(&mut self, question: &str, asked: Result<(), CallFailure>) -> Result<(), CallFailure> {
        if let Err(failure) = asked {
            let failure = unless_all(self.requester, failure)?;
            self.findings.push(Finding::failed(question, &failure));
        }
        Ok(())
    }

    /// Whether the same question is answered alike.
    async fn stability(&mut self, span: (Timestamp, Timestamp), first: &Page) -> Result<(), CallFailure> {
        let again = self.ask(Some(span), 0, PAGE_LIMIT).await?;
        self.findings.push(probe::stability(first, &again));
        Ok(())
    }

    /// Which window applies where none is given.
    async fn default_window(&mut self, specimen: Option<&Specimen>) -> Result<(), CallFailure> {
        let now = self.requester.service_now();
        let default = self.ask(None, 0, PAGE_LIMIT).await?;
        let has_older = specimen.is_some_and(|specimen| specimen.end < now - LONG_AGO);
        self.findings.push(probe::default_window(&default, has_older, now));
        Ok(())
    }

    async fn ask_for(&mut self, query: ProbeQuery) -> Result<Page, CallFailure> {
        let (page, shape) = probe_page(self.requester, &self.urn, &query).await?;
        self.shape.merge(&shape);
        self.pages.push(page.clone());
        Ok(page)
    }

    async fn ask(
        &mut self,
        span: Option<(Timestamp, Timestamp)>,
        marker: u64,
        limit: u32,
    ) -> Result<Page, CallFailure> {
        self.ask_for(ProbeQuery { span, marker: Some(Marker(marker)), limit: Some(limit), request_id: None }).await
    }

    /// How much comes on a page, and of a query.
    async fn sizes(&mut self, span: (Timestamp, Timestamp), first: &Page) -> Result<(), CallFailure> {
        let behind = self.ask(Some(span), first.length(), PAGE_LIMIT).await?;
        self.findings.push(probe::page_size(first, &behind, PAGE_LIMIT));
        let above = match self.ask(Some(span), 0, 2 * PAGE_LIMIT).await {
            Ok(page) => Some(page),
            Err(failure) if failure.meaning == Meaning::Refused => None,
            Err(failure) => return Err(failure),
        };
        self.findings.push(probe::limit_above(above.as_ref(), PAGE_LIMIT));
        let Some(counted) = first.count.filter(|&count| count > first.length() || behind.length() == 0) else {
            self.findings.push(probe::result_cap_unknown());
            return Ok(());
        };
        let handed_out = self.handed_out(span, first.length(), counted).await?;
        let mut in_parts = 0;
        for part in probe::parts(span, first) {
            in_parts = u64::saturating_add(in_parts, self.ask(Some(part), 0, 1).await?.count.unwrap_or(0));
        }
        self.findings.push(probe::result_cap(handed_out, counted, in_parts));
        Ok(())
    }

    /// How many of the counted records can be reached; the first `least` can.
    async fn handed_out(&mut self, span: (Timestamp, Timestamp), least: u64, counted: u64) -> Result<u64, CallFailure> {
        let (mut reached, mut beyond) = (least, counted.saturating_add(1));
        let mut next = counted;
        while reached + 1 < beyond {
            if self.ask(Some(span), next - 1, 1).await?.length() > 0 {
                reached = next;
            } else {
                beyond = next;
            }
            next = reached.midpoint(beyond);
        }
        Ok(reached)
    }

    async fn shows(&mut self, specimen: &Specimen, span: (Timestamp, Timestamp)) -> Result<bool, CallFailure> {
        Ok(specimen.is_on(&self.ask(Some(span), 0, PAGE_LIMIT).await?))
    }

    /// By which time windows select, and which of their bounds belong to them.
    async fn bounds(&mut self, specimen: &Specimen) -> Result<(), CallFailure> {
        let near_start = self.shows(specimen, Specimen::around(specimen.start)).await?;
        let near_end = self.shows(specimen, Specimen::around(specimen.end)).await?;
        let tells = specimen.tells_times_apart();
        self.findings.push(if tells { probe::filter(near_start, near_end) } else { probe::filter_unknown() });
        if near_start || near_end {
            let [from, until] = Specimen::at_bounds(if near_start { specimen.start } else { specimen.end });
            let (lower, upper) = (self.shows(specimen, from).await?, self.shows(specimen, until).await?);
            self.findings.push(probe::bounds(lower, upper));
        }
        Ok(())
    }

    /// What `count`, `marker` and `next_marker` say, in a window of a few records.
    async fn paging(&mut self, specimen: &Specimen) -> Result<(), CallFailure> {
        let Some((span, whole)) = self.few(specimen).await? else { return Ok(()) };
        let entries = whole.length();
        let two = self.ask(Some(span), 0, 2).await?;
        self.findings.push(probe::count(&two, entries));
        let later = self.ask(Some(span), 1, PAGE_LIMIT).await?;
        self.findings.push(probe::marker(&whole, &later));
        self.findings.push(probe::last_marker(&later, entries));
        Ok(())
    }

    /// A window of three records or a few more, which fit one page.
    async fn few(&mut self, specimen: &Specimen) -> Result<Option<((Timestamp, Timestamp), Page)>, CallFailure> {
        for widening in 0..WIDENINGS {
            let by = Duration::from_secs(u64::from(WIDER.pow(widening)) * 10);
            let span = (specimen.start - by, (specimen.start + by).min(self.requester.service_now()));
            let page = self.ask(Some(span), 0, PAGE_LIMIT).await?;
            if page.length() >= 3 {
                let behind = self.ask(Some(span), page.length(), PAGE_LIMIT).await?;
                return Ok((behind.length() == 0).then_some((span, page)));
            }
        }
        Ok(None)
    }

    /// Which window applies where a record is asked for by its id.
    async fn look_up(&mut self, specimen: &Specimen) -> Result<(), CallFailure> {
        if specimen.end > self.requester.service_now() - LONG_AGO {
            return Ok(());
        }
        let id = Some(specimen.id.clone());
        let elsewhere = Some((specimen.start - LONG_AGO * 2, specimen.start - LONG_AGO));
        let bare = self.ask_for(ProbeQuery { request_id: id.clone(), ..ProbeQuery::default() }).await?;
        let elsewhere = self.ask_for(ProbeQuery { request_id: id, span: elsewhere, ..ProbeQuery::default() }).await?;
        self.findings.push(probe::look_up(specimen.is_on(&bare), specimen.is_on(&elsewhere)));
        Ok(())
    }

    /// What was found, with what all answers tell together.
    fn conclude(self, now: Timestamp) -> Vec<Finding> {
        let mut findings = self.findings;
        findings.push(probe::oldest(&self.pages, now));
        findings.push(probe::unreadable(&self.pages));
        findings.extend(probe::forms(&self.shape));
        findings
    }
}
