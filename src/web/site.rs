//! What stands at which address.

use super::address::{Place, Query};
use super::api;
use super::reply::{Reply, Trouble, written};
use crate::clock::Clock;
use crate::page::{self, Answers, BadPeriod, Subject};
use crate::store::file::{Reader, StoreError};
use crate::store::reports::Arguments;
use std::path::{Path, PathBuf};
use std::time::Duration;

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// The archive that is shown, and how.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// What time it is.
    pub(crate) clock: Clock,
    /// How long one report may work.
    pub(crate) limit: Duration,
}

impl Site {
    /// What stands at a path, narrowed by a query.
    pub(super) fn answer(&self, path: &str, query: &str) -> Result<Reply, Trouble> {
        let (place, query) = (Place::of(path), Query::read(query));
        match place {
            Some(Place::Page) => self.page(&query),
            Some(Place::Records) => self.records(&query),
            Some(Place::Record) => self.record(&query),
            Some(Place::Report(name)) => self.report(&name, &query),
            Some(Place::Health) => self.health(),
            None => Err(Trouble::new(404, "nothing is there")),
        }
    }

    fn open(&self) -> Result<Reader, Trouble> {
        Reader::open(&self.archive).map_err(|error| self.trouble(error))
    }

    fn trouble(&self, error: StoreError) -> Trouble {
        Trouble::of_store(error, &self.archive)
    }

    fn page(&self, query: &Query) -> Result<Reply, Trouble> {
        let subject = self.subject(query)?;
        let mut reader = self.open()?;
        let answers = Answers::load(&mut reader, &subject, self.limit);
        let answers = answers.map_err(|error| self.trouble(error))?;
        let body = written(|out| page::write(&answers, &subject, out))?;
        Ok(Reply { content_type: HTML, body })
    }

    fn records(&self, query: &Query) -> Result<Reply, Trouble> {
        let arguments = api::arguments(query, self.clock.now())?;
        let mut reader = self.open()?;
        let given = query.without(&[]).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let given = given.collect();
        let records = page::Records::load(&mut reader, &arguments, given, self.limit);
        let records = records.map_err(|error| self.trouble(error))?;
        let body = written(|out| records.write(&self.name(), out))?;
        Ok(Reply { content_type: HTML, body })
    }

    fn record(&self, query: &Query) -> Result<Reply, Trouble> {
        let (zone, now) = (api::zone(query)?, self.clock.now());
        let id = query.last("id").ok_or_else(|| Trouble::new(400, "`id` is not given"))?;
        let mut reader = self.open()?;
        let arguments = Arguments { zone, ..Arguments::at(now) };
        let record = page::Record::load(&mut reader, id, &arguments, self.limit);
        let Some(record) = record.map_err(|error| self.trouble(error))? else {
            return Err(Trouble::new(404, format!("the archive holds no record `{id}`")));
        };
        let body = written(|out| record.write(out))?;
        Ok(Reply { content_type: HTML, body })
    }

    fn report(&self, name: &str, query: &Query) -> Result<Reply, Trouble> {
        let report = api::find(name)?;
        let arguments = api::arguments(query, self.clock.now())?;
        let body = api::answer(&mut self.open()?, report, &arguments, self.limit)?;
        Ok(Reply { content_type: JSON, body })
    }

    /// Good as long as the archive can be read.
    fn health(&self) -> Result<Reply, Trouble> {
        self.open()?;
        Ok(Reply { content_type: TEXT, body: b"ok\n".to_vec() })
    }

    fn subject(&self, query: &Query) -> Result<Subject, Trouble> {
        if let Some((name, _)) = query.without(&api::COMMON).next() {
            return Err(Trouble::new(400, format!("the page has no parameter `{name}`"))
                .hint(format!("it takes: {}", api::COMMON.join(", "))));
        }
        let Arguments { now, zone, since, until, functions, .. } =
            api::arguments(query, self.clock.now())?;
        Subject::new(now, zone, (since, until), functions, self.name()).map(Subject::live).map_err(
            |bad| {
                let problem = match bad {
                    BadPeriod::Empty => {
                        "`since` is not before `until`, which is now if not given".to_owned()
                    }
                    BadPeriod::TooLong => bad.to_string(),
                };
                Trouble::new(400, problem)
            },
        )
    }

    fn name(&self) -> String {
        let name = Path::new(&self.archive).file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}
