//! The emulator's command line: what `emulate` takes, and the variables that lead a client to it.

use super::auth::{ACCESS_KEY, DOMAIN, PASSWORD, SECRET_KEY, TOKEN, USER};
use super::faults::{Fault, Faults, Rule};
use super::readings::Readings;
use super::service::Emulator;
use super::world::{PROJECT_ID, REGION, World, WorldSpec};
use crate::domain::Timestamp;
use clap::Args;
use humantime::Duration;
use std::fs::File;
use std::io::{self, Read};

/// The largest script of faults that is read, bytes; a hundred rules have a tenth of it.
const MOST_SCRIPT: u64 = 1 << 20;

/// What the stand-in cloud holds and how it behaves.
///
/// Besides the access key it takes a token and a password, see [`closing_help`].
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, allow_negative_numbers = true, default_value_t = 0)]
    pub port: u16,
    /// Records that began before now, over all functions
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 20_000)]
    pub records: u64,
    /// Functions; the first has the most records
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 3)]
    pub functions: usize,
    /// Of those, how many have no status log, and so no records
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 0)]
    pub unlogged: usize,
    /// How far back the records reach
    #[arg(long, value_name = "SPAN", allow_hyphen_values = true, default_value = "30d")]
    pub span: Duration,
    /// Same seed, same records
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 1)]
    pub seed: u64,
    /// Records go on appearing and finishing, for a day
    #[arg(long)]
    pub live: bool,
    /// The longest time until a record is listed; most are listed much sooner
    #[arg(long, value_name = "SPAN", allow_hyphen_values = true, default_value = "2m")]
    pub lateness: Duration,
    /// How long a record is listed after its start; for ever unless given
    #[arg(long, value_name = "SPAN", allow_hyphen_values = true)]
    pub retention: Option<Duration>,
    /// Records of one second, three times in each function
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 40)]
    pub burst: u64,
    /// A script of faults, or one of none, flaky, throttled, slow, expiring, hostile
    #[arg(long, value_name = "FILE|PRESET", default_value = "none")]
    pub faults: String,
    /// Hold every answer back for so long, such as 50ms
    #[arg(long, value_name = "SPAN", allow_hyphen_values = true)]
    pub latency: Option<Duration>,
    /// What the vendor's page leaves open
    #[command(flatten)]
    pub readings: Readings,
}

impl Options {
    /// The service these options describe, its records ending at the clock's now.
    pub fn build(
        &self,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Emulator, String> {
        let world = World::new(self.spec(clock()))?;
        Ok(Emulator::new(world, self.readings.clone(), self.script()?, clock))
    }

    fn spec(&self, anchor: Timestamp) -> WorldSpec {
        WorldSpec {
            seed: self.seed,
            functions: self.functions,
            unlogged: self.unlogged,
            records: self.records,
            span: self.span.as_secs(),
            live: self.live,
            lateness: u32::try_from(self.lateness.as_secs()).unwrap_or(u32::MAX),
            retention: self.retention.map(|kept| kept.as_secs()),
            burst_size: self.burst,
            ..WorldSpec::new(anchor)
        }
    }

    fn script(&self) -> Result<Faults, String> {
        let mut faults = match Faults::preset(&self.faults) {
            Some(faults) => faults,
            None => read_script(&self.faults)?,
        };
        if let Some(held) = self.latency {
            let ms = u64::try_from(held.as_millis()).unwrap_or(u64::MAX);
            faults.rules.push(Rule::from(Fault::Latency { ms }));
        }
        Ok(faults)
    }
}

fn read_script(path: &str) -> Result<Faults, String> {
    let unreadable = |cause: io::Error| {
        let presets = Faults::presets().collect::<Vec<_>>().join(", ");
        format!(
            "cannot read the faults `{path}`, which is a file unless it is one of {presets}: \
             {cause}"
        )
    };
    let mut text = String::new();
    open_regular(path)
        .and_then(|file| file.take(MOST_SCRIPT).read_to_string(&mut text))
        .map_err(unreadable)?;
    text.parse().map_err(|cause| format!("cannot read the faults `{path}`: {cause}"))
}

/// Opens a file, and nothing else: a pipe would be waited for, and a device may never end.
fn open_regular(path: &str) -> io::Result<File> {
    if std::fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

/// Lines for a shell that lead the program, the vendor's SDKs and the samples of its documentation
/// to a running emulator. No value has a character that a shell would take for anything else.
pub fn export_lines(base_url: &str) -> String {
    let of_region = format!(
        "HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_{}",
        REGION.replace('-', "_").to_ascii_uppercase()
    );
    [
        ("FGARCHIVE_ENDPOINT", base_url),
        ("FGARCHIVE_REGION", REGION),
        ("HUAWEICLOUD_SDK_AK", ACCESS_KEY),
        ("HUAWEICLOUD_SDK_SK", SECRET_KEY),
        ("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT_ID),
        (&of_region, base_url),
        ("HUAWEICLOUD_SDK_IAM_ENDPOINT", base_url),
        ("CLOUD_SDK_AK", ACCESS_KEY),
        ("CLOUD_SDK_SK", SECRET_KEY),
    ]
    .map(|(name, value)| format!("export {name}={value}\n"))
    .concat()
}

/// What holds by default, and the other ways in, for the end of the command's help.
pub fn closing_help() -> String {
    format!(
        "Without a switch it answers as the vendor's page documents: error_code is an integer, 0 \
         for no error, and count and next_marker are too; a query without bounds has the last \
         hour, one without a limit 100 records. Times are read as documented and as the page's \
         samples send them. --error-form string gives codes as text, --times strict refuses what \
         is not documented; the other switches are above.\n\nOther ways in:\n  a token      \
         FGARCHIVE_AUTH_TOKEN={TOKEN}\n  a password   OS_AUTH_URL=<its address>/v3 \
         OS_USERNAME={USER} OS_PASSWORD={PASSWORD} OS_USER_DOMAIN_NAME={DOMAIN} \
         OS_PROJECT_NAME={REGION}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::io::Write;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn options(arguments: &[&str]) -> Options {
        Line::parse_from(["emulate"].iter().chain(arguments)).options
    }

    const NOW: Timestamp = Timestamp::MAX;

    #[test]
    fn the_command_line_without_options_is_the_default_world() {
        assert_eq!(options(&[]).spec(NOW), WorldSpec::new(NOW));
    }

    #[test]
    fn faults_are_a_preset_or_a_file() {
        let rules =
            |name: &str| options(&["--faults", name]).script().map(|faults| faults.rules.len());
        assert_eq!(rules("none"), Ok(0));
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(br#"{ "seed": 3, "rules": [{ "faults": ["reset"] }] }"#).unwrap();
        assert_eq!(rules(file.path().to_str().unwrap()), Ok(1));
        let refused = rules("flakey").unwrap_err();
        assert!(refused.contains("`flakey`") && refused.contains("flaky, throttled"), "{refused}");
        let refused = rules("/dev/zero").unwrap_err();
        assert!(refused.ends_with("it is not a regular file"), "{refused}");
        let delayed = options(&["--latency", "50ms"]).script().unwrap();
        assert_eq!(delayed.rules[0].faults, [Fault::Latency { ms: 50 }]);
    }

    #[test]
    fn what_no_world_can_have_is_a_sentence() {
        let refused = options(&["--functions", "0"]).build(|| NOW).unwrap_err();
        assert_eq!(refused, "a world has 1 to 10000 functions, not 0");
    }

    #[test]
    fn exports_are_lines_of_a_shell() {
        let lines = export_lines("http://127.0.0.1:8080");
        assert!(lines.starts_with(
            "export FGARCHIVE_ENDPOINT=http://127.0.0.1:8080\nexport FGARCHIVE_REGION=cn-north-4\n"
        ));
        let plain =
            |character: char| character.is_ascii_alphanumeric() || "=:/._-".contains(character);
        for line in lines.lines() {
            let assignment = line.strip_prefix("export ").unwrap();
            assert!(assignment.chars().all(plain), "{line}");
        }
        assert!(lines.contains(
            "\nexport HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_CN_NORTH_4=http://127.0.0.1:8080\n"
        ));
        assert!(lines.contains("\nexport HUAWEICLOUD_SDK_IAM_ENDPOINT=http://127.0.0.1:8080\n"));
        assert!(
            lines
                .ends_with("\nexport CLOUD_SDK_AK=emulator\nexport CLOUD_SDK_SK=emulator-secret\n")
        );
    }
}
