//! Records as a batch holds them until it is committed: a few dozen bytes each instead of some two
//! hundred.
//!
//! Ids are random, so the more records are sorted together, the more of them share a page of the
//! file: how many fit the memory bound decides the speed of a large archive. The form lives in
//! memory only.

use crate::domain::{ErrorCode, Invocation, RecordTime, RequestId, Status, Timestamp};
use crate::store::file::StoreError;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// What a record is made of: its fields in the order of [`values`].
const FIELDS: usize = 7;

/// The records of one answer, in the service's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    bytes: Box<[u8]>,
    length: usize,
}

impl Packed {
    /// These records.
    pub fn of(records: &[Invocation]) -> Self {
        let mut bytes = Vec::new();
        for value in records.iter().flat_map(values) {
            value.put(&mut bytes);
        }
        Self { bytes: bytes.into(), length: records.len() }
    }

    /// About how many bytes of memory they take until they are committed, their places in the order
    /// of a batch included.
    pub fn memory(&self) -> usize {
        self.bytes.len() + self.length * size_of::<Place>()
    }

    /// The record that begins at a byte.
    fn at(&self, offset: u32) -> Option<Invocation> {
        record(take_values(&mut self.bytes.get(offset as usize..)?)?)
    }

    /// The id of the record that begins at a byte.
    fn id_at(&self, offset: u32) -> Option<Value<'_>> {
        Value::take(&mut self.bytes.get(offset as usize..)?)
    }
}

/// Where a record stands in a batch.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The start of its id as a number that sorts like it: hardly any comparison has to look at the
    /// ids themselves.
    prefix: u64,
    answer: u32,
    offset: u32,
}

/// The records of several answers in the order of their ids, those of one id in the order in which
/// they came.
#[derive(Debug)]
pub(in crate::store) struct Sorted<'a> {
    answers: Vec<&'a Packed>,
    places: Vec<Place>,
}

impl<'a> Sorted<'a> {
    pub(in crate::store) fn of(
        answers: impl IntoIterator<Item = &'a Packed>,
    ) -> Result<Self, StoreError> {
        let answers: Vec<&Packed> = answers.into_iter().collect();
        let mut places = Vec::with_capacity(answers.iter().map(|answer| answer.length).sum());
        for (number, answer) in answers.iter().enumerate() {
            append_places(number, answer, &mut places).ok_or_else(unreadable)?;
        }
        let id = |place: &Place| {
            answers.get(place.answer as usize).and_then(|answer| answer.id_at(place.offset))
        };
        places.sort_unstable_by(|one, other| {
            let by_id = || id(one).cmp(&id(other));
            let by_arrival = || (one.answer, one.offset).cmp(&(other.answer, other.offset));
            one.prefix.cmp(&other.prefix).then_with(by_id).then_with(by_arrival)
        });
        Ok(Self { answers, places })
    }

    /// Each record with the number of its answer.
    pub(in crate::store) fn records(
        &self,
    ) -> impl Iterator<Item = Result<(usize, Invocation), StoreError>> {
        self.places.iter().map(|place| {
            let answer = place.answer as usize;
            let record = self.answers.get(answer).and_then(|packed| packed.at(place.offset));
            Ok((answer, record.ok_or_else(unreadable)?))
        })
    }
}

/// None of ours is, so this is never seen; but memory is no reason to bring a run down.
fn unreadable() -> StoreError {
    StoreError::Damaged("a record in hand cannot be read".to_owned())
}

fn append_places(number: usize, answer: &Packed, places: &mut Vec<Place>) -> Option<()> {
    let number = u32::try_from(number).ok()?;
    let mut rest = &answer.bytes[..];
    while !rest.is_empty() {
        let offset = u32::try_from(answer.bytes.len() - rest.len()).ok()?;
        let [id, ..] = take_values(&mut rest)?;
        places.push(Place { prefix: id.prefix(), answer: number, offset });
    }
    Some(())
}

/// A value of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value<'a> {
    Nothing,
    /// The place of a status among [`Status::KNOWN`].
    Known(u8),
    Number(i64),
    /// An id in the usual spelling of a UUID.
    Uuid(Uuid),
    Text(&'a str),
}

impl<'a> Value<'a> {
    fn id(text: &'a str) -> Self {
        let uuid = Uuid::try_parse(text).ok();
        let usual = uuid
            .filter(|uuid| uuid.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]) == text);
        usual.map_or(Self::Text(text), Self::Uuid)
    }

    fn status(status: &'a Status) -> Self {
        match (0..).zip(Status::KNOWN).find(|(_, known)| known == status) {
            Some((place, _)) => Self::Known(place),
            None => Self::Text(status.as_str()),
        }
    }

    fn code(code: Option<&'a ErrorCode>) -> Self {
        match code {
            Some(ErrorCode::Number(number)) => Self::Number(*number),
            Some(ErrorCode::Text(text)) => Self::Text(text),
            None => Self::Nothing,
        }
    }

    fn time(time: Option<&'a RecordTime>) -> Self {
        match time {
            Some(RecordTime::At(moment)) => Self::Number(moment.unix()),
            Some(RecordTime::Unreadable(text)) => Self::Text(text),
            None => Self::Nothing,
        }
    }

    fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Nothing, Self::Text)
    }

    fn put(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Nothing => bytes.push(0),
            Self::Known(place) => bytes.extend([1, place]),
            Self::Number(number) => {
                bytes.push(2);
                bytes.extend(number.to_le_bytes());
            }
            Self::Uuid(uuid) => {
                bytes.push(3);
                bytes.extend(uuid.as_bytes());
            }
            Self::Text(text) => {
                bytes.push(4);
                bytes.extend((text.len() as u64).to_le_bytes());
                bytes.extend(text.as_bytes());
            }
        }
    }

    /// Takes the value at the start of the bytes off them.
    fn take(bytes: &mut &'a [u8]) -> Option<Self> {
        fn chunk<const LENGTH: usize>(bytes: &mut &[u8]) -> Option<[u8; LENGTH]> {
            let (chunk, rest) = bytes.split_first_chunk()?;
            *bytes = rest;
            Some(*chunk)
        }
        let [kind] = chunk(bytes)?;
        Some(match kind {
            0 => Self::Nothing,
            1 => Self::Known(u8::from_le_bytes(chunk(bytes)?)),
            2 => Self::Number(i64::from_le_bytes(chunk(bytes)?)),
            3 => Self::Uuid(Uuid::from_bytes(chunk(bytes)?)),
            4 => {
                let length = usize::try_from(u64::from_le_bytes(chunk(bytes)?)).ok()?;
                let (text, rest) = bytes.split_at_checked(length)?;
                *bytes = rest;
                Self::Text(std::str::from_utf8(text).ok()?)
            }
            _ => return None,
        })
    }

    fn prefix(self) -> u64 {
        let start = |bytes: &[u8]| {
            let mut prefix = [0; size_of::<u64>()];
            prefix.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
            u64::from_be_bytes(prefix)
        };
        match self {
            Self::Uuid(uuid) => start(uuid.as_bytes()),
            Self::Text(text) => start(text.as_bytes()),
            Self::Nothing | Self::Known(_) | Self::Number(_) => 0,
        }
    }

    fn into_id(self) -> Option<RequestId> {
        match self {
            Self::Uuid(uuid) => {
                RequestId::new(&*uuid.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]))
            }
            Self::Text(text) => RequestId::new(text),
            Self::Nothing | Self::Known(_) | Self::Number(_) => None,
        }
    }

    fn into_status(self) -> Option<Status> {
        match self {
            Self::Known(place) => Status::KNOWN.get(usize::from(place)).cloned(),
            Self::Text(text) => Some(Status::Other(text.into())),
            Self::Nothing | Self::Number(_) | Self::Uuid(_) => None,
        }
    }

    fn into_code(self) -> Option<ErrorCode> {
        match self {
            Self::Number(number) => Some(ErrorCode::Number(number)),
            other => other.into_text().map(ErrorCode::Text),
        }
    }

    fn into_time(self) -> Option<RecordTime> {
        match self {
            Self::Number(seconds) => Some(RecordTime::At(Timestamp::from_unix(seconds))),
            other => other.into_text().map(RecordTime::Unreadable),
        }
    }

    fn into_text(self) -> Option<Box<str>> {
        match self {
            Self::Text(text) => Some(text.into()),
            Self::Nothing | Self::Known(_) | Self::Number(_) | Self::Uuid(_) => None,
        }
    }
}

fn values(record: &Invocation) -> [Value<'_>; FIELDS] {
    let Invocation { request_id, status, error_code, error_message, start_time, end_time, extra } =
        record;
    [
        Value::id(request_id.as_str()),
        Value::status(status),
        Value::code(error_code.as_ref()),
        Value::text(error_message.as_deref()),
        Value::time(start_time.as_ref()),
        Value::time(end_time.as_ref()),
        Value::text(extra.as_deref()),
    ]
}

fn take_values<'a>(bytes: &mut &'a [u8]) -> Option<[Value<'a>; FIELDS]> {
    let mut values = [Value::Nothing; FIELDS];
    for value in &mut values {
        *value = Value::take(bytes)?;
    }
    Some(values)
}

fn record(
    [id, status, code, message, start, end, extra]: [Value<'_>; FIELDS],
) -> Option<Invocation> {
    Some(Invocation {
        request_id: id.into_id()?,
        status: status.into_status()?,
        error_code: code.into_code(),
        error_message: message.into_text(),
        start_time: start.into_time(),
        end_time: end.into_time(),
        extra: extra.into_text(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = Box<str>> {
        "\\PC{0,6}".prop_map(Into::into)
    }

    fn id() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<[u8; 16]>().prop_map(|bytes| Uuid::from_bytes(bytes).hyphenated().to_string()),
            any::<[u8; 16]>().prop_map(|bytes| Uuid::from_bytes(bytes).simple().to_string()),
            any::<[u8; 16]>()
                .prop_map(|bytes| Uuid::from_bytes(bytes).hyphenated().to_string().to_uppercase()),
            "[a-c]{1,2}",
            "\\PC{1,12}",
        ]
    }

    fn time() -> impl Strategy<Value = Option<RecordTime>> {
        let moment = (Timestamp::MIN.unix()..=Timestamp::MAX.unix()).prop_map(Timestamp::from_unix);
        prop::option::of(prop_oneof![
            moment.prop_map(RecordTime::At),
            text().prop_map(RecordTime::Unreadable)
        ])
    }

    prop_compose! {
        fn any_record()(
            id in id(),
            status in prop_oneof![
                prop::sample::select(Status::KNOWN.to_vec()),
                text().prop_map(|text| Status::parse(&text)),
            ],
            error_code in prop::option::of(prop_oneof![
                any::<i64>().prop_map(ErrorCode::Number),
                text().prop_map(ErrorCode::Text),
            ]),
            error_message in prop::option::of(text()),
            start_time in time(),
            end_time in time(),
            extra in prop::option::of(text()),
        ) -> Invocation {
            let request_id = RequestId::new(id).unwrap();
            Invocation {
                request_id, status, error_code, error_message, start_time, end_time, extra,
            }
        }
    }

    proptest! {
        /// Whatever records come in however many answers: all are handed out as they were, those of
        /// one id together and in the order in which they came.
        #[test]
        fn records_are_handed_out_as_they_came(
            answers in prop::collection::vec(prop::collection::vec(any_record(), 0..8), 0..5),
        ) {
            let packed: Vec<Packed> = answers.iter().map(|records| Packed::of(records)).collect();
            let sorted: Vec<_> =
                Sorted::of(&packed).unwrap().records().map(Result::unwrap).collect();
            let mut came: Vec<(usize, Invocation)> = (0..)
                .zip(&answers)
                .flat_map(|(at, records)| records.iter().map(move |record| (at, record.clone())))
                .collect();
            // A stable sort by the order in which the ids were handed out.
            let order: Vec<&RequestId> =
                sorted.iter().map(|(_, record)| &record.request_id).collect();
            came.sort_by_key(|(_, record)| order.iter().position(|id| **id == record.request_id));
            prop_assert_eq!(sorted, came);
        }

        /// What cuts the work is that neighbours in a batch are neighbours in the index of the key.
        #[test]
        fn usual_ids_are_handed_out_in_order(
            ids in prop::collection::vec(any::<[u8; 16]>(), 0..20),
        ) {
            let mut ids: Vec<String> =
                ids.into_iter().map(|id| Uuid::from_bytes(id).hyphenated().to_string()).collect();
            let packed = ids.iter().map(|id| Packed::of(&[usual(id)])).collect::<Vec<_>>();
            let sorted = Sorted::of(&packed).unwrap();
            ids.sort_unstable();
            let handed_out: Vec<_> =
                sorted.records().map(|record| record.unwrap().1.request_id.to_string()).collect();
            prop_assert_eq!(handed_out, ids);
        }

        #[test]
        fn bytes_that_are_no_record_are_no_harm(
            bytes in prop::collection::vec(prop_oneof![0u8..6, any::<u8>()], 0..60),
        ) {
            let packed = Packed { bytes: bytes.into(), length: 1 };
            if let Ok(sorted) = Sorted::of([&packed]) {
                sorted.records().for_each(drop);
            }
        }
    }

    fn usual(id: &str) -> Invocation {
        let time = Some(RecordTime::At(Timestamp::from_unix(1_772_366_400)));
        Invocation {
            request_id: RequestId::new(id).unwrap(),
            status: Status::Success,
            error_code: None,
            error_message: None,
            start_time: time.clone(),
            end_time: time,
            extra: None,
        }
    }

    #[test]
    fn a_usual_record_takes_little_memory() {
        let packed = Packed::of(&[usual("8821fd25-2202-4295-8116-6b40e40ac581")]);
        assert!(packed.memory() <= 56, "{}", packed.memory());
    }
}
