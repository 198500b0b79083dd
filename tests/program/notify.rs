//! `sync --notify`: who is told of runs.

use crate::cloud::{Cloud, settled_world};
use crate::listener::{Listener, next_request};
use crate::program::{Home, Program};
use fgarchive::emulator::{BodyKind, Fault, Faults, Rule};
use pretty_assertions::assert_eq;
use std::collections::HashSet;
use std::fs;
use std::io::{BufReader, Write};
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

/// What was told: the method with path and query, and the text.
type Told = (String, String);

/// Somebody who is told, and answers with these statuses, one after the other; then with the last.
struct Switch {
    url: String,
    told: Receiver<Told>,
}

impl Switch {
    fn answering(statuses: &'static [u16]) -> Self {
        let statuses = statuses.iter().chain(std::iter::repeat(statuses.last().unwrap()));
        let (statuses, (sender, told)) = (Mutex::new(statuses), channel());
        let listener = Listener::new(move |_, mut stream| {
            let Some(asked) = next_request(&mut BufReader::new(stream.try_clone()?))? else {
                return Ok(());
            };
            let status = *statuses.lock().unwrap().next().unwrap();
            // It is kept before it is answered, so that it is there once the program has ended.
            let _ = sender.send((asked.line, asked.body));
            write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        });
        Self { url: format!("{}/a-secret", listener.url()), told }
    }

    /// What was told so far, without what tells runs apart, and how many runs those were.
    fn told(&self) -> (Vec<Told>, usize) {
        let mut runs = HashSet::new();
        let told = self.told.try_iter().map(|(line, text)| {
            let (line, run) = line.split_once("?rid=").unwrap();
            assert_eq!(run.len(), 36, "{run}");
            runs.insert(run.to_owned());
            (line.to_owned(), text)
        });
        let told = told.collect();
        (told, runs.len())
    }
}

/// A run whose configuration names somebody who is told.
fn run(home: &Home, cloud: &Cloud, url: &str) -> Program {
    fs::write(home.join("config.toml"), format!("[notify]\nping = \"{url}\"\n")).unwrap();
    home.sync_since(cloud, "2d").args(["--config", "config.toml"])
}

#[test]
fn somebody_is_told_that_a_run_begins_and_how_it_ended() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let switch = Switch::answering(&[200]);
    let sync = || run(&home, &cloud, &switch.url);

    sync().exits(0);
    assert_eq!(switch.told().0, [], "by hand nobody is told");

    sync().args(["--notify"]).exits(0);
    let (told, runs) = switch.told();
    let lines: Vec<&str> = told.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!((lines, runs), (vec!["POST /a-secret/start", "POST /a-secret"], 1));
    assert!(told[1].1.starts_with("run 2 complete: "), "{told:?}");

    // The next run goes on with what is left: the second that leaves something alarms.
    let down = Fault::Status { code: 503, body: BodyKind::Json };
    cloud.emulator.set_faults(Faults::rule(Rule::from(down)));
    for (number, path) in [(3, "/a-secret"), (4, "/a-secret/fail")] {
        sync().args(["--notify", "--max-duration", "1s"]).exits(3);
        let (told, _) = switch.told();
        assert_eq!(told[1].0, format!("POST {path}"));
        assert!(told[1].1.starts_with(&format!("run {number} incomplete: ")), "{told:?}");
        assert!(told[1].1.lines().count() == 2, "{told:?}");
    }

    // A run that cannot begin.
    sync().args(["--notify"]).without("HUAWEICLOUD_SDK_SK").exits(2);
    let (told, _) = switch.told();
    assert_eq!(told[1].0, "POST /a-secret/fail");
    assert!(told[1].1.contains("credentials"), "{told:?}");
}

#[test]
fn that_nobody_hears_it_is_said_and_changes_nothing() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = run(&home, &cloud, &format!("http://{gone}/a-secret")).args(["--notify"]).exits(0);
    let stderr = said.stderr;
    let told = format!("cannot tell {gone} of the run: ");
    assert_eq!(stderr.matches(&told).count(), 2, "{stderr}");
    assert!(!stderr.contains("a-secret"), "{stderr}");

    // Whose server fails is told again how a run ended; who does not want to hear it is not.
    for (statuses, times) in [(&[503, 429, 503, 200][..], 4), (&[200, 404], 2)] {
        let switch = Switch::answering(statuses);
        let said = run(&home, &cloud, &switch.url).args(["--notify"]).exits(0);
        assert_eq!(switch.told().0.len(), times);
        assert_eq!(said.stderr.matches("of the run: it answers with HTTP").count(), 1);
    }
}

#[test]
fn whom_to_tell_must_be_said_and_be_an_address() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync(&cloud).args(["--notify"]).exits(2).says("could say who is told");
    assert!(!home.db().exists());

    let refused = run(&home, &cloud, "hc-ping.com/a-secret").exits(2);
    refused.says("`config.toml`, line 2, column 8: `ping`: it cannot be used: ");
}
