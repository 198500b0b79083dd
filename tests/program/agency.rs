//! Keys of a cloud server's agency, which its metadata gives out.

use crate::archive;
use crate::cloud::{Cloud, settled_world};
use crate::listener::{Listener, next_request};
use crate::program::{Home, Program};
use fgarchive::clock::Clock;
use fgarchive::domain::Timestamp;
use fgarchive::emulator::{ACCESS_KEY, PROJECT_ID, SECRET_KEY};
use pretty_assertions::assert_eq;
use std::fs;
use std::io::{BufReader, Write};
use std::sync::mpsc::{Receiver, channel};

const SESSION: &str = "a-session-of-the-metadata";
const SECURITY_TOKEN: &str = "a-token-beside-the-keys-of-the-agency";
const BEGIN: &str = "PUT /meta-data/latest/api/token";
const KEYS: &str = "GET /openstack/latest/securitykey";

/// An answer: a status and a body.
type Answer = (&'static str, String);

/// The metadata of a server that answers so to who begins a session and to who asks for keys.
struct Metadata {
    listener: Listener,
    asked: Receiver<(String, Vec<String>)>,
}

impl Metadata {
    fn new(session: Answer, keys: Answer) -> Self {
        let (tell, asked) = channel();
        let listener = Listener::new(move |_, socket| {
            let mut reader = BufReader::new(socket.try_clone()?);
            let mut socket = socket;
            while let Some(asked) = next_request(&mut reader)? {
                let (status, body) = if asked.line == BEGIN { &session } else { &keys };
                drop(tell.send((asked.line, asked.headers)));
                let length = body.len();
                write!(socket, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")?;
            }
            Ok(())
        });
        Self { listener, asked }
    }

    fn asked(&self) -> Vec<(String, Vec<String>)> {
        self.asked.try_iter().collect()
    }

    /// The program on that server.
    fn run(&self, home: &Home, args: &[&str]) -> Program {
        home.run(args)
            .env("FGARCHIVE_METADATA_ENDPOINT", self.listener.url())
            // Which nobody may ask about the server itself.
            .env("http_proxy", "http://127.0.0.1:9")
    }
}

fn session() -> Answer {
    ("200 OK", SESSION.to_owned())
}

/// Keys that expire so many seconds from now.
fn keys(seconds: i64) -> Answer {
    let until = Timestamp::from_unix(Clock::System.now().unix() + seconds).to_string();
    let until = until.replace('Z', ".123000Z");
    (
        "200 OK",
        format!(
            "{{\"credential\":{{\"access\":\"{ACCESS_KEY}\",\"secret\":\"{SECRET_KEY}\",\
             \"securitytoken\":\"{SECURITY_TOKEN}\",\"expires_at\":\"{until}\"}}}}"
        ),
    )
}

/// A home whose source logs in by the metadata.
fn home(cloud: &Cloud) -> Home {
    let home = Home::new();
    fs::create_dir_all(home.join(".config/fgarchive")).unwrap();
    let text = format!(
        "archive = \"~/a.db\"\n[defaults]\nmax_rps = 1000\n[[source]]\nname = \"shop\"\n\
         region = \"cn-north-4\"\nproject_id = \"{PROJECT_ID}\"\nendpoint = \"{}\"\n\
         credentials = {{ metadata = true }}\n",
        cloud.url
    );
    fs::write(home.join(".config/fgarchive/config.toml"), text).unwrap();
    home
}

#[test]
fn its_keys_are_read_once_for_a_run() {
    let none = |status| (status, "no such thing".to_owned());
    for (session, is_one) in
        [(session(), true), (none("404 Not Found"), false), (none("405 Method Not Allowed"), false)]
    {
        // Those that expire soon are the only ones to be had.
        for seconds in [86_400, 600] {
            let cloud = Cloud::new(settled_world());
            let (home, metadata) = (home(&cloud), Metadata::new(session.clone(), keys(seconds)));
            let said = metadata.run(&home, &["sync", "-vv"]).exits(0);
            let asked = metadata.asked();
            let lines: Vec<&str> = asked.iter().map(|(line, _)| line.as_str()).collect();
            assert_eq!(lines, [BEGIN, KEYS]);
            assert!(asked[0].1.contains(&"x-metadata-token-ttl-seconds: 21600".to_owned()));
            let shown = asked[1].1.contains(&format!("x-metadata-token: {SESSION}"));
            assert_eq!(shown, is_one, "{asked:?}");
            for secret in [SECRET_KEY, SECURITY_TOKEN, SESSION] {
                assert!(!said.everything().contains(secret), "{}", said.everything());
            }
            let records = archive::rows(&home.join("a.db"), "SELECT count(*) FROM invocations");
            assert_ne!(records, ["0"]);
            assert_eq!(cloud.emulator.refused_signatures(), 0);
        }
    }
}

#[test]
fn a_server_without_an_agency_is_told_what_it_lacks() {
    let cloud = Cloud::new(settled_world());
    for (status, words) in [
        ("401 Unauthorized", "Please configure Cloud Service Agency first"),
        ("404 Not Found", "nothing here"),
    ] {
        let (home, metadata) = (home(&cloud), Metadata::new(session(), (status, words.to_owned())));
        let said = metadata.run(&home, &["sync"]).exits(2);
        let said = said.says("cannot read the keys of this server's agency").says(words);
        let said = said.says("no agency is given to this server");
        said.says("hint: the metadata of a cloud server answers on that server alone");
        assert_eq!(metadata.asked().len(), 2, "it is not asked again");
    }
    assert_eq!(cloud.journal().total(), 0);
}

#[test]
fn only_an_address_of_the_machine_or_its_link_holds_its_metadata() {
    let cloud = Cloud::new(settled_world());
    let home = home(&cloud);
    for address in ["http://10.0.0.1", "https://iam.example", "169.254.169.254"] {
        let run = home.run(["config", "check"]).env("FGARCHIVE_METADATA_ENDPOINT", address);
        run.exits(2).says("the address in FGARCHIVE_METADATA_ENDPOINT cannot be");
    }
    let shown = home.run(["config", "show"]).exits(0);
    assert!(shown.stdout.contains("(by the metadata of this server)"), "{}", shown.stdout);
}

#[test]
fn the_configuration_says_true_or_names_another_way() {
    let home = home(&Cloud::new(settled_world()));
    let file = home.join(".config/fgarchive/config.toml");
    let text = fs::read_to_string(&file).unwrap();
    for (way, wrong) in [
        ("metadata = false", "`metadata` is true where it is the way to log in"),
        ("metadata = true, env = \"SHOP\"", "`file`, `command` and `metadata` says how to log in"),
    ] {
        fs::write(&file, text.replace("metadata = true", way)).unwrap();
        home.run(["config", "check"]).exits(2).says(wrong);
    }
    let made = home.run(["init", "--config", "new.toml", "--region", "cn-north-4"]);
    made.args(["--credentials-metadata", "--no-check"]).exits(0);
    let text = fs::read_to_string(home.join("new.toml")).unwrap();
    assert!(text.contains("credentials = { metadata = true }"), "{text}");
}
