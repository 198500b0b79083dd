//! What to do about a failure, in words: as it is done on the command line, by its options and
//! variables.
//!
//! The rooms below say what is to be done, and know nothing of how. So whoever sets the program up
//! in another way, as by a file, is given other words for the same steps here, and nowhere else.

use crate::error::{Hint, Step};
use crate::store::maintain::Repair;
use std::borrow::Cow;

/// A hint as it is shown.
pub(super) fn words(hint: &Hint) -> Cow<'_, str> {
    match hint {
        Hint::Words(words) => Cow::Borrowed(words),
        Hint::Step(step) => Cow::Borrowed(by_options(*step)),
    }
}

/// How a step is taken on the command line.
fn by_options(step: Step) -> &'static str {
    match step {
        Step::NameArchive => {
            "give its path with --db or FGARCHIVE_DB, or run `fgarchive sync` to begin one"
        }
        Step::NameOtherArchive => {
            "it was left as it was; give another path with --db or FGARCHIVE_DB"
        }
        Step::Begin => "run `fgarchive sync` first",
        Step::Upgrade => "run `fgarchive sync` once, which upgrades it",
        Step::Recover => {
            "`fgarchive check` may tell more of it; keep a copy of the file, then put back a \
             backup, or recover what can be read: sqlite3 ARCHIVE .recover | sqlite3 RECOVERED.db"
        }
        Step::ReadTables => {
            "one reading statement is allowed; `fgarchive query schema` lists the tables, and \
             text stands in single quotes"
        }
        Step::AskLessOrLonger => {
            "ask about less at once, a report by --since and --until, SQL by WHERE and LIMIT, or \
             raise --timeout"
        }
        Step::AskLessOrWithMore => "ask for less at once, or raise --max-memory",
        Step::ReadReport => "`fgarchive query NAME --explain` shows what a report takes",
        Step::FillIn => "give each parameter a value, and no other: --param NAME=VALUE",
        Step::SlowDown => "lower --max-rps, or run again later",
        Step::AwaitService => {
            "run again later; if it stays, check --endpoint and any proxy in between"
        }
        Step::ReachService => {
            "check --endpoint, the network and any proxy; --ca-cert adds a private authority"
        }
        Step::ReachIam => {
            "check the address of IAM (OS_AUTH_URL, HUAWEICLOUD_SDK_IAM_ENDPOINT), the network and \
             any proxy; with --project-id no project is looked up"
        }
        Step::TrustService => {
            "check --endpoint and this machine's clock; --ca-cert adds a private authority, such \
             as a proxy's own"
        }
        Step::PassProxy => {
            "check the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY; NO_PROXY names who needs none"
        }
        Step::CorrectLogin => {
            "check the user name, its domain and the password that were given (OS_USERNAME, \
             OS_USER_DOMAIN_NAME, OS_PASSWORD); too many wrong passwords lock a user for a while"
        }
        Step::CorrectFunction => {
            "check the function's URN, --region and --project-id; one that the service lists none \
             the less can be left out by `exclude` in the configuration"
        }
        Step::CorrectProject => "check --endpoint, --region and --project-id",
        Step::NameProject => "set HUAWEICLOUD_SDK_PROJECT_ID or give --project-id",
        Step::CheckAddress => "check that --endpoint is FunctionGraph itself",
        Step::SettleLater => {
            "what was late or changed is archived now; if it was late, a longer --settle-delay \
             catches it"
        }
        Step::ReadRejects => {
            "`fgarchive query rejects` shows what came; a function can be named by its URN"
        }
        Step::ListFunctions => "`fgarchive status` lists those that it holds",
        Step::WalkAgain => {
            "run it again: unproven ranges are walked again; `fgarchive query coverage` lists them"
        }
        Step::RunMoreOften => {
            "run sync more often; `fgarchive query coverage` lists what is lost, and later runs \
             leave it alone"
        }
        Step::SayMore => "run it again; if it stays, -v tells more",
    }
}

/// What to do about a finding of a check.
pub(super) fn repair(repair: Repair) -> &'static str {
    match repair {
        Repair::Words(words) => words,
        Repair::SumUpAgain => "`fgarchive check --accept` sums the records up again",
        Repair::CompareDays => {
            "compare these days with the service as far back as it reaches, `fgarchive verify \
             --since DAY --until DAY`, or with a backup; then `fgarchive check --accept` notes the \
             records as they are"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_step_is_told_by_options_and_words_stay_as_they_are() {
        assert_eq!(words(&"free some space".into()), "free some space");
        assert_eq!(words(&Step::Begin.into()), "run `fgarchive sync` first");
        assert_eq!(words(&Step::SlowDown.into()), "lower --max-rps, or run again later");
        assert!(words(&Step::CorrectLogin.into()).contains("OS_PASSWORD"));
        assert_eq!(repair(Repair::Words("keep it")), "keep it");
        assert!(repair(Repair::CompareDays).contains("check --accept"));
    }
}
