//! What is asked about one function.

use super::question::{Subject, probe_page, unless_all};
use crate::api::{CallFailure, Client, Meaning};
use crate::domain::{FunctionUrn, Marker, PAGE_LIMIT, Page, ProbeQuery, Shape, Timestamp};
use crate::plan::probe::{self, Finding, Specimen};
use crate::requester::Requester;
use std::time::Duration;

/// A record this old is in no window by default.
const LONG_AGO: Duration = Duration::from_hours(2);

/// How much longer the window is each time that is to hold a few records, and how often it is
/// tried.
const WIDER: u32 = 4;
const WIDENINGS: u32 = 9;

/// The answers to the questions about one function.
pub(super) struct Prober<'a> {
    requester: &'a Requester<Client>,
    urn: FunctionUrn,
    shape: Shape,
    pages: Vec<Page>,
    findings: Vec<Finding>,
}

impl<'a> Prober<'a> {
    pub(super) fn new(requester: &'a Requester<Client>, urn: FunctionUrn) -> Self {
        Self { requester, urn, shape: Shape::default(), pages: Vec::new(), findings: Vec::new() }
    }

    pub(super) async fn probe(&mut self, subject: Subject) -> Result<(), CallFailure> {
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
    fn unless_failed(
        &mut self,
        question: &str,
        asked: Result<(), CallFailure>,
    ) -> Result<(), CallFailure> {
        if let Err(failure) = asked {
            let failure = unless_all(self.requester, failure)?;
            self.findings.push(Finding::failed(question, &failure));
        }
        Ok(())
    }

    /// Whether the same question is answered alike.
    async fn stability(
        &mut self,
        span: (Timestamp, Timestamp),
        first: &Page,
    ) -> Result<(), CallFailure> {
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
        self.ask_for(ProbeQuery {
            span,
            marker: Some(Marker(marker)),
            limit: Some(limit),
            request_id: None,
        })
        .await
    }

    /// How much comes on a page, and of a query.
    async fn sizes(
        &mut self,
        span: (Timestamp, Timestamp),
        first: &Page,
    ) -> Result<(), CallFailure> {
        let behind = self.ask(Some(span), first.length(), PAGE_LIMIT).await?;
        self.findings.push(probe::page_size(first, &behind, PAGE_LIMIT));
        let above = match self.ask(Some(span), 0, 2 * PAGE_LIMIT).await {
            Ok(page) => Some(page),
            Err(failure) if failure.meaning == Meaning::Refused => None,
            Err(failure) => return Err(failure),
        };
        self.findings.push(probe::limit_above(above.as_ref(), PAGE_LIMIT));
        let Some(counted) =
            first.count.filter(|&count| count > first.length() || behind.length() == 0)
        else {
            self.findings.push(probe::result_cap_unknown());
            return Ok(());
        };
        let handed_out = self.handed_out(span, first.length(), counted).await?;
        let mut in_parts = 0;
        for part in probe::parts(span, first) {
            in_parts =
                u64::saturating_add(in_parts, self.ask(Some(part), 0, 1).await?.count.unwrap_or(0));
        }
        self.findings.push(probe::result_cap(handed_out, counted, in_parts));
        Ok(())
    }

    /// How many of the counted records can be reached; the first `least` can.
    async fn handed_out(
        &mut self,
        span: (Timestamp, Timestamp),
        least: u64,
        counted: u64,
    ) -> Result<u64, CallFailure> {
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

    async fn shows(
        &mut self,
        specimen: &Specimen,
        span: (Timestamp, Timestamp),
    ) -> Result<bool, CallFailure> {
        Ok(specimen.is_on(&self.ask(Some(span), 0, PAGE_LIMIT).await?))
    }

    /// By which time windows select, and which of their bounds belong to them.
    async fn bounds(&mut self, specimen: &Specimen) -> Result<(), CallFailure> {
        let near_start = self.shows(specimen, Specimen::around(specimen.start)).await?;
        let near_end = self.shows(specimen, Specimen::around(specimen.end)).await?;
        let tells = specimen.tells_times_apart();
        self.findings.push(if tells {
            probe::filter(near_start, near_end)
        } else {
            probe::filter_unknown()
        });
        if near_start || near_end {
            let [from, until] =
                Specimen::at_bounds(if near_start { specimen.start } else { specimen.end });
            let (lower, upper) =
                (self.shows(specimen, from).await?, self.shows(specimen, until).await?);
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
    async fn few(
        &mut self,
        specimen: &Specimen,
    ) -> Result<Option<((Timestamp, Timestamp), Page)>, CallFailure> {
        for widening in 0..WIDENINGS {
            let by = Duration::from_secs(u64::from(WIDER.pow(widening)) * 10);
            let span =
                (specimen.start - by, (specimen.start + by).min(self.requester.service_now()));
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
        let bare =
            self.ask_for(ProbeQuery { request_id: id.clone(), ..ProbeQuery::default() }).await?;
        let elsewhere = self
            .ask_for(ProbeQuery { request_id: id, span: elsewhere, ..ProbeQuery::default() })
            .await?;
        self.findings.push(probe::look_up(specimen.is_on(&bare), specimen.is_on(&elsewhere)));
        Ok(())
    }

    /// What was found, with what all answers tell together.
    pub(super) fn conclude(self, now: Timestamp) -> Vec<Finding> {
        let mut findings = self.findings;
        findings.push(probe::oldest(&self.pages, now));
        findings.push(probe::unreadable(&self.pages));
        findings.extend(probe::forms(&self.shape));
        findings
    }
}
