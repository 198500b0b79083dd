//! Which functions a question is about: those that its names and globs choose.

use super::Arguments;
use crate::domain::nearest;
use crate::store::file::StoreError;
use rusqlite::Connection;

/// The most functions that an error lists.
const MOST_LISTED: usize = 10;

/// So many characters of what was given are told.
const MOST_SHOWN: usize = 200;

/// The most bytes of a name or a glob.
const LONGEST: usize = 1_000;

/// Chosen is what has the text for one of its names, or one of them by `GLOB`: `*` stands for any
/// characters, `?` for one, `[…]` for one of these. Capital and small letters differ. Where the
/// version is said to be the latest, the others are not meant.
///
/// With `{given}` for the parameter, since every program names its own.
const CHOSEN: &str = "
SELECT id
  FROM functions,
       (SELECT {given} GLOB '*:latest' AS is_latest,
               iif({given} GLOB '*:latest', substr({given}, 1, length({given}) - 7), {given})
                   AS wanted)
 WHERE (NOT is_latest OR qualifier = 'latest')
   AND (wanted IN (name, package || ':' || name, full_name, urn)
        OR name GLOB wanted
        OR package || ':' || name GLOB wanted
        OR full_name GLOB wanted
        OR urn GLOB wanted)";

/// A statement for the ids of those that a parameter chooses.
pub(super) fn chosen_by(parameter: &str) -> String {
    CHOSEN.replace("{given}", parameter)
}

impl Arguments {
    /// The ids of the functions that are asked for, as a JSON array; nothing where all are.
    ///
    /// A name or a glob that chooses none is refused: an empty answer would read as "nothing
    /// happened".
    pub(in crate::store) fn load_functions(
        &self,
        connection: &Connection,
    ) -> Result<Option<String>, StoreError> {
        if self.functions.is_empty() {
            return Ok(None);
        }
        let mut statement = connection.prepare(&chosen_by("?1"))?;
        let mut chosen: Vec<String> = Vec::new();
        for given in &self.functions {
            let before = chosen.len();
            // Nothing has so long a name, and SQLite refuses such a glob.
            if given.len() > LONGEST {
                return Err(unknown_function(connection, given)?);
            }
            let ids = statement.query_map([given], |row| row.get::<_, i64>(0))?;
            for id in ids {
                chosen.push(id?.to_string());
            }
            if chosen.len() == before {
                return Err(unknown_function(connection, given)?);
            }
        }
        Ok(Some(format!("[{}]", chosen.join(","))))
    }
}

fn unknown_function(connection: &Connection, given: &str) -> Result<StoreError, StoreError> {
    let known: Vec<String> = connection
        .prepare("SELECT DISTINCT full_name FROM functions ORDER BY 1")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let names = nearest(given, known.iter().map(String::as_str)).take(MOST_LISTED);
    let names = names.collect::<Vec<_>>().join(", ");
    let hint = match known.len() {
        0 => "it holds none yet".to_owned(),
        1..=MOST_LISTED => format!("it holds: {names}"),
        more => format!("it holds {more}; the nearest names: {names}"),
    };
    let given: String = given.chars().take(MOST_SHOWN).collect();
    let message = if given.contains(['*', '?', '[']) {
        format!("the archive holds no function that `{given}` matches")
    } else {
        format!("the archive holds no function `{given}`")
    };
    Ok(StoreError::BadArgument { message, hint })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;

    fn chosen(given: &[&str]) -> Result<Option<String>, StoreError> {
        let more = "INSERT INTO functions
                (id, urn, region, project_id, package, name, qualifier, first_seen_at)
            VALUES (3, 'urn:fss:cn-north-4:0123:function:billing:report:prod', 'cn-north-4', '0123',
                    'billing', 'report', 'prod', '2026-03-01T00:00:00Z')";
        let archive = Fixture::new().with(more);
        let mut arguments = Arguments::at("2026-03-02T12:00:00Z".parse().unwrap());
        arguments.functions = given.iter().map(|&text| text.to_owned()).collect();
        arguments.load_functions(&archive.reader().connection)
    }

    #[test]
    fn names_and_globs_choose_functions() {
        for (given, ids) in [
            (&["report"][..], "[1,3]"),
            (&["default:report"], "[1]"),
            (&["billing:report"], "[3]"),
            (&["billing:report:prod"], "[3]"),
            (&["urn:fss:cn-north-4:0123:function:billing:invoice:latest"], "[2]"),
            (&["default:report:latest"], "[1]"),
            (&["report:latest"], "[1]"),
            (&["*:latest"], "[1,2]"),
            (&["billing:*"], "[2,3]"),
            (&["*:report"], "[1,3]"),
            (&["*:prod"], "[3]"),
            (&["billing:report:p*"], "[3]"),
            (&["inv?ice"], "[2]"),
            (&["[d-i]*"], "[1,2]"),
            (&["urn:fss:*:billing:i*"], "[2]"),
            (&["*"], "[1,2,3]"),
            (&["invoice", "*:report"], "[2,1,3]"),
        ] {
            assert_eq!(chosen(given).unwrap().as_deref(), Some(ids), "{given:?}");
        }
        assert_eq!(chosen(&[]).unwrap(), None);
    }

    #[test]
    fn what_chooses_nothing_is_refused_with_the_nearest_names() {
        for (given, message) in [
            ("invoices", "the archive holds no function `invoices`"),
            ("", "the archive holds no function ``"),
            (
                &"*".repeat(2_000),
                &format!("the archive holds no function that `{}` matches", "*".repeat(200)),
            ),
            ("Billing:*", "the archive holds no function that `Billing:*` matches"),
            ("[a", "the archive holds no function that `[a` matches"),
            ("x' OR 1=1 --", "the archive holds no function `x' OR 1=1 --`"),
        ] {
            let Err(StoreError::BadArgument { message: said, hint }) = chosen(&["report", given])
            else {
                panic!("{given} is taken")
            };
            assert_eq!(said, message);
            assert!(hint.starts_with("it holds: "), "{hint}");
        }
        let Err(StoreError::BadArgument { hint, .. }) = chosen(&["invoices"]) else { panic!() };
        assert!(hint.starts_with("it holds: billing:invoice, "), "{hint}");
    }
}
