//! `init`: a first configuration, from options or from answers on a terminal.

use crate::cloud::{Cloud, settled_world};
use crate::program::{Home, Program};
use fgarchive::emulator::{ACCESS_KEY, SECRET_KEY};
use pretty_assertions::assert_eq;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const PLACE: &str = ".config/fgarchive/config.toml";

fn init(home: &Home, cloud: &Cloud, args: &[&str]) -> Program {
    let program = home.run(["init", "--endpoint", &cloud.url]).args(args);
    program.env("SHOP_AK", ACCESS_KEY).env("SHOP_SK", SECRET_KEY)
}

/// The lines that say something.
fn settings(home: &Home, cloud: &Cloud) -> Vec<String> {
    let text = fs::read_to_string(home.join(PLACE)).unwrap();
    let text = text.replace(&cloud.url, "URL").replace(&home.path().display().to_string(), "~");
    let said = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    said.map(|line| line.split(" #").next().unwrap().trim_end().to_owned()).collect()
}

#[test]
fn options_make_a_file_that_is_looked_at_and_never_written_over() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let args = ["--region", "cn-north-4", "--name", "shop", "--env", "SHOP", "--db", "a.db"];
    let args =
        [&args[..], &["--function", "default:*", "--function", "!default:thumbnail"]].concat();
    let said = init(&home, &cloud, &args).exits(0).says("Next: `fgarchive sync` archives");
    assert!(said.stdout.starts_with("written: "), "{}", said.stdout);
    assert!(said.stdout.contains("credentials") && said.stdout.contains("the variables SHOP_…"));
    assert_eq!(
        settings(&home, &cloud),
        [
            "archive = \"~/a.db\"",
            "[defaults]",
            "[[source]]",
            "name = \"shop\"",
            "region = \"cn-north-4\"",
            "endpoint = \"URL\"",
            "functions = [\"default:*\", \"!default:thumbnail\"]",
            "credentials = { env = \"SHOP\" }"
        ]
    );
    assert_eq!(fs::metadata(home.join(PLACE)).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(home.join(PLACE)).unwrap();
    init(&home, &cloud, &args).exits(2).says("is there already, and is left as it is");
    assert_eq!(fs::read(home.join(PLACE)).unwrap(), before);
    let sync = home.run(["sync"]).env("SHOP_AK", ACCESS_KEY).env("SHOP_SK", SECRET_KEY);
    sync.args(["--max-rps", "1000"]).exits(0);
    assert!(home.join("a.db").exists());
}

#[test]
fn answers_on_a_terminal_make_the_same() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let answers = "cn-north-4\n9\n3\nSHOP\n?\ndefault:* billing:*\n\n";
    let (code, shown) = init(&home, &cloud, &[]).stdin(answers).on_terminal(120, 40);
    assert_eq!(code, 0, "{shown}");
    for text in ["a number from 1 to 6", "default:order-export", "written: ", "accepted"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains(SECRET_KEY), "{shown}");
    assert_eq!(
        settings(&home, &cloud),
        [
            "archive = \"~/fgarchive.db\"",
            "[defaults]",
            "[[source]]",
            "name = \"cn-north-4\"",
            "region = \"cn-north-4\"",
            "endpoint = \"URL\"",
            "functions = [\"default:*\", \"billing:*\"]",
            "credentials = { env = \"SHOP\" }"
        ]
    );
}

#[test]
fn what_cannot_be_answered_writes_nothing() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    init(&home, &cloud, &[]).exits(2).says("the region is not known").says("give --region");
    let mistyped = home.run(["init", "--region", "cn-nroth-4"]).exits(2);
    mistyped.says("there is no region `cn-nroth-4`").says("the nearest is `cn-north-4`");
    let bad = init(&home, &cloud, &["--region", "cn-north-4", "--function", "a b:*"]).exits(2);
    bad.says("no pattern of `package:name[:version]`");
    // An end of the input is no answer.
    let (code, shown) = init(&home, &cloud, &[]).stdin("cn-north-4\n\u{4}").on_terminal(120, 40);
    assert!(code == 2 && shown.contains("nothing is written"), "{code} {shown}");
    assert!(!home.join(PLACE).exists());
    // A file of keys beside the configuration is named alone, one elsewhere whole.
    for (file, named) in [("keys", "keys"), ("there/keys", "~/there/keys")] {
        let args = ["--region", "cn-north-4", "--no-check", "--credentials-file", file];
        home.run(["init", "--config", "new.toml"]).args(args).exits(0);
        let text = fs::read_to_string(home.join("new.toml")).unwrap();
        let named = named.replace('~', &home.path().display().to_string());
        assert!(text.contains(&format!("credentials = {{ file = \"{named}\" }}")), "{text}");
        fs::remove_file(home.join("new.toml")).unwrap();
    }
    // What the check-up finds leaves the file for whoever edits it.
    let said = init(&home, &cloud, &["--region", "cn-north-4", "--env", "NOBODY"]).exits(2);
    said.says("set NOBODY_AK and NOBODY_SK").says("The file stays as it is written");
    assert!(home.join(PLACE).exists());
}
