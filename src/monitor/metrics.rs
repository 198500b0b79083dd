//! Metrics in the text format of Prometheus, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! They are written after every run, however it ended, for the textfile collector of its node
//! exporter. That takes no times beside values, wants the same help in all files, and goes on
//! telling an old file for ever: so the time of the last run is a metric itself. Units are base
//! units, and names end in them (<https://prometheus.io/docs/practices/naming/>).

use crate::domain::{FunctionUrn, Timestamp, count_to_i64};
use crate::store::read::{ArchiveStatus, FunctionStatus};
use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

/// How the run went that was just made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastRun {
    /// When it ended.
    pub(crate) at: Timestamp,
    pub(crate) duration: Duration,
    pub(crate) exit_code: u8,
    pub(crate) requests: u64,
    pub(crate) throttled: u64,
}

/// What is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metrics<'a> {
    pub(crate) last_run: LastRun,
    /// How the archive stands; nothing where it cannot be read.
    pub(crate) archive: Option<&'a ArchiveStatus>,
    /// How large its file is.
    pub(crate) bytes: Option<u64>,
    /// The source of each function by its URN, where a configuration names sources.
    pub(crate) sources: Option<&'a HashMap<String, String>>,
    /// How many functions are told at most, the first by name: each takes a series of every metric.
    pub(crate) most_functions: usize,
}

impl Metrics<'_> {
    /// Writes all of them.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let LastRun { at, duration, exit_code, requests, throttled } = self.last_run;
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        Family { name: "build_info", help: "The program that made the run." }
            .write(out, [(&version[..], 1)])?;
        let one = |name, help, value: i64, out: &mut dyn Write| {
            Family { name, help }.write(out, [(&[][..], value)])
        };
        one("last_run_timestamp_seconds", "When the last run ended.", at.unix(), out)?;
        one("last_run_exit_code", "Its exit code; 0 is complete.", exit_code.into(), out)?;
        one("last_run_duration_seconds", "How long it took.", seconds(duration), out)?;
        one("last_run_requests", "How many requests it sent.", count_to_i64(requests), out)?;
        one(
            "last_run_throttled",
            "How many of them were throttled.",
            count_to_i64(throttled),
            out,
        )?;
        if let Some(bytes) = self.bytes {
            one("archive_bytes", "How large the archive's file is.", count_to_i64(bytes), out)?;
        }
        self.archive.map_or(Ok(()), |archive| self.write_archive(archive, out))
    }

    fn write_archive(&self, archive: &ArchiveStatus, out: &mut dyn Write) -> io::Result<()> {
        let good = archive.last_good_run.map(|at| (&[][..], at.unix()));
        Family {
            name: "last_good_run_timestamp_seconds",
            help: "When the last run ended that left nothing to do.",
        }
        .write(out, good)?;
        let there = || archive.functions.iter().filter(|function| function.gone_at.is_none());
        Family { name: "functions", help: "How many functions are archived, without gone ones." }
            .write(out, [(&[][..], count_to_i64(there().count() as u64))])?;
        let functions: Vec<Labelled<'_>> =
            there().take(self.most_functions).map(|it| Labelled::of(it, self.sources)).collect();
        for (name, help, value) in OF_FUNCTIONS {
            let now = self.last_run.at;
            let known = functions
                .iter()
                .filter_map(|function| Some((function.labels(), value(function.status, now)?)));
            let samples: Vec<_> = known.collect();
            let samples = samples.iter().map(|(labels, value)| (&labels[..], *value));
            Family { name, help }.write(out, samples)?;
        }
        Ok(())
    }
}

/// A metric of each function: its name, its meaning, and its value now, where it is known.
type OfFunction = (&'static str, &'static str, fn(&FunctionStatus, Timestamp) -> Option<i64>);

const OF_FUNCTIONS: [OfFunction; 6] = [
    (
        "covered_through_timestamp_seconds",
        "Until when everything is archived, or known to be lost.",
        |function, _| function.coverage.covered_through.map(Timestamp::unix),
    ),
    ("gap_seconds", "How much time before that is not proven.", |function, _| {
        Some(function.coverage.gaps.seconds)
    }),
    (
        "lost_seconds",
        "How much time the service had forgotten before it was archived.",
        |function, _| Some(function.coverage.lost.seconds),
    ),
    ("open_records", "Records that had not ended.", |function, _| Some(function.open)),
    (
        "survives_seconds",
        "How long no run may come before something pending is lost.",
        |function, now| function.forecast.survives(now).map(seconds),
    ),
    ("records", "Records archived.", |function, _| Some(function.records)),
];

/// A function and what tells it from all others.
struct Labelled<'a> {
    status: &'a FunctionStatus,
    region: String,
    project_id: String,
    source: Option<&'a str>,
}

impl<'a> Labelled<'a> {
    fn of(status: &'a FunctionStatus, sources: Option<&'a HashMap<String, String>>) -> Self {
        let urn = status.urn.parse::<FunctionUrn>().ok();
        let part = |part: fn(&FunctionUrn) -> &str| {
            urn.as_ref().map_or_else(String::new, |urn| part(urn).to_owned())
        };
        Self {
            status,
            region: part(FunctionUrn::region),
            project_id: part(FunctionUrn::project_id),
            source: sources.map(|of| of.get(&status.urn).map_or("", String::as_str)),
        }
    }

    fn labels(&self) -> Vec<Label<'_>> {
        let source = self.source.map(|name| ("source", name));
        let place = [("region", &*self.region), ("project_id", &*self.project_id)];
        let function = ("function", &*self.status.name);
        source.into_iter().chain(place).chain([function]).collect()
    }
}

/// The name of a label and its value.
type Label<'a> = (&'static str, &'a str);

/// A metric: its name without the program's, and what it means.
struct Family {
    name: &'static str,
    help: &'static str,
}

impl Family {
    /// Writes its head and its samples; nothing at all where there are none.
    fn write<'l>(
        &self,
        out: &mut dyn Write,
        samples: impl IntoIterator<Item = (&'l [Label<'l>], i64)>,
    ) -> io::Result<()> {
        let Self { name, help } = self;
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        writeln!(out, "# HELP fgarchive_{name} {help}\n# TYPE fgarchive_{name} gauge")?;
        for (labels, value) in samples {
            let labels: Vec<String> = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                .collect();
            let labels =
                if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            writeln!(out, "fgarchive_{name}{labels} {value}")?;
        }
        Ok(())
    }
}

/// The value of a label, as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn seconds(duration: Duration) -> i64 {
    count_to_i64(duration.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::coverage::{Coverage, Extent};
    use crate::plan::forecast::LossForecast;
    use pretty_assertions::assert_eq;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn last_run() -> LastRun {
        LastRun {
            at: at("2026-03-01T12:00:00Z"),
            duration: Duration::from_millis(2_900),
            exit_code: 3,
            requests: 17,
            throttled: 2,
        }
    }

    fn function(name: &str, covered_through: Option<&str>) -> FunctionStatus {
        FunctionStatus {
            name: name.to_owned(),
            urn: format!("urn:fss:cn-north-4:0123:function:{name}:latest"),
            gone_at: None,
            coverage: Coverage {
                covered_through: covered_through.map(at),
                gaps: Extent { count: 1, seconds: 60 },
                ..Coverage::default()
            },
            last_walk: None,
            unproven: None,
            records: 5,
            pruned: None,
            open: 1,
            forecast: LossForecast::default(),
        }
    }

    fn written(archive: Option<&ArchiveStatus>, most_functions: usize) -> String {
        let bytes = archive.map(|_| 4_096);
        let mut out = Vec::new();
        Metrics { last_run: last_run(), archive, sources: None, bytes, most_functions }
            .write(&mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_run_is_told_where_no_archive_can_be_read() {
        let version = env!("CARGO_PKG_VERSION");
        let samples: Vec<_> = written(None, 10)
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        assert_eq!(
            samples,
            [
                &format!("fgarchive_build_info{{version=\"{version}\"}} 1"),
                "fgarchive_last_run_timestamp_seconds 1772366400",
                "fgarchive_last_run_exit_code 3",
                "fgarchive_last_run_duration_seconds 2",
                "fgarchive_last_run_requests 17",
                "fgarchive_last_run_throttled 2",
            ]
        );
    }

    #[test]
    fn a_metric_has_one_head_and_a_sample_for_each_function_of_which_it_is_known() {
        let mut gone = function("default:gone", None);
        gone.gone_at = Some(at("2026-02-01T00:00:00Z"));
        let archive = ArchiveStatus {
            last_good_run: Some(at("2026-03-01T11:00:00Z")),
            last_run: None,
            functions: vec![
                function("default:a", Some("2026-03-01T11:30:00Z")),
                function("default:b", None),
                gone,
                function("default:c", None),
            ],
        };
        let text = written(Some(&archive), 2);
        let of = |metric: &str| -> Vec<_> {
            text.lines().filter(|line| line.contains(metric)).map(str::to_owned).collect()
        };
        let labels = "region=\"cn-north-4\",project_id=\"0123\",function=\"default:a\"";
        assert_eq!(
            of("fgarchive_covered_through"),
            [
                "# HELP fgarchive_covered_through_timestamp_seconds Until when everything is \
                 archived, or known to be lost.",
                "# TYPE fgarchive_covered_through_timestamp_seconds gauge",
                &format!("fgarchive_covered_through_timestamp_seconds{{{labels}}} 1772364600"),
            ]
        );
        assert_eq!(of("fgarchive_gap_seconds{").len(), 2);
        assert_eq!(of("fgarchive_functions ").last().unwrap(), "fgarchive_functions 3");
        let good = of("last_good_run_timestamp_seconds ");
        assert_eq!(good.last().unwrap(), "fgarchive_last_good_run_timestamp_seconds 1772362800");
        assert_eq!(of("survives"), Vec::<String>::new());
        assert!(!text.contains("gone\""), "{text}");
    }

    #[test]
    fn a_label_cannot_leave_its_quotes() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
