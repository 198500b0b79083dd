//! A file is read as it is meant, and what is wrong is told with its place.

use super::*;
use crate::domain::BuiltIn;
use crate::error::Hint;
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use std::fs;

const PATH: &str = "/etc/fgarchive/config.toml";

fn parsed(text: &str) -> Result<ConfigFile, Failure> {
    parse(Path::new(PATH), text.to_owned(), Some(Path::new("/home/me")))
}

/// What is said of a text: where, what, and what to do.
fn said(text: &str) -> (String, String) {
    let failure = parsed(text).unwrap_err();
    assert_eq!(failure.kind.exit_code(), 2, "{text}");
    let begin = format!("the configuration `{PATH}`, line ");
    let said = failure.to_string();
    let said = said.strip_prefix(&begin).unwrap_or_else(|| panic!("{said}")).to_owned();
    let hint = match failure.hint {
        Some(Hint::Words(words)) => words,
        other => format!("{other:?}"),
    };
    (said, hint)
}

/// A file that says everything that can be said.
const WHOLE: &str = r#"
archive = "/var/lib/fgarchive/fgarchive.db"
reports = ["reports", "~/reports"]

[defaults]
region = "cn-north-4"
since = "30d"
settle_delay = "15m"
open_recheck = "1h"
max_rps = 5
concurrency = 4
request_timeout = "1m"
verify_budget = 2.5
ca_cert = "ca.pem"
allow_plain_http = false

[[source]]
name = "shop"
region = "cn-east-3"
project_id = "0f5a"
endpoint = "https://gate.example"
functions = ["default:*", "billing:invoice-*", "api:orders:!prod", "!default:old"]
exclude = ["*:test-*"]
credentials = { command = ["pass", "show", "hw/shop"] }
since = "2026-01-01"
max_rps = 0.5

[[source]]
name = "other"
credentials = { env = "OTHER" }

[notify]
ping = "https://hc-ping.com/0f5a"
"#;

#[test]
fn a_whole_file_is_read_and_each_value_knows_where_it_stands() {
    let file = parsed(WHOLE).unwrap();
    let archive = file.archive().unwrap();
    assert_eq!(archive.value, Path::new("/var/lib/fgarchive/fgarchive.db"));
    assert_eq!(archive.origin.to_string(), format!("archive in the file `{PATH}`, line 2"));
    assert_eq!(
        file.reports().unwrap().value,
        ["/etc/fgarchive/reports", "/home/me/reports"].map(PathBuf::from)
    );
    let notify = file.notify();
    let ping = notify.ping.as_ref().unwrap().value.to_string();
    assert_eq!(ping, "https://hc-ping.com/0f5a");
    assert_eq!(file.source_names(), ["shop", "other"]);
    let [shop, other] = &file.sources[..] else { panic!("{:?}", file.sources) };
    assert!((shop.section.max_rps.as_ref().unwrap().value - 0.5).abs() < f64::EPSILON);
    assert_eq!(
        shop.section.max_rps.as_ref().unwrap().origin.to_string(),
        format!("max_rps in the file `{PATH}`, line 26")
    );
    assert_eq!(shop.section.settle_delay, None);
    assert_eq!(file.defaults.ca_cert.as_ref().unwrap().value, Path::new("/etc/fgarchive/ca.pem"));
    assert_eq!((shop.functions.len(), shop.is_listing), (1, true));
    assert_eq!((shop.filter.include.len(), shop.filter.exclude.len()), (2, 2));
    assert_eq!((other.functions.len(), other.is_listing), (0, true));
}

#[test]
fn an_empty_file_says_nothing() {
    for text in ["", "\n# only a comment\n", "\u{feff}"] {
        let file = parsed(text).unwrap();
        assert_eq!((file.archive(), file.source_names()), (None, Vec::new()));
    }
}

/// Texts that are refused, each with where and why, and what is advised.
type Refused<'a> = &'a [(&'a str, &'a str, &'a str)];

fn assert_refused(mistakes: Refused<'_>) {
    for (text, expected, hint) in mistakes {
        assert_eq!(said(text), ((*expected).to_owned(), (*hint).to_owned()), "{text}");
    }
}

/// How a source begins.
const SOURCE: &str = "[[source]]\nname = \"a\"\n";

#[test]
fn a_key_that_nobody_knows_is_named_with_its_place_and_the_nearest() {
    let source = SOURCE;
    assert_refused(&[
        (
            "archiv = \"a.db\"",
            "1, column 1: there is no key `archiv` here",
            "the nearest key is `archive`",
        ),
        (
            &*format!("{source}regoin = \"cn-north-4\"\n"),
            "3, column 1: there is no key `regoin` here",
            "the nearest key is `region`",
        ),
        (
            &*format!("{source}verify_budget = 2\n"),
            "3, column 1: there is no key `verify_budget` here",
            "it belongs in [defaults]",
        ),
        (
            "[defaults]\nendpoint = \"https://x.example\"",
            "2, column 1: there is no key `endpoint` here",
            "it belongs in a [[source]]",
        ),
        (
            "[defaults]\nname_of = 1",
            "2, column 1: there is no key `name_of` here",
            "the keys here are verify_budget, region, since, settle_delay, open_recheck, max_rps, \
             concurrency, request_timeout, ca_cert, allow_plain_http",
        ),
        (
            "[defaults]\nmax_rpm = 5",
            "2, column 1: there is no key `max_rpm` here",
            "the nearest key is `max_rps`",
        ),
        (
            "[default]\nmax_rps = 5",
            "1, column 2: there is no key `default` here",
            "the nearest key is `defaults`",
        ),
    ]);
}

#[test]
fn a_value_that_means_nothing_is_named_with_its_place() {
    assert_refused(&[
        (
            "[defaults]\nmax_rps = \"5\"",
            "2, column 11: the value is a text in quotes, and a number is expected",
            "None",
        ),
        (
            "[defaults]\nsettle_delay = 15",
            "2, column 16: the value is an integer, and a text in quotes is expected",
            "None",
        ),
        (
            "[defaults]\nsettle_delay = \"15 apples\"",
            "2, column 16: `settle_delay`: \"15 apples\" is no duration such as 15m or 36h: \
             unknown time unit \"apples\", supported units: ns, us/µs, ms, sec, min, hours, \
             days, weeks, months, years (and few variations)",
            "None",
        ),
        (
            "[defaults]\nsince = \"soon\"",
            "2, column 9: `since`: \"soon\" is neither a time nor an age such as 30d",
            "None",
        ),
        ("[defaults]\nmax_rps = 0", "2, column 11: `max_rps`: must be greater than 0", "None"),
        (
            "[defaults]\nconcurrency = 65",
            "2, column 15: `concurrency`: 65 is not between 1 and 64",
            "None",
        ),
        (
            "[defaults]\nconcurrency = 1.5",
            "2, column 15: the value is a number, and an integer is expected",
            "None",
        ),
        (
            "[defaults]\nverify_budget = 101",
            "2, column 17: `verify_budget`: it lies between 0 and 100",
            "None",
        ),
    ]);
}

#[test]
fn a_source_that_says_nothing_is_named_with_its_place() {
    let source = SOURCE;
    assert_refused(&[
        (
            "[source]\nname = \"a\"",
            "1, column 1: the value is a table, and a list is expected",
            "None",
        ),
        ("[[source]]\n", "1, column 1: the key `name` is missing", "None"),
        (
            "[[source]]\nname = \"a b\"",
            "2, column 8: `name`: a name has 1 to 64 letters, digits, `-`, `_`, `.` or `/`",
            "None",
        ),
        (
            &*format!("{source}functions = []"),
            "3, column 13: `functions` is empty: leave it out for every function of the project",
            "None",
        ),
        (
            &*format!("{source}functions = \"a\""),
            "3, column 13: the value is a text in quotes, and a list is expected",
            "None",
        ),
        (
            &*format!("{source}functions = [\"a\", \"b:c:d:*\"]"),
            "3, column 19: `functions`: `b:c:d:*` is no pattern of `package:name[:version]`",
            "None",
        ),
        (
            &*format!("{source}project_id = \"../x\""),
            "3, column 14: `project_id`: \"../x\" is no project id: it has letters, digits, \
             `-` and `_` only",
            "None",
        ),
    ]);
}

#[test]
fn what_contradicts_itself_is_named_with_its_place() {
    let source = SOURCE;
    assert_refused(&[
        (
            &*format!("{source}credentials = {{ profile = \"p\", env = \"P\" }}"),
            "3, column 15: `credentials`: one of `profile`, `env`, `file`, \
             `command` and `metadata` says how to log in",
            "None",
        ),
        (
            &*format!("{source}credentials = {{}}"),
            "3, column 15: `credentials`: one of `profile`, `env`, `file`, \
             `command` and `metadata` says how to log in",
            "None",
        ),
        (
            &*format!("{source}credentials = {{ command = [] }}"),
            "3, column 15: `credentials`: `command` is a program and its arguments",
            "None",
        ),
        (
            &*format!("{source}credentials = {{ env = \"SHOP-\" }}"),
            "3, column 15: `credentials`: `env` is what the variables' names begin with, such \
             as SHOP for SHOP_AK",
            "None",
        ),
        (
            &*format!("{source}project_id = \"p\"\n{source}"),
            "4, column 1: two sources are named `a`",
            "None",
        ),
        (
            &*format!(
                "{source}functions = [\"f\"]\n[[source]]\nname = \"b\"\nfunctions = [\"default:f\"]"
            ),
            "4, column 1: the sources `a` and `b` both hold the function `default:f`",
            "None",
        ),
        (
            &*format!("{source}[[source]]\nname = \"b\""),
            "3, column 1: the sources `a` and `b` both hold every function of one project",
            "None",
        ),
        (
            &*format!("{source}region = \"r\"\nfunctions = [\"urn:fss:s:p:function:default:f\"]"),
            "4, column 13: the function `urn:fss:s:p:function:default:f` is of another region \
             or project than its source",
            "None",
        ),
        ("a = ", "1, column 5: string values must be quoted, expected literal string", "None"),
        ("archive = \"a\"\narchive = \"b\"", "2, column 1: duplicate key", "None"),
    ]);
}

#[test]
fn a_secret_that_does_not_belong_here_is_not_shown() {
    for (text, hint) in [
        ("[[source]]\nname = \"a\"\nsk = \"hunter2\"", "no secret stands in"),
        ("[[source]]\nname = \"a\"\ncredentials = \"hunter2\"", "None"),
        ("[[source]]\nname = \"a\"\ncredentials = { sk = \"hunter2\" }", "no secret stands in"),
        ("[[source]]\nname = \"a\"\nendpoint = 1 # https://u:hunter2@x", "None"),
    ] {
        let failure = parsed(text).unwrap_err();
        let shown = format!("{failure} {failure:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(format!("{:?}", failure.hint).contains(hint), "{shown}");
    }
}

#[test]
fn what_is_no_text_file_is_refused_and_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    fs::write(at("latin"), b"# a\narchive = \"\xe9\"\n").unwrap();
    fs::write(at("huge"), vec![b'\n'; 1024 * 1024 + 1]).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RWXU).unwrap();
    for (name, expected) in [
        ("latin", ": line 2 is not UTF-8"),
        ("huge", ": it is larger than 1048576 bytes"),
        ("pipe", ": it is not a regular file"),
        ("", ": it is not a regular file"),
        ("missing", ": No such file or directory (os error 2)"),
    ] {
        let failure = read(&at(name), None).unwrap_err();
        let begin = format!("cannot read the configuration `{}`", at(name).display());
        assert_eq!(failure.to_string(), format!("{begin}{expected}"));
        assert_eq!(failure.kind.exit_code(), 2);
    }
}

proptest! {
    /// Whatever is done to a good file, it is read, or refused with a line that it has.
    #[test]
    fn a_file_that_is_nearly_right_is_read_or_refused_at_a_line_within_it(
        at in 0..WHOLE.len(),
        length in 0_usize..12,
        put in "[\\[\\]{}\"'=.,#a-z0-9\n é-]{0,6}",
    ) {
        let (begin, end) = (at, (at + length).min(WHOLE.len()));
        let text = format!("{}{put}{}", &WHOLE[..begin], &WHOLE[end..]);
        if let Err(failure) = parsed(&text) {
            prop_assert_eq!(failure.kind.exit_code(), 2);
            let lines = text.lines().count() + 1;
            let said = failure.to_string();
            let named = said.split("`, line ").nth(1).and_then(|rest| rest.split(',').next());
            let line: usize = named.and_then(|number| number.parse().ok()).unwrap_or(0);
            prop_assert!((1..=lines).contains(&line), "{}", failure);
            if let Some(place) = &failure.place {
                prop_assert!((1..=lines).contains(&place.line), "{}", failure);
                prop_assert_eq!(text.lines().nth(place.line - 1).unwrap_or(""), &place.text);
                let width = place.text.chars().count() + 1;
                prop_assert!(place.column <= width, "{}", failure);
            }
        }
    }
}

#[test]
fn who_is_told_is_an_address() {
    for (address, why) in [
        ("hc-ping.com/0f5a", "it is no URL"),
        ("ftp://hc-ping.com/0f5a", "its scheme is neither https nor http"),
        ("https://me:mine@hc-ping.com", "it holds a user name or a password"),
        ("https://hc-ping.com/0f5a?create=1", "it holds a query or a fragment"),
    ] {
        let (said, _) = said(&format!("[notify]\nping = \"{address}\"\n"));
        assert_eq!(said, format!("2, column 8: `ping`: it cannot be used: {why}"));
    }
    assert!(
        parsed("[notify]\nping = \"http://alarms.example/a\"\n").unwrap().notify().ping.is_some()
    );
    let (said, _) = said("[notify]\npong = \"x\"\n");
    assert!(said.contains("`pong`"), "{said}");
}

const NOTIFY: &str = r#"
[notify]
command = ["tell-us", "now"]
webhook = "https://hooks.example/a?key=a-secret"
max_age = "1d"
ignore = ["gap", "late"]

[[alert]]
name = "failures"
when = "failed_percent > 5 and records >= 20"
over = "1h"
functions = ["billing:*", "default:report"]

[[alert]]
name = "slow"
report = "latency"
parameters = { limit = 5, status = "SUCCESS" }
when = "p99_s > 60"
rows = "first"
for = "10m"
"#;

#[test]
fn who_is_told_of_what_is_read() {
    let file = parsed(NOTIFY).unwrap();
    let notify = file.notify();
    assert!(notify.is_of_alerts() && notify.ignores(BuiltIn::Gap));
    assert!(!notify.ignores(BuiltIn::Lost));
    assert_eq!(notify.max_age.value, Duration::from_hours(24));
    let [failures, slow] = file.alerts() else { panic!("{:?}", file.alerts()) };
    assert_eq!((failures.report.as_str(), failures.over), ("summary", Some(HOUR)));
    assert_eq!(failures.when.value.to_string(), "failed_percent > 5 and records >= 20");
    assert_eq!((failures.is_first, failures.patience), (false, Duration::ZERO));
    assert_eq!(slow.parameters.len(), 2);
    assert_eq!(slow.parameters[0], ("limit".to_owned(), "5".to_owned()));
    assert_eq!((slow.is_first, slow.patience), (true, Duration::from_mins(10)));
    let nobody = parsed("").unwrap();
    assert!(!nobody.notify().is_anybody() && nobody.alerts().is_empty());
}

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn what_is_wrong_with_alerts_is_told_with_its_place() {
    let alert = |lines: &str| format!("[[alert]]\nname = \"a\"\nwhen = \"records > 1\"\n{lines}");
    for (text, place, hint) in [
        ("[notify]\nweb_hook = \"x\"\n".to_owned(), "2, column 1: there is no key", "webhook"),
        ("[notify]\nwebhook = \"x\"\n".to_owned(), "2, column 11: `webhook`: it cannot", ""),
        ("[notify]\ncommand = []\n".to_owned(), "2, column 11: `command`: `command` is a", ""),
        ("[notify]\ncommand = \"a\"\n".to_owned(), "2, column 11: the value is", ""),
        ("[notify]\nmax_age = \"often\"\n".to_owned(), "2, column 11: `max_age`:", ""),
        ("[notify]\nignore = [\"gaps\"]\n".to_owned(), "2, column 11: `ignore`", "`gap`"),
        ("[[alert]]\nname = \"a\"\n".to_owned(), "1, column 1: the key `when` is missing", ""),
        ("[[alert]]\nname = \"lost\"\nwhen = \"a > 1\"\n".to_owned(), "2, column 8: `name`", ""),
        ("[[alert]]\nname = \"a\"\nwhen = \"a\"\n".to_owned(), "3, column 8: `when`: each", ""),
        (alert("over = \"soon\"\n"), "4, column 8: `over`:", ""),
        (alert("rows = \"all\"\n"), "4, column 8: `rows`:", ""),
        (alert("functions = [\"\"]\n"), "4, column 14: `functions`: it is empty", ""),
        (alert("parameters = { a = [] }\n"), "4, column 14: `parameters`: `a` is", ""),
        (alert("overs = \"1h\"\n"), "4, column 1: there is no key `overs`", "`over`"),
        (alert(&alert("")), "5, column 8: two alerts are named `a`", ""),
        ("when = \"a > 1\"\n".to_owned(), "1, column 1: there is no key `when`", "[[alert]]"),
        ("ignore = []\n".to_owned(), "1, column 1: there is no key `ignore`", "[notify]"),
    ] {
        let (told, advice) = said(&text);
        assert!(told.starts_with(place) && advice.contains(hint), "{text}: {told} {advice}");
    }
}

/// Who knows the address can tell of what never was.
#[test]
fn a_line_with_an_address_of_somebody_who_is_told_is_not_shown() {
    for key in ["ping", "webhook"] {
        let failure = parsed(&format!("[notify]\n{key} = \"x.example/a-secret\"\n")).unwrap_err();
        assert!(failure.place.is_none() && !failure.to_string().contains("a-secret"));
    }
    assert!(!format!("{:?}", parsed(NOTIFY).unwrap().notify()).contains("a-secret"));
}
