//! The configuration file: sources that are archived side by side, what goes with it on a command
//! line, the ways to log in, and what is said of a file that is wrong.

use crate::archive;
use crate::cloud::{Cloud, settled_world};
use crate::program::{Home, Program, Said};
use fgarchive::emulator::{ACCESS_KEY, PROJECT_ID, SECRET_KEY, TOKEN, WorldSpec};
use pretty_assertions::assert_eq;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const NORTH: &str = "cn-north-4";
const EAST: &str = "cn-east-3";

/// A cloud with `billing:invoice-mail`, `default:order-export` and `default:thumbnail`.
fn cloud(region: &'static str, seed: u64) -> Cloud {
    Cloud::new(WorldSpec { region, seed, functions: 3, records: 600, ..settled_world() })
}

/// A source of the file. `more` are further lines of it.
fn source(name: &str, cloud: &Cloud, more: &str) -> String {
    let region = cloud.functions()[0].region().to_owned();
    format!(
        "[[source]]\nname = \"{name}\"\nregion = \"{region}\"\nproject_id = \"{PROJECT_ID}\"\n\
         endpoint = \"{}\"\n{more}\n",
        cloud.url
    )
}

/// A home with a file of these sources, where the program looks for it.
fn home(sources: &[String]) -> Home {
    let home = Home::new();
    write(
        &home,
        &format!("archive = \"~/both.db\"\n[defaults]\nmax_rps = 1000\n{}", sources.concat()),
    );
    home
}

fn write(home: &Home, text: &str) {
    fs::create_dir_all(home.join(".config/fgarchive")).unwrap();
    fs::write(home.join(".config/fgarchive/config.toml"), text).unwrap();
}

/// The program with the keys of the source `north` in variables.
fn run(home: &Home, args: &[&str]) -> Program {
    home.run(args).env("NORTH_AK", ACCESS_KEY).env("NORTH_SK", SECRET_KEY)
}

const BY_VARIABLES: &str = "credentials = { env = \"NORTH\" }";

/// Name, outcome and exit code of each source of a run.
fn told(said: &Said) -> Vec<String> {
    let report = said.json();
    let show = |source: &Value| {
        let [name, outcome] = ["name", "outcome"].map(|field| source[field].as_str().unwrap());
        format!("{name} {outcome} {} {}", source["exit_code"], source["functions"])
    };
    report["sources"].as_array().unwrap().iter().map(show).collect()
}

fn archived(home: &Home) -> Vec<String> {
    let names = "SELECT region || ' ' || full_name FROM functions ORDER BY 1";
    archive::rows(&home.join("both.db"), names)
}

#[test]
fn sources_are_archived_side_by_side_by_what_the_file_says() {
    let (north, east) = (cloud(NORTH, 1), cloud(EAST, 2));
    let home = home(&[
        source(
            "north",
            &north,
            &format!("functions = [\"default:*\", \"!default:thumb*\"]\n{BY_VARIABLES}"),
        ),
        source(
            "east",
            &east,
            "functions = [\"billing:*\", \"bling:*\", \"thumbnail\"]\n\
             credentials = { file = \"east.keys\" }",
        ),
    ]);
    let keys = home.join(".config/fgarchive/east.keys");
    fs::write(&keys, format!("ak = {ACCESS_KEY}\nsk = {SECRET_KEY}\n")).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).unwrap();
    let said = run(&home, &["sync", "--json", "--metrics-file", "m.prom"]).exits(0);
    assert_eq!(told(&said), ["north complete 0 1", "east complete 0 2"]);
    let said = said.says("others than its owner may read the file with credentials");
    said.says("no function matches `bling:*`; the nearest name is `billing:invoice-mail`");
    assert_eq!(
        archived(&home),
        [
            format!("{EAST} billing:invoice-mail"),
            format!("{EAST} default:thumbnail"),
            format!("{NORTH} default:order-export")
        ]
    );
    let metrics = fs::read_to_string(home.join("m.prom")).unwrap();
    for (name, region, function) in
        [("north", NORTH, "default:order-export"), ("east", EAST, "default:thumbnail")]
    {
        let labels = format!(
            "fgarchive_records{{source=\"{name}\",region=\"{region}\",project_id=\"{PROJECT_ID}\",\
             function=\"{function}\"}}"
        );
        assert!(metrics.contains(&labels), "{labels}: {metrics}");
    }
    // The archive of the file is that of every command.
    let status = home.run(["status"]).exits(0).stdout;
    assert!(status.contains("order-export"), "{status}");
    home.run(["check"]).exits(0);
    assert!(!home.db().exists());

    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
    let only = run(&home, &["sync", "--json", "--source", "east"]).exits(0);
    assert_eq!(told(&only), ["east complete 0 2"]);
    assert!(!only.stderr.contains("others than its owner"), "{}", only.stderr);
    let nobody = run(&home, &["sync", "--source", "est"]).exits(2);
    nobody.says("has no source `est`").says("the nearest names: east, north");
    run(&home, &["verify"]).exits(0);
}

/// Some wrong signatures lock a key: what is refused to one source is not shown by the next.
#[test]
fn a_wrong_key_that_sources_have_in_common_is_shown_and_told_once() {
    let cloud = cloud(NORTH, 1);
    let of = |name: &str, function: &str| {
        source(name, &cloud, &format!("functions = [\"{function}\"]\n{BY_VARIABLES}"))
    };
    let home = home(&[
        of("one", "billing:invoice-mail"),
        of("two", "default:order-export"),
        of("three", "default:thumbnail"),
    ]);
    let commands = [&["sync"][..], &["sync", "--dry-run"], &["doctor", "--no-store"]];
    for (args, shown) in commands.iter().zip(1..) {
        let said = run(&home, args).env("NORTH_SK", "a-wrong-secret-key").exits(4);
        let told = said.stderr.matches("access is refused").count();
        assert_eq!(told, 1, "{args:?}: {}", said.stderr);
        assert_eq!(cloud.emulator.refused_signatures(), shown, "{args:?}");
    }
}

#[test]
fn a_source_that_cannot_log_in_leaves_the_others_alone() {
    let (north, east) = (cloud(NORTH, 1), cloud(EAST, 2));
    let leaky =
        "credentials = { command = [\"sh\", \"-c\", \"echo hunter2; echo hunter2 >&2; exit 3\"] }";
    let home = home(&[source("north", &north, BY_VARIABLES), source("east", &east, leaky)]);
    let said = run(&home, &["sync", "--json", "-vv"]).exits(2);
    assert_eq!(told(&said), ["north complete 0 3", "east incomplete 2 0"]);
    let why = "east: cannot log in: the settings do not allow it: the command `sh` gives no \
               credentials: it failed (exit status: 3)";
    let said = said.says(why);
    assert_eq!(archived(&home).len(), 3);
    assert_eq!(east.journal().total(), 0);
    let checked = run(&home, &["config", "check"]).exits(2);
    let checked = checked.says("east: the command `sh` gives no credentials");
    for said in [said, checked, run(&home, &["config", "show"]).exits(0)] {
        // The command line of the command may stand in `show` of nobody, its output nowhere.
        assert!(!said.everything().contains("hunter2"), "{}", said.everything());
    }
}

#[test]
fn every_way_to_log_in_is_taken() {
    let north = cloud(NORTH, 1);
    let json = format!("{{\\\"ak\\\": \\\"{ACCESS_KEY}\\\", \\\"sk\\\": \\\"{SECRET_KEY}\\\"}}");
    let ways = [
        "profile = \"shop\"".to_owned(),
        "env = \"NORTH\"".to_owned(),
        "file = \"~/keys/token\"".to_owned(),
        "file = \"handed\"".to_owned(),
        format!("command = [\"echo\", \"{json}\"]"),
    ];
    for way in ways {
        let home = home(&[source("north", &north, &format!("credentials = {{ {way} }}"))]);
        fs::create_dir(home.join(".huaweicloud")).unwrap();
        fs::create_dir(home.join("keys")).unwrap();
        for (name, text) in [
            (
                ".huaweicloud/credentials",
                format!("[basic]\nak = x\nsk = y\n[shop]\nak = {ACCESS_KEY}\nsk = {SECRET_KEY}\n"),
            ),
            ("keys/token", format!("token = {TOKEN}\n")),
            ("keys/handed", format!("ak: {ACCESS_KEY}\nsk: {SECRET_KEY}\n")),
        ] {
            fs::write(home.join(name), text).unwrap();
            fs::set_permissions(home.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        // The variables of everybody are not those of a source that has its own.
        let run = |args: &[&str]| {
            run(&home, args)
                .env("HUAWEICLOUD_SDK_AK", "wrong")
                .env("HUAWEICLOUD_SDK_SK", "wrong")
                .env("CREDENTIALS_DIRECTORY", home.join("keys"))
        };
        run(&["config", "check"]).exits(0);
        let said = run(&["sync", "-v"]).exits(0);
        assert!(!said.stderr.contains(SECRET_KEY), "{way}: {}", said.stderr);
        let shown = run(&["config", "show", "--json"]).exits(0);
        assert!(!shown.stdout.contains(SECRET_KEY), "{way}: {}", shown.stdout);
    }
}

#[test]
fn a_function_that_two_sources_hold_ends_the_run() {
    let north = cloud(NORTH, 1);
    let two = |one: &str, other: &str| {
        home(&[
            source("a", &north, &format!("functions = {one}\n{BY_VARIABLES}")),
            source("b", &north, &format!("functions = {other}\n{BY_VARIABLES}")),
        ])
    };
    // What the file tells is refused before anything is asked.
    for (one, other) in [("[\"thumbnail\"]", "[\"default:*\"]"), ("[\"*\"]", "[\"billing:x\"]")] {
        let said = run(&two(one, other), &["sync"]).exits(2);
        let said = said.says("the sources `a` and `b` both hold the function `");
        said.says("config.toml`, line 11, column 1: ");
    }
    assert_eq!(north.journal().total(), 0);
    // What only the list tells is refused as soon as it is known.
    let home = two("[\"default:*\"]", "[\"*:thumb*\"]");
    for args in [&["sync"][..], &["sync", "--dry-run"]] {
        let said = run(&home, args).exits(2);
        let said = said.says("two sources hold the function `default:thumbnail`: ");
        said.says("hint: leave it out of one of them");
    }
    let home = two("[\"default:*\", \"!*:thumb*\"]", "[\"*:thumb*\"]");
    run(&home, &["sync"]).exits(0);
}

#[test]
fn options_go_with_a_file() {
    let (north, east) = (cloud(NORTH, 1), cloud(EAST, 2));
    let home = home(&[
        source("north", &north, &format!("functions = [\"default:*\"]\n{BY_VARIABLES}")),
        source("east", &east, &format!("functions = [\"billing:*\"]\n{BY_VARIABLES}")),
    ]);
    let sync = |args: &[&str]| run(&home, &[&["sync", "--json"], args].concat());
    let refused = sync(&["--region", EAST]).exits(2);
    refused.says("--region cannot hold for several sources at once: north, east");
    assert_eq!(told(&sync(&["--function", "thumbnail"]).exits(0)), ["north complete 0 1"]);
    let urn = east.functions().iter().find(|urn| urn.package() == "billing").unwrap().to_string();
    assert_eq!(told(&sync(&["--function", &urn]).exits(0)), ["east complete 0 1"]);
    let stranger = sync(&["--function", "other:thing"]).exits(2);
    stranger.says("no source holds the function `other:thing`").says("--source says which to ask");
    let all = sync(&["--source", "north", "--all-functions"]).exits(0);
    assert_eq!(told(&all), ["north complete 0 3"]);
    // Variables come after what a source says itself, and options before.
    let said = run(&home, &["config", "show", "--source", "east", "--json"])
        .env("FGARCHIVE_REGION", "eu-west-101")
        .env("FGARCHIVE_DB", "own.db")
        .exits(0)
        .json();
    let value = |key: &str| {
        let settings = said["settings"].as_array().unwrap();
        let found = settings.iter().find(|it| it["setting"] == key).unwrap();
        (found["value"].as_str().unwrap().to_owned(), found["origin"].as_str().unwrap().to_owned())
    };
    let file = home.join(".config/fgarchive/config.toml");
    let at = |key: &str, line: u32| format!("{key} in the file `{}`, line {line}", file.display());
    assert_eq!(value("region"), (EAST.to_owned(), at("region", 13)));
    assert_eq!(value("max_rps"), ("1000".to_owned(), at("max_rps", 3)));
    assert_eq!(value("archive"), ("own.db".to_owned(), "FGARCHIVE_DB".to_owned()));
    assert_eq!(value("settle_delay"), ("15m".to_owned(), "the default".to_owned()));
    assert_eq!(value("credentials"), ("(set)".to_owned(), "the variables NORTH_…".to_owned()));
    // Without the file everything is as without one.
    let bare = run(&home, &["sync", "--no-config"]).exits(2);
    bare.says("no function was named");
    home.sync(&north).args(["--no-config"]).exits(0);
    assert!(home.db().exists());
}

#[test]
fn a_file_that_is_wrong_is_shown_where() {
    let home = Home::new();
    write(&home, "[defaults]\nmax_rqs = 5\n");
    for command in [&["sync"][..], &["status"], &["query", "totals"], &["config", "check"]] {
        let said = home.run(command).exits(2);
        assert_eq!(
            said.stderr.replace(&home.path().display().to_string(), "~"),
            "error: the configuration `~/.config/fgarchive/config.toml`, line 2, column 1: there \
             is no key `max_rqs` here\n\n  2 | max_rqs = 5\n    | ^\n\n\
             hint: the nearest key is `max_rps`\n",
            "{command:?}"
        );
    }
    // What needs no file goes on without it.
    home.run(["completions", "bash", "--no-config"]).exits(0);
    home.run(["status", "--config", "missing.toml"])
        .exits(2)
        .says("cannot read the configuration `missing.toml`")
        .says("No such file");
    fs::write(home.join("missing.toml"), "").unwrap();
    let empty = home.run(["config", "check"]).env("FGARCHIVE_CONFIG", "missing.toml").exits(0);
    empty.prints(
        "missing.toml can be used; no source, so that options and variables say what is asked\n",
    );
    // The working directory is not looked at.
    fs::remove_file(home.join(".config/fgarchive/config.toml")).unwrap();
    fs::write(home.join("config.toml"), "wrong").unwrap();
    home.run(["config", "check"]).exits(2).says("there is no configuration file");
}

#[test]
fn a_region_that_nobody_knows_is_most_often_mistyped() {
    let home = Home::new();
    write(&home, "[[source]]\nname = \"a\"\nregion = \"cn-nroth-4\"\n");
    let said = home.run(["sync"]).env("HUAWEICLOUD_SDK_AK", "a").env("HUAWEICLOUD_SDK_SK", "s");
    let said = said.exits(2).says("line 3, column 10: the source `a`: there is no region");
    said.says("the nearest is `cn-north-4`");
}

#[test]
fn a_schedule_uses_the_file() {
    let north = cloud(NORTH, 1);
    let home = home(&[source("north", &north, "credentials = { file = \"north.keys\" }")]);
    let unit = run(&home, &["schedule", "systemd"]).exits(0);
    let directory = home.join(".config/fgarchive").display().to_string();
    for line in [
        format!("LoadCredential=config.toml:{directory}/config.toml"),
        format!("LoadCredential=north.keys:{directory}/north.keys"),
        "Environment=FGARCHIVE_CONFIG=%d/config.toml".to_owned(),
        "Environment=FGARCHIVE_DB=%S/fgarchive/fgarchive.db".to_owned(),
    ] {
        assert!(unit.stdout.lines().any(|it| it == line), "{line}: {}", unit.stdout);
    }
    assert!(unit.stdout.contains("/fgarchive sync -q\n"), "{}", unit.stdout);
    unit.says("and not in `~/both.db` as the configuration says");
    let line = run(&home, &["schedule", "cron"]).exits(0).stdout;
    assert!(line.ends_with(&format!(" sync --config {directory}/config.toml -q\n")), "{line}");
}
