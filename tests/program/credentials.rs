//! Ways in, ways that are refused, and that no secret shows anywhere.

use crate::archive;
use crate::cloud::{Cloud, settled_world};
use crate::program::{Home, Program, Said};
use crate::truth;
use fgarchive::emulator::{
    ACCESS_KEY, DOMAIN, Fault, Faults, PASSWORD, PROJECT_ID, REGION, RouteName, SECRET_KEY, TOKEN,
    USER,
};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

const AK: &str = "HUAWEICLOUD_SDK_AK";
const SK: &str = "HUAWEICLOUD_SDK_SK";
const AUTH_TOKEN: &str = "FGARCHIVE_AUTH_TOKEN";

/// A run that knows where the service is, but not as whom.
fn nobody(home: &Home, cloud: &Cloud) -> Program {
    home.run(["sync", "--all-functions", "--max-rps", "100000"]).to(cloud)
}

fn by_password(program: Program, cloud: &Cloud) -> Program {
    let url = format!("{}/v3", cloud.url);
    [
        ("OS_AUTH_URL", url.as_str()),
        ("OS_USERNAME", USER),
        ("OS_PASSWORD", PASSWORD),
        ("OS_USER_DOMAIN_NAME", DOMAIN),
        ("OS_PROJECT_NAME", REGION),
    ]
    .iter()
    .fold(program, |program, (name, value)| program.env(name, value))
}

#[track_caller]
fn nothing_happened(home: &Home, cloud: &Cloud) {
    assert_eq!(cloud.journal().total(), 0, "the service was asked");
    let made: Vec<_> = home.bytes().into_iter().map(|(path, _)| path).collect();
    assert!(made.is_empty(), "{made:?}");
}

/// A file with secrets that others may read is warned of, and refused where that is asked for.
#[test]
fn what_is_warned_of_is_refused_where_one_is_strict() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    fs::create_dir(home.join(".huaweicloud")).unwrap();
    let file = home.join(".huaweicloud/credentials");
    fs::write(&file, format!("[basic]\nak = {ACCESS_KEY}\nsk = {SECRET_KEY}\n")).unwrap();
    let sync = |mode| {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        nobody(&home, &cloud).env("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT_ID)
    };
    sync(0o644).args(["--strict"]).exits(2).says("error: others than its owner may read");
    nothing_happened(&home, &cloud);
    sync(0o600).args(["--strict"]).exits(0);
    sync(0o644).exits(0).says("WARN others than its owner may read");
}

/// A run that knows as whom it asks.
type Way<'a> = &'a dyn Fn(&Home) -> Program;

#[test]
fn every_way_in_leads_to_the_same_archive() {
    let cloud = Cloud::new(settled_world());
    let profile = |home: &Home| {
        fs::create_dir(home.join(".huaweicloud")).unwrap();
        let keys = format!("[basic]\nak = {ACCESS_KEY}\nsk = {SECRET_KEY}\n");
        fs::write(home.join(".huaweicloud/credentials"), keys).unwrap();
    };
    let ways: [(&str, Way<'_>); 5] = [
        ("token", &|home| nobody(home, &cloud).with_token()),
        ("keys", &|home| nobody(home, &cloud).signed()),
        ("keys, project looked up", &|home| {
            nobody(home, &cloud).signed().without("HUAWEICLOUD_SDK_PROJECT_ID")
        }),
        ("profile", &|home| {
            profile(home);
            nobody(home, &cloud)
        }),
        ("password", &|home| by_password(nobody(home, &cloud), &cloud)),
    ];
    for (name, way) in ways {
        let home = Home::new();
        let said = way(&home).output();
        assert_eq!(said.code(), 0, "{name}: {}", said.stderr);
        truth::assert_whole(&cloud, &home.db());
    }
}

#[test]
fn missing_or_incomplete_credentials_are_usage() {
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[], "error: there are no credentials\n"),
        (&[(AK, ""), (AUTH_TOKEN, "")], "error: there are no credentials\n"),
        (&[(AK, "key")], "HUAWEICLOUD_SDK_AK is set, HUAWEICLOUD_SDK_SK is not"),
        (&[(SK, "hunter2hunter2")], "HUAWEICLOUD_SDK_SK is set, HUAWEICLOUD_SDK_AK is not"),
        (
            &[("OS_USERNAME", "user"), ("OS_PASSWORD", "hunter2hunter2")],
            "for a login by password OS_AUTH_URL",
        ),
    ];
    for (set, message) in cases {
        let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
        let program = set
            .iter()
            .fold(nobody(&home, &cloud), |program, (name, value)| program.env(name, value));
        program
            .exits(2)
            .says(message)
            .says("\nhint: set FGARCHIVE_AUTH_TOKEN; or HUAWEICLOUD_SDK_AK")
            .prints("");
        nothing_happened(&home, &cloud);
    }
}

#[test]
fn a_value_with_a_line_break_or_a_blank_is_named_and_not_shown() {
    for (name, value, message) in [
        (AUTH_TOKEN, "hunter2\nhunter2", "the value of FGARCHIVE_AUTH_TOKEN holds a line break"),
        (AUTH_TOKEN, "hunter2hunter2\n", "the value of FGARCHIVE_AUTH_TOKEN holds a line break"),
        (
            AUTH_TOKEN,
            "hunter2\r\nX-Other: 1",
            "the value of FGARCHIVE_AUTH_TOKEN holds a line break",
        ),
        (SK, "hunter2 hunter2", "the value of HUAWEICLOUD_SDK_SK holds a blank"),
        (SK, "hunter2hunter2\n", "the value of HUAWEICLOUD_SDK_SK holds a line break"),
    ] {
        let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
        let said = nobody(&home, &cloud)
            .env(AK, "key")
            .env(name, value)
            .exits(2)
            .says(message)
            .says("\nhint: ");
        assert!(!said.everything().contains("hunter2"), "{}", said.everything());
        nothing_happened(&home, &cloud);
    }
}

/// It is known by its name alone, and told once, however many functions are asked.
#[test]
fn a_secret_that_is_an_ordinary_word_is_warned_of_once() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    for (secret, times) in [("2026", 1), ("t", 1), ("cn-north-4", 1), ("hunter2hunter2", 0)] {
        let said = nobody(&home, &cloud).with_token().env(AUTH_TOKEN, secret).exits(4);
        let warnings = said
            .everything()
            .matches("WARN the token is as short or usual as ordinary text")
            .count();
        assert_eq!(warnings, times, "{secret}: {}", said.everything());
    }
    assert!(!home.sync(&cloud).exits(0).everything().contains("ordinary text"));
}

#[test]
fn a_refused_key_is_shown_to_the_service_once() {
    let cases: [(&str, &[&str]); 2] = [
        ("all", &["sync", "--all-functions"]),
        (
            "named",
            &[
                "sync",
                "--function",
                "order-export",
                "--function",
                "thumbnail",
                "--function",
                "billing:invoice-mail",
            ],
        ),
    ];
    for (name, args) in cases {
        let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
        let wrong = || {
            home.run(args)
                .args(["--max-rps", "100000", "--concurrency", "16"])
                .to(&cloud)
                .signed()
                .env(SK, "hunter2hunter2")
        };
        wrong()
            .exits(4)
            .says("access is refused (HTTP 401, APIG")
            .says("request id ")
            .says("hint: check the credentials");
        assert_eq!(
            (cloud.journal().total(), cloud.emulator.refused_signatures()),
            (1, 1),
            "{name}"
        );
        assert_eq!(archive::number(&home.db(), "SELECT count(*) FROM invocations"), 0);
        home.sync(&cloud).exits(0);
        truth::assert_whole(&cloud, &home.db());
    }
}

#[test]
fn a_refused_token_or_password_is_shown_to_the_service_once() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    nobody(&home, &cloud).with_token().env(AUTH_TOKEN, "hunter2hunter2").exits(4).says("HTTP 401");
    assert_eq!(cloud.journal().total(), 1);
    cloud.emulator.forget();
    by_password(nobody(&home, &cloud), &cloud)
        .env("OS_PASSWORD", "hunter2hunter2")
        .exits(4)
        .says("cannot fetch a token for the user `")
        .says("access is refused (HTTP 401")
        .says("hint: check the user name");
    assert_eq!((cloud.journal().total(), cloud.journal().requests(RouteName::Tokens)), (1, 1));
}

#[test]
fn a_token_that_expires_is_renewed_where_there_is_a_password() {
    let expiring = || -> Faults {
        r#"{ "rules": [{ "on": "invocations", "skip": 3, "times": 1, "faults": ["expired_token"] }] }"#.parse().unwrap()
    };
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()).with_faults(expiring()));
    by_password(nobody(&home, &cloud), &cloud)
        .exits(0)
        .says("the token had expired and was renewed");
    assert_eq!(cloud.journal().requests(RouteName::Tokens), 2);
    truth::assert_whole(&cloud, &home.db());
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()).with_faults(expiring()));
    nobody(&home, &cloud).with_token().exits(4).says("hint: fetch a new token");
    nobody(&home, &cloud).with_token().exits(0);
    truth::assert_whole(&cloud, &home.db());
}

#[test]
fn no_secret_is_ever_shown_or_kept() {
    const SECRETS: [&str; 3] = ["hunter2hunter2", "correcthorse", "batterystaple"];
    let clean = |said: &Said, home: &Home| {
        for secret in SECRETS.iter().chain(&[SECRET_KEY, PASSWORD, "Authorization", "Signature="]) {
            assert!(!said.everything().contains(secret), "{secret} is in {}", said.everything());
        }
        // The token that IAM gave, and the one that works for ever.
        assert!(!said.everything().contains(TOKEN), "{}", said.everything());
        for (path, bytes) in home.bytes() {
            for secret in SECRETS.iter().chain(&[SECRET_KEY, PASSWORD, TOKEN]) {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} is in {}", path.display());
            }
        }
    };
    for extra in [&["-vv"][..], &["-vv", "--log-format", "json"]] {
        for fault in [
            None,
            Some(Fault::Status { code: 500, body: fgarchive::emulator::BodyKind::Html }),
            Some(Fault::Garbled),
        ] {
            let cloud = || match fault {
                // Only the first requests, so that patience is not what is waited for.
                Some(fault) => Cloud::new(settled_world()).with_faults(Faults::rule(
                    fgarchive::emulator::Rule { times: Some(2), ..fault.into() },
                )),
                None => Cloud::new(settled_world()),
            };
            let keyed = |home: &Home, cloud: &Cloud| nobody(home, cloud).signed().args(extra);
            for case in 0..6 {
                let (home, cloud) = (Home::new(), cloud());
                let program = match case {
                    0 => keyed(&home, &cloud),
                    1 => keyed(&home, &cloud).env(SK, SECRETS[0]),
                    2 => keyed(&home, &cloud).env("HUAWEICLOUD_SDK_SECURITY_TOKEN", SECRETS[1]),
                    3 => keyed(&home, &cloud).with_token(),
                    4 => keyed(&home, &cloud).with_token().env(AUTH_TOKEN, SECRETS[2]),
                    _ => by_password(nobody(&home, &cloud), &cloud).args(extra),
                };
                let said = program.env("RUST_LOG", "trace").output();
                assert!([0, 4].contains(&said.code()), "{case}: {}", said.stderr);
                clean(&said, &home);
            }
        }
    }
}

#[test]
fn a_project_of_its_own_is_used_and_a_wrong_one_refused() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    nobody(&home, &cloud)
        .signed()
        .without("HUAWEICLOUD_SDK_PROJECT_ID")
        .args(["--project-id", PROJECT_ID])
        .exits(0);
    assert_eq!(cloud.journal().requests(RouteName::Projects), 0);
    let refused = nobody(&home, &cloud)
        .signed()
        .args(["--project-id", "fedcba9876543210fedcba9876543210"])
        .output();
    assert!(
        [3, 4].contains(&refused.code()) && refused.stderr.contains("hint: "),
        "{}: {}",
        refused.code(),
        refused.stderr
    );
}
