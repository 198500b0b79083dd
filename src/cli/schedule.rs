//! `fgarchive schedule`: what makes systemd or cron run `sync`, printed or written to files.

use super::failure;
use super::globals::{GlobalArgs, Globals};
use super::sync;
use crate::config::{Origin, parse_duration};
use crate::error::{Failure, FailureKind};
use crate::render::shell_word;
use clap::{Args as _, Command, ValueEnum};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const SERVICE: &str = include_str!("../../templates/fgarchive.service");
const TIMER: &str = include_str!("../../templates/fgarchive.timer");

/// The names of the two files, which systemd ties by what stands before the dot.
const SERVICE_FILE: &str = "fgarchive.service";
const TIMER_FILE: &str = "fgarchive.timer";

/// The one directory that the service may write to, and its archive in words of systemd.
const STATE_DIRECTORY: &str = "/var/lib/fgarchive";
const UNIT_DB: &str = "%S/fgarchive/fgarchive.db";

/// What a run by hand is not told.
const NOTIFY: &str = "--notify";

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The most that a start is put off, so that many machines do not ask at the same second.
const LONGEST_DELAY: u64 = MINUTE;

/// The arguments of `schedule`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// What runs it
    #[arg(value_enum, value_name = "SCHEDULER")]
    scheduler: Scheduler,
    /// How often: a part of an hour or of a day, such as 5m, 15m, 1h, 6h, 1d
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = parse_rhythm)]
    #[arg(allow_hyphen_values = true)]
    every: Rhythm,
    /// One service that stays and begins the runs itself (`sync --every`), in place of a timer
    ///
    /// systemd then knows whether it is alive, and `systemctl reload` begins a run at once.
    #[arg(long)]
    stay: bool,
    /// Write the units to this directory instead of stdout; a file that is there stays as it is
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// What `sync` is told [default: --all-functions, or nothing where a configuration file has
    /// sources]; --notify is added where the file says who is told
    #[arg(last = true, value_name = "ARGUMENTS OF SYNC", allow_hyphen_values = true)]
    sync: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scheduler {
    /// A service and a timer.
    Systemd,
    /// A line of a crontab.
    Cron,
}

/// How often a run begins, in a way that both schedulers can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rhythm {
    /// Every so many minutes of an hour.
    Minutes(u64),
    /// Every so many hours of a day.
    Hours(u64),
    Daily,
}

fn parse_rhythm(text: &str) -> Result<Rhythm, String> {
    let every = parse_duration(text)?;
    match every.as_secs() {
        _ if every.subsec_nanos() > 0 => {}
        DAY => return Ok(Rhythm::Daily),
        seconds @ MINUTE..HOUR
            if seconds.is_multiple_of(MINUTE) && HOUR.is_multiple_of(seconds) =>
        {
            return Ok(Rhythm::Minutes(seconds / MINUTE));
        }
        seconds @ HOUR.. if seconds.is_multiple_of(HOUR) && DAY.is_multiple_of(seconds) => {
            return Ok(Rhythm::Hours(seconds / HOUR));
        }
        _ => {}
    }
    Err("it must divide an hour into minutes or a day into hours, such as 5m, 15m, 1h, 6h, 1d"
        .to_owned())
}

impl Rhythm {
    /// As a calendar event of systemd (systemd.time(7)).
    fn calendar(self) -> String {
        match self {
            Self::Minutes(minutes) => format!("*:0/{minutes}"),
            Self::Hours(hours) => format!("0/{hours}:00"),
            Self::Daily => "*-*-* 00:00".to_owned(),
        }
    }

    /// As the times of a crontab (crontab(5)).
    fn times(self) -> String {
        match self {
            Self::Minutes(minutes) => format!("*/{minutes} * * * *"),
            Self::Hours(1) => "0 * * * *".to_owned(),
            Self::Hours(hours) => format!("0 */{hours} * * *"),
            Self::Daily => "0 0 * * *".to_owned(),
        }
    }

    /// As `sync --every` takes it.
    fn duration(self) -> String {
        match self {
            Self::Minutes(minutes) => format!("{minutes}m"),
            Self::Hours(hours) => format!("{hours}h"),
            Self::Daily => "1d".to_owned(),
        }
    }

    fn in_words(self) -> String {
        match self {
            Self::Minutes(1) => "every minute".to_owned(),
            Self::Minutes(minutes) => format!("every {minutes} minutes"),
            Self::Hours(1) => "every hour".to_owned(),
            Self::Hours(hours) => format!("every {hours} hours"),
            Self::Daily => "every day".to_owned(),
        }
    }

    fn delay(self) -> u64 {
        let seconds = match self {
            Self::Minutes(minutes) => minutes * MINUTE,
            Self::Hours(hours) => hours * HOUR,
            Self::Daily => DAY,
        };
        (seconds / 10).min(LONGEST_DELAY)
    }
}

/// Prints the units or the line, or writes the units.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let sync = args.sync(globals)?;
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("fgarchive"));
    let program = program.to_string_lossy().into_owned();
    if args.scheduler == Scheduler::Cron {
        let refused = |message| {
            Err(Failure::new(FailureKind::Usage, message)
                .hint("add the line that is printed by `crontab -e`"))
        };
        if args.output_dir.is_some() {
            return refused("--output-dir is for systemd's units; a crontab is edited");
        }
        if args.stay {
            return refused("--stay is for systemd's units; cron begins each run");
        }
        return out
            .write_all(crontab(args.every, &program, &sync, globals).as_bytes())
            .map_err(failure::output);
    }
    let settings = Settings::of(globals);
    let units = if args.stay {
        vec![staying_service(args.every, &program, &sync, &settings)]
    } else {
        units(args.every, &program, &sync, &settings).to_vec()
    };
    let Some(directory) = &args.output_dir else {
        let texts: Vec<String> =
            units.iter().map(|(name, text)| format!("# {name}\n{text}")).collect();
        return out.write_all(texts.join("\n").as_bytes()).map_err(failure::output);
    };
    write_units(&units, directory)?;
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    let started = names.last().copied().unwrap_or(SERVICE_FILE);
    let are = if names.len() == 1 { "is" } else { "are" };
    let needed = if globals.file.is_some() {
        "Put the variables that log in, if any,"
    } else {
        "Put credentials and region"
    };
    let next = format!(
        "{} {are} in `{}`. {needed} into\n\
         /etc/fgarchive/environment, a line NAME=value each, then, as root:\n\n    \
         chmod 600 /etc/fgarchive/environment\n    \
         mv {} /etc/systemd/system/\n    \
         systemctl daemon-reload\n    \
         systemctl enable --now {started}\n",
        names.join(" and "),
        directory.display(),
        names.join(" "),
    );
    out.write_all(next.as_bytes()).map_err(failure::output)
}

impl Args {
    /// What `sync` is told, if it would take it.
    fn sync(&self, globals: &Globals) -> Result<Vec<String>, Failure> {
        let mut sync = if self.sync.is_empty() && !globals.has_sources() {
            vec!["--all-functions".to_owned()]
        } else {
            self.sync.clone()
        };
        let is_told = globals.file.as_ref().is_some_and(|file| file.notify().is_anybody());
        if is_told && !sync.iter().any(|word| word == NOTIFY) {
            sync.push(NOTIFY.to_owned());
        }
        let line = ["sync"].into_iter().chain(sync.iter().map(String::as_str));
        let command = GlobalArgs::augment_args(sync::Args::augment_args(Command::new("sync")));
        match command.try_get_matches_from(line) {
            Ok(_) => Ok(sync),
            Err(error) => {
                let error = error.to_string();
                let first = error.lines().next().unwrap_or_default();
                let message =
                    format!("`sync` would refuse this: {}", first.trim_start_matches("error: "));
                Err(Failure::new(FailureKind::Usage, message)
                    .hint("`fgarchive sync --help` lists what it takes"))
            }
        }
    }
}

/// Both units by the names of their files.
fn units(
    every: Rhythm,
    program: &str,
    sync: &[String],
    settings: &Settings,
) -> [(&'static str, String); 2] {
    let timer = TIMER
        .replace("{every}", &every.in_words())
        .replace("{calendar}", &every.calendar())
        .replace("{delay}", &format!("{}s", every.delay()));
    let service = service(&Manner::ONCE, program, sync.iter().map(String::as_str), settings);
    [(SERVICE_FILE, service), (TIMER_FILE, timer)]
}

/// The unit of a service that begins the runs itself.
fn staying_service(
    every: Rhythm,
    program: &str,
    sync: &[String],
    settings: &Settings,
) -> (&'static str, String) {
    let every = every.duration();
    let words = ["--every", &every].into_iter().chain(sync.iter().map(String::as_str));
    (SERVICE_FILE, service(&Manner::STAYING, program, words, settings))
}

/// What sets a service that runs once apart from one that stays.
struct Manner {
    how: &'static str,
    kind: &'static str,
    limits: &'static str,
    install: &'static str,
}

impl Manner {
    const ONCE: Self = Self {
        how: "once each time it starts",
        kind: "Type=oneshot",
        limits: "# A run ends by itself; one that hangs is ended, and the next goes on from what \
                 it kept.\nTimeoutStartSec=6h",
        install: "",
    };
    const STAYING: Self = Self {
        how: "in runs that it begins itself",
        kind: "Type=notify\nExecReload=/bin/kill -HUP $MAINPID\nRestart=on-failure\n\
               RestartSec=1min\n# Settings that are wrong are not right a minute later.\n\
               RestartPreventExitStatus=2",
        limits: "# It gives a sign of life now and then, also during a long run; one that hangs is \
                 begun anew.\nWatchdogSec=10min\n# What is in hand is committed first.\n\
                 TimeoutStopSec=2min",
        install: "\n[Install]\nWantedBy=multi-user.target\n",
    };
}

fn service<'a>(
    manner: &Manner,
    program: &'a str,
    sync: impl Iterator<Item = &'a str>,
    settings: &Settings,
) -> String {
    let words = [program, "sync"].into_iter().chain(sync).chain(["-q"]);
    let command = words.map(for_systemd).collect::<Vec<_>>().join(" ");
    let Manner { how, kind, limits, install } = manner;
    SERVICE
        .replace("{how}", how)
        .replace("{kind}", kind)
        .replace("{limits}", limits)
        .replace("{install}", install)
        .replace("{command}", &command)
        .replace("{source}", settings.source)
        .replace("{settings}", &settings.lines.join("\n"))
}

/// What the service is told of its archive and its configuration.
struct Settings {
    /// Where they come from, in words.
    source: &'static str,
    /// Lines of the unit.
    lines: Vec<String>,
}

impl Settings {
    /// The file and the keys beside it are private, and the service's user has no name before it
    /// runs: systemd reads them as root and hands them over (systemd.exec(5), `LoadCredential`).
    fn of(globals: &Globals) -> Self {
        let Some(file) = &globals.file else {
            return Self {
                source: "Credentials and region come from the file of variables below, which \
                         systemd reads as root.",
                lines: vec![format!("Environment=FGARCHIVE_DB={UNIT_DB}")],
            };
        };
        let path = absolute(file.path());
        let loaded = |name: &str, path: &Path| {
            let specified = |text: &str| text.replace('%', "%%");
            let path = path.to_string_lossy();
            format!("LoadCredential={}:{}", specified(name), specified(&path))
        };
        let beside = path.parent().unwrap_or(Path::new("/"));
        let keys = file.key_files();
        let keys = keys.iter().map(|name| loaded(&name.to_string_lossy(), &beside.join(name)));
        let mut lines = vec![loaded("config.toml", &path)];
        lines.extend(keys);
        lines.push("Environment=FGARCHIVE_CONFIG=%d/config.toml".to_owned());
        match file.archive().map(|set| &set.value) {
            Some(archive) if archive.starts_with(STATE_DIRECTORY) => {}
            archive => {
                lines.push(format!("Environment=FGARCHIVE_DB={UNIT_DB}"));
                if let Some(archive) = archive {
                    tracing::warn!(
                        "the service keeps its archive in {STATE_DIRECTORY}, the one directory it \
                         may write to, and not in `{}` as the configuration says",
                        archive.display()
                    );
                }
            }
        }
        Self {
            source: "The configuration, and the keys beside it, are read by systemd as root and \
                     handed over.",
            lines,
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A word of a command as systemd reads it back (systemd.service(5), systemd.syntax(7)).
fn for_systemd(word: &str) -> String {
    let doubled = word.replace('%', "%%").replace('$', "$$");
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:,=@%$*+".contains(letter);
    if !doubled.is_empty() && doubled.chars().all(is_plain) {
        return doubled;
    }
    format!("\"{}\"", doubled.replace('\\', "\\\\").replace('"', "\\\""))
}

fn crontab(every: Rhythm, program: &str, sync: &[String], globals: &Globals) -> String {
    let db = absolute(&globals.db).to_string_lossy().into_owned();
    let file = globals.file.as_ref().map(|file| absolute(file.path()));
    let file = file.map(|path| path.to_string_lossy().into_owned());
    let by_file = matches!(globals.db_origin, Origin::File { .. });
    let of_file = file.iter().flat_map(|file| ["--config", file]);
    let of_db = Some(["--db", &db]).filter(|_| !by_file).into_iter().flatten();
    let words = [program, "sync"].into_iter().chain(of_file).chain(of_db);
    let words = words.chain(sync.iter().map(String::as_str)).chain(["-q"]);
    // A percent sign ends the command of a crontab.
    let command = words.map(shell_word).collect::<Vec<_>>().join(" ").replace('%', "\\%");
    format!("{} {command}\n", every.times())
}

/// Writes all units, or none: what is there is somebody's.
fn write_units(units: &[(&str, String)], directory: &Path) -> Result<(), Failure> {
    let refused = |path: &Path, why: std::io::Error| {
        let is_there = why.kind() == ErrorKind::AlreadyExists;
        let hint = if is_there {
            "it was left as it was; move it away, or give another directory"
        } else {
            "check that the directory is there, and who may write to it"
        };
        let message = format!("cannot write `{}`", path.display());
        Failure::new(FailureKind::Usage, message).because(why).hint(hint)
    };
    let mut written: Vec<PathBuf> = Vec::new();
    for (name, text) in units {
        let path = directory.join(name);
        let made = fs::File::create_new(&path).and_then(|mut file| {
            written.push(path.clone());
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        if let Err(why) = made {
            for path in &written {
                // What cannot be removed is at least told by its name.
                let _ = fs::remove_file(path);
            }
            return Err(refused(&path, why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigFile;
    use pretty_assertions::assert_eq;

    /// What holds with a configuration file of this text, and an archive that is named where it
    /// names none.
    fn globals(text: Option<&str>) -> Globals {
        let path = Path::new("/etc/fg 100%/fg.toml");
        let file = text.map(|text| ConfigFile::parse(path, text.to_owned(), None).unwrap());
        let db = file.is_none().then(|| PathBuf::from("/srv/a.db"));
        GlobalArgs { db, ..GlobalArgs::nothing() }.with_file(file)
    }

    #[test]
    fn a_configuration_is_handed_to_the_service_and_named_in_a_crontab() {
        let source = "[[source]]\nname = \"a\"\ncredentials = { file = \"a.keys\" }\n";
        let lines = |text: &str| Settings::of(&globals(Some(text))).lines.join("\n");
        let handed = "LoadCredential=config.toml:/etc/fg 100%%/fg.toml\n\
                      LoadCredential=a.keys:/etc/fg 100%%/a.keys\n\
                      Environment=FGARCHIVE_CONFIG=%d/config.toml";
        let kept = "Environment=FGARCHIVE_DB=%S/fgarchive/fgarchive.db";
        assert_eq!(lines(source), format!("{handed}\n{kept}"));
        let own = "archive = \"/var/lib/fgarchive/a.db\"\n";
        assert_eq!(lines(&format!("{own}{source}")), handed);
        let elsewhere = "archive = \"/srv/a.db\"\n";
        assert_eq!(lines(&format!("{elsewhere}{source}")), format!("{handed}\n{kept}"));
        let globals = globals(Some(&format!("{own}{source}")));
        assert_eq!(
            crontab(Rhythm::Hours(1), "fgarchive", &[], &globals),
            "0 * * * * fgarchive sync --config '/etc/fg 100\\%/fg.toml' -q\n"
        );
    }

    #[test]
    fn what_is_scheduled_tells_whom_the_configuration_names() {
        let args = |sync: &[&str]| Args {
            scheduler: Scheduler::Cron,
            every: Rhythm::Daily,
            stay: false,
            output_dir: None,
            sync: sync.iter().map(|word| (*word).to_owned()).collect(),
        };
        let notify = globals(Some("[notify]\nping = \"https://hc-ping.com/0f5a\"\n"));
        let told = |sync: &[&str]| args(sync).sync(&notify).unwrap().join(" ");
        assert_eq!(told(&[]), "--all-functions --notify");
        assert_eq!(told(&["--function", "f"]), "--function f --notify");
        assert_eq!(told(&["--notify", "--all-functions"]), "--notify --all-functions");
        assert_eq!(args(&[]).sync(&globals(None)).unwrap(), ["--all-functions"]);
    }

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_rhythm_divides_an_hour_or_a_day() {
        for (text, calendar, times, delay) in [
            ("1m", "*:0/1", "*/1 * * * *", 6),
            ("15m", "*:0/15", "*/15 * * * *", 60),
            ("60m", "0/1:00", "0 * * * *", 60),
            ("6h", "0/6:00", "0 */6 * * *", 60),
            ("1day", "*-*-* 00:00", "0 0 * * *", 60),
        ] {
            let rhythm = parse_rhythm(text).unwrap();
            assert_eq!((rhythm.calendar().as_str(), rhythm.times().as_str()), (calendar, times));
            assert_eq!(rhythm.delay(), delay, "{text}");
        }
        for text in ["7m", "90m", "5h", "2d", "30s", "90s", "0s", "15m 1ms", "1m 30s"] {
            let error = parse_rhythm(text).unwrap_err();
            assert!(error.starts_with("it must divide an hour"), "{text}: {error}");
        }
        assert!(parse_rhythm("often").is_err());
    }

    #[test]
    fn words_keep_their_meaning_in_a_unit_and_in_a_crontab() {
        let sync =
            [words("--function billing:*"), vec!["--since".into(), "50% of \"a\" $x".into()]]
                .concat();
        let globals = globals(None);
        let settings = Settings::of(&globals);
        let [(_, service), (_, timer)] =
            units(Rhythm::Minutes(15), "/opt/fg archive", &sync, &settings);
        let command = service.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
        assert_eq!(
            command,
            "ExecStart=\"/opt/fg archive\" sync --function billing:* --since \
             \"50%% of \\\"a\\\" $$x\" -q"
        );
        assert!(timer.contains("\nOnCalendar=*:0/15\nRandomizedDelaySec=60s\nPersistent=true\n"));
        let (_, staying) =
            staying_service(Rhythm::Hours(6), "/opt/fgarchive", &sync[..2], &settings);
        assert!(
            staying
                .contains("\nExecStart=/opt/fgarchive sync --every 6h --function billing:* -q\n")
        );
        assert!(staying.contains("\nType=notify\n") && staying.contains("\nWatchdogSec="));
        assert!(service.ends_with("\nSystemCallErrorNumber=EPERM\n"), "{service}");
        assert!(staying.ends_with("\n[Install]\nWantedBy=multi-user.target\n"), "{staying}");
        assert!(![service, timer, staying].iter().any(|text| text.contains(['{', '}'])));
        assert_eq!(
            crontab(Rhythm::Hours(1), "/opt/fg archive", &sync, &globals),
            "0 * * * * '/opt/fg archive' sync --db /srv/a.db --function 'billing:*' --since \
             '50\\% of \"a\" $x' -q\n"
        );
    }

    #[test]
    fn units_are_written_both_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let texts = units(
            Rhythm::Daily,
            "fgarchive",
            &words("--all-functions"),
            &Settings::of(&globals(None)),
        );
        let names = || fs::read_dir(directory.path()).unwrap().count();
        fs::write(directory.path().join(TIMER_FILE), "mine").unwrap();
        let failure = write_units(&texts, directory.path()).unwrap_err();
        assert!(failure.to_string().contains("fgarchive.timer"), "{failure}");
        assert_eq!((names(), failure.kind), (1, FailureKind::Usage));
        fs::remove_file(directory.path().join(TIMER_FILE)).unwrap();
        write_units(&texts, directory.path()).unwrap();
        assert_eq!(names(), 2);
        assert!(write_units(&texts, &directory.path().join("gone")).is_err());
    }
}
