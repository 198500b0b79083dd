//! Records written in ways that nobody documented: a client must keep what it can read of them, and
//! what it cannot read too.

use super::chance::{mix, scale};
use super::world::RecordId;
use serde_json::{Value, json};

/// Characters of an enormous message, far beyond any that was seen.
const ENORMOUS: usize = 20_000;

/// How a record is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// It has fields beyond the documented ones.
    ExtraFields,
    /// Its status is none of the five.
    UnknownStatus,
    /// Its start is no time.
    UnreadableStart,
    /// Its code is a word.
    WordyCode,
    /// Its message has 20,000 characters.
    EnormousMessage,
    /// It has no id.
    NoId,
    /// It is no object.
    NoObject,
}

impl Oddity {
    /// Every oddity.
    pub const ALL: [Self; 7] = [
        Self::ExtraFields,
        Self::UnknownStatus,
        Self::UnreadableStart,
        Self::WordyCode,
        Self::EnormousMessage,
        Self::NoId,
        Self::NoObject,
    ];

    /// The oddity of a record where one of so many is odd; the same whenever it is asked for.
    pub fn of(id: RecordId, one_of: u64) -> Option<Self> {
        let chance = id.digits();
        let which = usize::try_from(scale(mix(chance), Self::ALL.len() as u64)).ok()?;
        Self::ALL.get(which).copied().filter(|_| scale(chance, one_of) == 0)
    }

    /// Writes a record with this oddity.
    pub(super) fn distort(self, mut record: Value) -> Value {
        match self {
            Self::ExtraFields => {
                record["attempt"] = json!(2);
                record["trigger"] = json!({ "type": "TIMER", "name": "nightly" });
            }
            Self::UnknownStatus => record["status"] = json!("TIMEOUT"),
            Self::UnreadableStart => record["start_time"] = json!("yesterday"),
            Self::WordyCode => record["error_code"] = json!("FSS.4005"),
            Self::EnormousMessage => record["error_message"] = json!("x".repeat(ENORMOUS)),
            Self::NoId => {
                record.as_object_mut().map(|fields| fields.remove("request_id"));
            }
            Self::NoObject => record = json!("record lost"),
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::emulator::world::{World, WorldSpec};

    #[test]
    fn one_of_so_many_is_odd_and_every_oddity_occurs() {
        let anchor = Timestamp::from_unix(1_772_366_400);
        let world = World::new(WorldSpec::new(anchor)).unwrap();
        let odd: Vec<Oddity> =
            world.shown(0, anchor).filter_map(|shown| Oddity::of(shown.id, 50)).collect();
        let records = world.functions()[0].records();
        assert!((records / 65..records / 40).contains(&odd.len()), "{} of {records}", odd.len());
        assert!(Oddity::ALL.iter().all(|oddity| odd.contains(oddity)));
    }

    #[test]
    fn each_oddity_changes_what_it_names() {
        let plain = json!({
            "request_id": "1", "status": "FAIL", "error_code": "1", "error_message": "m",
            "start_time": "t", "end_time": "t"
        });
        let changed = |oddity: Oddity| {
            let odd = oddity.distort(plain.clone());
            let names =
                ["request_id", "status", "error_code", "error_message", "start_time", "end_time"];
            let differing: Vec<&str> =
                names.into_iter().filter(|name| odd.get(name) != plain.get(name)).collect();
            (differing, odd.as_object().map_or(0, serde_json::Map::len))
        };
        assert_eq!(changed(Oddity::ExtraFields), (vec![], 8));
        assert_eq!(changed(Oddity::UnknownStatus), (vec!["status"], 6));
        assert_eq!(changed(Oddity::UnreadableStart), (vec!["start_time"], 6));
        assert_eq!(changed(Oddity::WordyCode), (vec!["error_code"], 6));
        assert_eq!(changed(Oddity::EnormousMessage), (vec!["error_message"], 6));
        assert_eq!(changed(Oddity::NoId), (vec!["request_id"], 5));
        assert_eq!(changed(Oddity::NoObject).1, 0);
    }
}
