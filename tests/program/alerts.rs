//! `[notify] command` and `webhook`, `[[alert]]`, `alerts`: who is told what, and when.

use crate::cloud::{Cloud, settled_world};
use crate::listener::{Listener, next_request};
use crate::program::{Home, Program, Said};
use fgarchive::emulator::{BodyKind, Fault, Faults, Rule};
use pretty_assertions::assert_eq;
use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::io::{self, BufReader, Write};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Somebody who takes messages, and answers with a status that a test may change.
struct Hook {
    listener: Listener,
    told: Receiver<(String, Value)>,
    status: Arc<Mutex<u16>>,
}

impl Hook {
    fn new() -> Self {
        let (sender, told) = channel();
        let status = Arc::new(Mutex::new(204));
        let answered = Arc::clone(&status);
        let listener = Listener::new(move |_, stream| {
            let mut reader = BufReader::new(stream.try_clone()?);
            while let Some(asked) = next_request(&mut reader)? {
                let status = *answered.lock().unwrap();
                let _ = sender.send((asked.line, serde_json::from_str(&asked.body).unwrap()));
                let head = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
                reader.get_mut().write_all(head.as_bytes())?;
            }
            Ok(())
        });
        Self { listener, told, status }
    }

    fn url(&self) -> String {
        format!("{}/hook?key=a-secret", self.listener.url())
    }

    fn answers(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    /// What was told since the last look: `began gap of default:report` and the like.
    fn told(&self) -> Vec<Vec<String>> {
        self.told
            .try_iter()
            .map(|(line, message)| {
                assert_eq!(line, "POST /hook?key=a-secret");
                summed_up(&message)
            })
            .collect()
    }
}

/// The news of a message, without what depends on the moment.
fn summed_up(message: &Value) -> Vec<String> {
    assert_eq!(message["version"], 1);
    let news = message["alerts"].as_array().unwrap().iter().map(|alert| {
        let text = |key: &str| alert[key].as_str().unwrap().to_owned();
        assert_eq!(alert["ended_at"].is_null(), text("news") != "ended", "{alert}");
        format!("{} {} {}", text("news"), text("name"), text("subject")).trim_end().to_owned()
    });
    news.collect()
}

/// A rule that holds of every function with a record, so that a test can switch it.
const ANY: &str = "\n[[alert]]\nname = \"any\"\nwhen = \"records >= 1\"\nrows = \"first\"\n";

fn configure(home: &Home, notify: &str, alerts: &str) {
    let text = format!("[notify]\n{notify}\n{alerts}");
    fs::write(home.join("config.toml"), text).unwrap();
}

fn run(home: &Home, cloud: &Cloud) -> Program {
    home.sync_since(cloud, "2d").args(["--config", "config.toml"])
}

fn told_run(home: &Home, cloud: &Cloud) -> Said {
    run(home, cloud).args(["--notify"]).exits(0)
}

/// Lets so much time have passed since whatever was told.
fn pass(home: &Home, hours: i64) {
    let archive = Connection::open(home.db()).unwrap();
    let passed = |column: &str| {
        format!("{column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '-{hours} hours')")
    };
    let columns = ["began_at", "due_at", "seen_at", "ended_at"].map(passed).join(", ");
    archive.execute(&format!("UPDATE alerts SET {columns}"), []).unwrap();
    let columns = ["told_at", "ended_told_at"].map(passed).join(", ");
    archive.execute(&format!("UPDATE alert_tellings SET {columns}"), []).unwrap();
}

fn listed(home: &Home) -> Vec<String> {
    let said = home.run(["alerts", "--format", "json"]).exits(0);
    let list = said.json();
    let line = |alert: &Value| {
        let text = |key: &str| alert[key].as_str().unwrap_or("-").to_owned();
        let is_told = if alert["told"].is_null() { "untold" } else { "told" };
        format!("{} {} {is_told}", text("alert"), text("state"))
    };
    list.as_array().unwrap().iter().map(line).collect()
}

#[test]
fn an_alert_is_told_once_after_a_day_again_and_once_when_it_is_over() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let hook = Hook::new();
    let notify = format!("webhook = \"{}\"\nignore = [\"late\"]", hook.url());
    let nothing = Vec::<Vec<String>>::new();

    configure(&home, &notify, ANY);
    run(&home, &cloud).exits(0);
    assert_eq!((hook.told(), listed(&home)), (nothing.clone(), vec![]), "by hand");

    told_run(&home, &cloud);
    let told = hook.told();
    assert!(told.len() == 1 && told[0].len() == 1 && told[0][0].starts_with("began any "));
    assert_eq!(listed(&home), ["any holds told"]);
    told_run(&home, &cloud);
    pass(&home, 23);
    told_run(&home, &cloud);
    assert_eq!(hook.told(), nothing, "once");
    pass(&home, 2);
    told_run(&home, &cloud);
    let told = hook.told();
    assert!(told.len() == 1 && told[0][0].starts_with("lasts any "), "{told:?}");

    // A copy keeps it.
    home.run(["backup", "copy.db"]).exits(0);
    let copy = home.run(["alerts", "--active", "--db", "copy.db"]).exits(0);
    assert!(copy.stdout.contains("holds"), "{}", copy.stdout);

    configure(&home, &notify, "");
    told_run(&home, &cloud);
    let told = hook.told();
    assert!(told.len() == 1 && told[0][0].starts_with("ended any "), "{told:?}");
    told_run(&home, &cloud);
    assert_eq!((hook.told(), listed(&home)), (nothing, vec!["any over told".to_owned()]));
    home.run(["check"]).exits(0);
}

#[test]
fn whoever_is_out_of_reach_is_told_later_and_the_other_once() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let hook = Hook::new();
    let script = home.join("tell-us");
    fs::write(
        &script,
        "cat >> told; echo >> told; echo \"$FGARCHIVE_ALERTS_BEGAN began\" >> counts\n",
    )
    .unwrap();
    let command = format!("command = [\"/bin/sh\", \"{}\"]", script.display());
    let notify = format!("webhook = \"{}\"\n{command}", hook.url());
    let by_command = || -> Vec<Vec<String>> {
        let told = fs::read_to_string(home.join("told")).unwrap_or_default();
        told.lines().map(|line| summed_up(&serde_json::from_str(line).unwrap())).collect()
    };
    configure(&home, &notify, ANY);
    hook.answers(503);
    let said = told_run(&home, &cloud);
    let host = hook.listener.url().replace("http://", "");
    assert!(said.stderr.contains(&format!("cannot tell {host} of alerts")), "{}", said.stderr);
    assert!(!said.everything().contains("a-secret"), "{}", said.everything());
    assert_eq!(hook.told().len(), 3, "tried again");
    assert_eq!(by_command().len(), 1);
    assert_eq!(fs::read_to_string(home.join("counts")).unwrap(), "1 began\n");

    // Whoever does not take it is not asked again at once.
    hook.answers(404);
    let said = told_run(&home, &cloud);
    assert!(said.stderr.contains("HTTP 404"), "{}", said.stderr);
    assert_eq!((hook.told().len(), by_command().len()), (1, 1));

    hook.answers(204);
    told_run(&home, &cloud);
    assert_eq!((hook.told().len(), by_command().len()), (1, 1), "the command knows");

    // It fails, and its output is shown; the end is told by the next run.
    fs::write(&script, "echo no such luck >&2; exit 3\n").unwrap();
    configure(&home, &notify, "");
    let said = told_run(&home, &cloud);
    assert!(said.stderr.contains("(exit status: 3): no such luck"), "{}", said.stderr);
    fs::write(&script, "cat >> told; echo >> told\n").unwrap();
    told_run(&home, &cloud);
    assert_eq!(hook.told().len(), 1);
    assert!(by_command()[1][0].starts_with("ended any "));
}

#[test]
fn what_hangs_is_ended_and_changes_no_exit_code() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    // Takes the connection, and never answers.
    let hanging = Listener::new(|_, mut stream| io::copy(&mut stream, &mut io::sink()).map(drop));
    let command = "command = [\"/bin/sh\", \"-c\", \"echo $$ > pid; sleep 77\"]";
    configure(&home, &format!("webhook = \"{}/x\"\n{command}", hanging.url()), ANY);
    let began = Instant::now();
    let said = told_run(&home, &cloud);
    assert!(began.elapsed() < Duration::from_secs(80), "{:?}", began.elapsed());
    assert!(said.stderr.contains("it did not end within 30s, and was killed"), "{}", said.stderr);
    assert!(said.stderr.contains("of alerts: "), "{}", said.stderr);
    let pid = fs::read_to_string(home.join("pid")).unwrap();
    assert!(!fs::exists(format!("/proc/{}", pid.trim())).unwrap(), "it lives on");
    assert_eq!(listed(&home), ["any holds untold"]);
}

/// Killed while it tells, it is told again; also where the condition is over by then.
#[test]
fn a_kill_while_somebody_is_told_loses_nothing() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let hangs = "command = [\"/bin/sh\", \"-c\", \"cat > begun; sleep 5\"]";
    let hears = "command = [\"/bin/sh\", \"-c\", \"cat > told\"]";
    for (rule, news) in [(ANY, "began any "), ("", "ended any ")] {
        configure(&home, hangs, ANY);
        let _ = fs::remove_file(home.join("begun"));
        let mut running = run(&home, &cloud).args(["--notify"]).start();
        running.until("somebody is told", |_| home.join("begun").exists());
        running.signal("KILL");
        assert_eq!(running.wait().code(), -9);
        configure(&home, hears, rule);
        told_run(&home, &cloud);
        let told = fs::read_to_string(home.join("told")).unwrap();
        let told = summed_up(&serde_json::from_str(&told).unwrap());
        assert!(told.len() == 1 && told[0].starts_with(news), "{told:?}");
        // So that it begins anew.
        configure(&home, hears, "");
        told_run(&home, &cloud);
    }
    home.run(["check"]).exits(0);
}

#[test]
fn a_refusal_and_no_good_run_are_told_and_are_over_with_the_next_good_one() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let hook = Hook::new();
    let allow = |max_age: &str| {
        let notify = format!("webhook = \"{}\"\nmax_age = \"{max_age}\"", hook.url());
        configure(&home, &notify, "");
    };
    allow("1h");
    told_run(&home, &cloud);
    assert_eq!(hook.told().len(), 0, "all is well");
    // Only now: a second may pass between the end of the good run and what it tells.
    allow("1s");
    let refused = Fault::Status { code: 403, body: BodyKind::Json };
    cloud.emulator.set_faults(Faults::rule(Rule::from(refused)));
    // A moment, so that the good run is over for longer than it may.
    crate::cloud::pause(Duration::from_millis(2_100));
    run(&home, &cloud).args(["--notify"]).exits(4);
    let told = hook.told().concat();
    assert!(told.iter().any(|it| it.starts_with("began refused ")), "{told:?}");
    assert!(told.contains(&"began no-good-run".to_owned()), "{told:?}");
    allow("1h");
    cloud.emulator.set_faults(Faults::default());
    told_run(&home, &cloud);
    let mut told = hook.told().concat();
    told.sort();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "ended no-good-run");
    assert!(told[1].starts_with("ended refused "), "{told:?}");
}

#[test]
fn what_a_check_finds_is_told_and_over_with_the_next_that_finds_nothing() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let hook = Hook::new();
    configure(&home, &format!("webhook = \"{}\"", hook.url()), "");
    told_run(&home, &cloud);
    hook.told();
    let check = || home.run(["check", "--notify", "--config", "config.toml"]);
    let change = |sql: &str| Connection::open(home.db()).unwrap().execute_batch(sql).unwrap();
    check().exits(0);
    change("UPDATE runs SET requests = requests + 1 WHERE id = 1");
    home.run(["check", "--config", "config.toml"]).exits(7);
    assert_eq!(hook.told().len(), 0, "by hand");
    check().exits(7);
    check().exits(7);
    // A run knows nothing of it.
    told_run(&home, &cloud);
    assert_eq!(hook.told(), [["began check"]]);
    change("UPDATE runs SET requests = requests - 1 WHERE id = 1");
    check().exits(0);
    assert_eq!(hook.told(), [["ended check"]]);
}

#[test]
fn a_rule_that_cannot_be_asked_is_refused_by_the_check_and_told_by_a_run() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let hook = Hook::new();
    let notify = format!("webhook = \"{}\"", hook.url());
    let rule = |lines: &str| format!("[[alert]]\nname = \"mine\"\n{lines}\n");
    let check = || home.run(["config", "check", "--config", "config.toml"]);
    for (lines, told, hint) in [
        (
            "when = \"fails > 1\"",
            "line 6, column 8: the alert `mine`: the report `summary` has no \
          column `fails`",
            "the nearest is `fail`",
        ),
        (
            "when = \"records > 1\"\nreport = \"sumary\"",
            "line 7, column 10: the alert `mine`: there \
          is no report `sumary`",
            "the nearest is `summary`",
        ),
        (
            "when = \"records > 1\"\nparameters = { nothing = 1 }",
            "line 5, column 8: the alert \
          `mine`: cannot run the report: the report `summary` has no parameter `nothing`",
            "",
        ),
        (
            "when = \"requests > 1\"\nreport = \"runs\"\nfunctions = [\"f\"]",
            "line 7, column 10",
            "",
        ),
    ] {
        configure(&home, &format!("{notify}\n"), &rule(lines));
        check().exits(2).says(told).says(hint);
    }
    configure(&home, &notify, ANY);
    let said = check().exits(0);
    assert!(said.stdout.contains("; one alert"), "{}", said.stdout);
    let shown = home.run(["config", "show", "--config", "config.toml"]).exits(0);
    assert!(shown.stdout.contains("alert any"), "{}", shown.stdout);
    assert!(!shown.everything().contains("a-secret"), "{}", shown.everything());

    // One of somebody's own, that breaks later, stays as it was.
    fs::create_dir(home.join("reports")).unwrap();
    let own = |sql: &str| fs::write(home.join("reports/mine.sql"), sql).unwrap();
    own("-- Mine.\nSELECT 'f' AS function, 2 AS n UNION ALL SELECT 'g', 1;\n");
    let text = format!(
        "reports = [\"reports\"]\n[notify]\n{notify}\n[[alert]]\nname = \"own\"\nreport = \
         \"mine\"\nwhen = \"n > 1\"\n"
    );
    fs::write(home.join("config.toml"), text).unwrap();
    check().exits(0);
    told_run(&home, &cloud);
    assert_eq!(hook.told(), [["began own f"]]);
    own("-- Mine.\nSELECT 1 AS other;\n");
    told_run(&home, &cloud).says("cannot ask the alert `own`");
    own("-- Mine.\nSELEC;\n");
    told_run(&home, &cloud).says("cannot ask the alert `own`");
    assert_eq!((hook.told().len(), listed(&home)), (0, vec!["own holds told".to_owned()]));
}

#[test]
fn without_an_archive_or_somebody_to_tell_nothing_is_made() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let hook = Hook::new();
    configure(&home, &format!("webhook = \"{}\"", hook.url()), ANY);
    let without_key = run(&home, &cloud).args(["--notify"]).without("HUAWEICLOUD_SDK_SK");
    without_key.exits(2);
    assert!(!home.db().exists() && hook.told().is_empty());
    home.run(["alerts"]).exits(6);
}
