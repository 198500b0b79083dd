//! What stands out: the functions that became worse or recovered, the worst first.

use super::answer::{Answer, AnswerRow};
use super::comparison::Change;
use super::figure::Figure;
use super::subject::Subject;
use super::text;

/// So many are told.
const MOST: usize = 10;
/// Of fewer records a share says little.
const LEAST_RECORDS: i64 = 20;
/// Percentiles of fewer successful records jump about by chance.
const LEAST_DURATIONS: f64 = 100.0;
/// So many points more or less of a percent are a change.
const LEAST_POINTS: f64 = 1.0;
/// So many standard errors apart two shares are, or chance may have made the difference: beyond
/// three it does so once in some hundreds of functions.
const LEAST_ERRORS: f64 = 3.0;
/// So many times as long is a change; what takes seconds varies so much by chance.
const LEAST_RATIO: f64 = 1.5;
const LEAST_SECONDS: f64 = 10.0;

/// A function of which something is to be said.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// `worse` or `better`, which gives it its look.
    pub(super) class: &'static str,
    /// The word beside the look.
    pub(super) word: &'static str,
    pub(super) function: Figure,
    /// What is said, before the figures.
    pub(super) words: String,
    pub(super) now: Figure,
    pub(super) was: Figure,
}

/// What stands out, as the report `compare` tells it.
pub(super) fn standing(compare: &Answer, subject: &Subject) -> Vec<Standing> {
    let comparable = |row: &AnswerRow<'_>| {
        row.count("records") >= LEAST_RECORDS && row.count("was_records") >= LEAST_RECORDS
    };
    let mut found: Vec<(f64, Standing)> = compare
        .rows()
        .filter(comparable)
        .flat_map(|row| {
            [failed(row, subject), slower(row, subject)].into_iter().flatten().collect::<Vec<_>>()
        })
        .collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    found.into_iter().take(MOST).map(|(_, standing)| standing).collect()
}

/// A share that failed which rose or fell, weighed by its points.
fn failed(row: AnswerRow<'_>, subject: &Subject) -> Option<(f64, Standing)> {
    let (was, now) = (row.number("was_failed_pct")?, row.number("failed_pct")?);
    let change = Change::of_share(Some(was), Some(now));
    let points = (now - was).abs();
    let is_told = points >= LEAST_POINTS
        && standard_errors((now, "records"), (was, "was_records"), row) >= LEAST_ERRORS;
    is_told.then(|| {
        let is_worse = now > was;
        let standing = Standing {
            class: change.class,
            word: if is_worse { "fails more" } else { "recovered" },
            function: Figure::of(row, "function", subject.zone),
            words: format!("share that failed, {}", change.words),
            now: Figure::of(row, "failed_pct", subject.zone),
            was: Figure::of(row, "was_failed_pct", subject.zone),
        };
        (if is_worse { points } else { -1.0 / points }, standing)
    })
}

/// How many standard errors two shares in percent are apart, each of so many records (the test of
/// two proportions with the pooled share).
fn standard_errors(one: (f64, &str), other: (f64, &str), row: AnswerRow<'_>) -> f64 {
    let (many, others) = (row.count(one.1) as f64, row.count(other.1) as f64);
    let (share, other_share) = (one.0 / 100.0, other.0 / 100.0);
    let pooled = (share * many + other_share * others) / (many + others);
    let error = (pooled * (1.0 - pooled) * (1.0 / many + 1.0 / others)).sqrt();
    if error > 0.0 { (share - other_share).abs() / error } else { 0.0 }
}

/// Successful records that take much longer, weighed below any that fail more.
fn slower(row: AnswerRow<'_>, subject: &Subject) -> Option<(f64, Standing)> {
    let (was, now) = (row.number("was_p90_s")?, row.number("p90_s")?);
    let ratio = now / was.max(1.0);
    // The report has the share that failed; the others were successful, but for what is open.
    let successful = |records, failed: Option<f64>| {
        row.count(records) as f64 * (1.0 - failed.unwrap_or_default() / 100.0)
    };
    let is_enough = successful("records", row.number("failed_pct"))
        .min(successful("was_records", row.number("was_failed_pct")))
        >= LEAST_DURATIONS;
    (is_enough && ratio >= LEAST_RATIO && now >= LEAST_SECONDS).then(|| {
        let standing = Standing {
            class: "worse",
            word: "slower",
            function: Figure::of(row, "function", subject.zone),
            words: format!("nine of ten took at most, {} times as long", text::rough_count(ratio)),
            now: Figure::of(row, "p90_s", subject.zone),
            was: Figure::of(row, "was_p90_s", subject.zone),
        };
        (ratio.ln().min(LEAST_POINTS) * 0.99, standing)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Zone;
    use crate::page::testing::answer;
    use crate::page::testing::at;
    use pretty_assertions::assert_eq;

    #[test]
    fn what_became_worse_comes_first_and_noise_is_left_out() {
        let compare = answer(
            "compare",
            "function | records | was_records | failed_pct | was_failed_pct | p90_s | was_p90_s
             worst | 100 | 100 | 40.0 | 5.0 | 10 | 10
             worse | 10000 | 10000 | 7.0 | 5.0 | 10 | 10
             chance | 100 | 100 | 7.0 | 5.0 | 10 | 10
             few | 10 | 100 | 90.0 | 5.0 | 10 | 10
             same | 100 | 100 | 5.5 | 5.0 | 10 | 10
             slower | 120 | 120 | 5.0 | 5.0 | 50 | 10
             by half | 5000 | 4000 | 5.0 | 5.0 | 907 | 487
             by a little | 5000 | 4000 | 5.0 | 5.0 | 140 | 100
             of few | 120 | 120 | 50.0 | 50.0 | 50 | 10
             quick | 120 | 120 | 5.0 | 5.0 | 4 | 1
             mended | 100 | 100 | 0.0 | 50.0 | 10 | 10
             new | 100 | 0 | 50.0 | | 10 |",
        );
        let range = (Some(at("01T00")), None);
        let subject = Subject::new(at("31T00"), Zone::UTC, range, vec![], String::new()).unwrap();
        let told: Vec<String> = standing(&compare, &subject)
            .iter()
            .map(|each| {
                format!(
                    "{} {}: {} {} {}",
                    each.function.shown, each.word, each.words, each.now.shown, each.was.shown
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "worst fails more: share that failed, 35 points more 40 % 5 %",
                "worse fails more: share that failed, 2 points more 7 % 5 %",
                "slower slower: nine of ten took at most, 5 times as long 50s 10s",
                "by half slower: nine of ten took at most, 1.9 times as long 15m 7s 8m 7s",
                "mended recovered: share that failed, 50 points less 0 % 50 %",
            ]
        );
    }
}
