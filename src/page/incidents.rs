//! The hours in which far more failed than usual, as the report `incidents` tells them.

use super::answer::{Answer, AnswerRow};
use super::figure::Figure;
use super::subject::Subject;

/// So many are told; the command tells all.
const MOST: usize = 10;

/// The state of a row that tells of no incident.
const TOO_FEW: &str = "not enough records";

/// What the report tells.
#[derive(Clone, Debug)]
pub(super) struct IncidentsView {
    /// The newest first.
    pub(super) rows: Vec<Incident>,
    pub(super) left_out: usize,
    /// Of so many functions nothing can be said.
    pub(super) too_few: usize,
}

/// One incident.
#[derive(Clone, Debug)]
pub(super) struct Incident {
    pub(super) is_going_on: bool,
    pub(super) function: Figure,
    pub(super) begin: Figure,
    pub(super) end: Figure,
    pub(super) failed: Figure,
    pub(super) records: Figure,
    pub(super) share: Figure,
    pub(super) usual: Figure,
    /// Missing where no failure has a message or a code.
    pub(super) error: Option<Figure>,
}

impl IncidentsView {
    pub(super) fn of(incidents: &Answer, subject: &Subject) -> Self {
        let is_incident = |row: &AnswerRow<'_>| row.text("state") != TOO_FEW;
        let all = incidents.rows().filter(is_incident).count();
        let rows = incidents.rows().filter(is_incident).take(MOST);
        Self {
            rows: rows.map(|row| Incident::of(row, subject)).collect(),
            left_out: all.saturating_sub(MOST),
            too_few: incidents.len() - all,
        }
    }
}

impl Incident {
    fn of(row: AnswerRow<'_>, subject: &Subject) -> Self {
        let figure = |column| Figure::of(row, column, subject.zone);
        Self {
            is_going_on: row.text("state") == "going on",
            function: figure("function"),
            begin: figure("begin"),
            end: figure("end"),
            failed: figure("failed"),
            records: figure("records"),
            share: figure("failed_pct"),
            usual: figure("usual_pct"),
            error: Some(figure("top_error")).filter(|error| !error.raw.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Zone;
    use crate::page::testing::answer;
    use crate::page::testing::at;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_function_with_too_few_records_is_no_incident() {
        let incidents = answer(
            "incidents",
            "function | begin | end | records | failed | failed_pct | usual_pct | state | top_error
             f | 2026-03-02T10:00:00Z | 2026-03-02T12:00:00Z | 90 | 45 | 50.0 | 2 | going on | died
             g | 2026-03-01T10:00:00Z | 2026-03-01T11:00:00Z | 9 | 9 | 100.0 | 2.5 | over |
             h | | 2026-03-30T00:00:00Z | 9 | 0 | 0.0 | | not enough records |",
        );
        let range = (Some(at("01T00")), None);
        let subject = Subject::new(at("31T00"), Zone::UTC, range, vec![], String::new()).unwrap();
        let view = IncidentsView::of(&incidents, &subject);
        assert_eq!((view.rows.len(), view.left_out, view.too_few), (2, 0, 1));
        let first = &view.rows[0];
        assert!(first.is_going_on && !view.rows[1].is_going_on);
        assert_eq!(
            (first.begin.shown.as_str(), first.share.shown.as_str()),
            ("2026-03-02 10:00", "50 %")
        );
        assert_eq!(first.error.as_ref().unwrap().shown, "died");
        assert_eq!(view.rows[1].error, None);
    }
}
