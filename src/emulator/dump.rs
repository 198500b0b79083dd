//! The truth to compare with: every record that is listed now, one JSON object a line.

use super::service::Emulator;
use super::world::{Failure, Shown};
use serde::Serialize;
use std::io::{self, Write};

/// A record in the archive's terms: codes are integers, times end in `Z`, nothing is null.
#[derive(Debug, Serialize)]
struct Line<'a> {
    urn: &'a str,
    request_id: String,
    status: &'static str,
    error_code: Option<u32>,
    error_message: Option<String>,
    start_time: String,
    end_time: Option<String>,
}

impl<'a> Line<'a> {
    fn new(urn: &'a str, shown: &Shown) -> Self {
        Self {
            urn,
            request_id: shown.id.to_string(),
            status: shown.phase.as_str(),
            error_code: shown.failure.map(Failure::code),
            error_message: shown.failure.map(|failure| failure.to_string()),
            start_time: shown.start.to_string(),
            end_time: shown.end.map(|end| end.to_string()),
        }
    }
}

impl Emulator {
    /// Writes the world as it is listed now, function by function, by start.
    pub fn dump(&self, out: &mut impl Write) -> io::Result<()> {
        let now = self.now();
        for (number, function) in self.world().functions().iter().enumerate() {
            let urn = function.urn().to_string();
            for shown in self.world().shown(number, now) {
                serde_json::to_writer(&mut *out, &Line::new(&urn, &shown))?;
                out.write_all(b"\n")?;
            }
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::emulator::{Faults, Readings, World, WorldSpec};
    use serde_json::Value;

    #[test]
    fn every_listed_record_is_a_line() {
        let anchor = Timestamp::from_unix(1_772_366_400);
        let world =
            World::new(WorldSpec { records: 600, span: 3_600, ..WorldSpec::new(anchor) }).unwrap();
        let listed: Vec<Shown> =
            (0..3).flat_map(|function| world.shown(function, anchor)).collect();
        let emulator = Emulator::new(world, Readings::default(), Faults::none(), move || anchor);
        let mut out = Vec::new();
        emulator.dump(&mut out).unwrap();
        let lines: Vec<Value> = String::from_utf8(out)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), listed.len());
        for (line, shown) in lines.iter().zip(&listed) {
            assert_eq!(line["request_id"], shown.id.to_string());
            assert_eq!(line["status"], shown.phase.as_str());
            assert_eq!(line["end_time"].as_str().is_none(), shown.phase.is_open());
            assert_eq!(
                line["error_code"].as_u64(),
                shown.failure.map(|failure| u64::from(failure.code()))
            );
        }
    }
}
