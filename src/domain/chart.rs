//! Charts: which columns of an answer are drawn, and as what.

/// A drawing of an answer, as a report declares it: a form, then a column for each of its roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chart<'a> {
    /// A row is a bar.
    Bars(Bars<'a>),
    /// A row is a line of cells, and all columns but `label` are cells.
    Heat {
        /// What the line is called.
        label: &'a str,
    },
    /// A row is a day, at its place among weeks.
    Calendar {
        /// The day as `2026-03-01`.
        day: &'a str,
        /// How many records there are.
        records: &'a str,
        /// How many of those that ended failed, in per cent.
        failed_percent: &'a str,
        /// Whether the day can be believed whole, in the words of the report `calendar`.
        state: &'a str,
    },
}

/// The columns of a chart of bars.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bars<'a> {
    /// Rows with the same text stand together under it, with a scale of their own.
    pub group: Option<&'a str>,
    /// What the bars are called.
    pub labels: Vec<&'a str>,
    /// The label that is a time: where bars are further apart than usual, the chart shows it.
    pub time: Option<&'a str>,
    /// How long the bar is.
    pub value: &'a str,
    /// Which parts of the value look different.
    pub parts: Vec<&'a str>,
    /// Other numbers beside the bar.
    pub notes: Vec<&'a str>,
}

/// The most parts of a bar, as many as can be told apart without colour.
const MOST_PARTS: usize = 2;

impl<'a> Chart<'a> {
    /// Reads `bars: time=bucket value=records part=fail`, as it stands in a report's first comment
    /// behind `chart`.
    pub fn declared(line: &'a str) -> Option<Self> {
        let (form, roles) = line.split_once(':')?;
        let mut roles = Roles::read(roles)?;
        let chart = match form {
            "bars" => Self::Bars(roles.bars()?),
            "heat" => Self::Heat { label: roles.one("label")? },
            "calendar" => Self::Calendar {
                day: roles.one("day")?,
                records: roles.one("records")?,
                failed_percent: roles.one("failed_percent")?,
                state: roles.one("state")?,
            },
            _ => return None,
        };
        roles.0.is_empty().then_some(chart)
    }

    /// The columns that the answer must have.
    pub fn columns(&self) -> Vec<&'a str> {
        match self {
            Self::Bars(bars) => bars.columns(),
            Self::Heat { label } => vec![label],
            Self::Calendar { day, records, failed_percent, state } => {
                vec![day, records, failed_percent, state]
            }
        }
    }
}

impl<'a> Bars<'a> {
    fn columns(&self) -> Vec<&'a str> {
        let several = self.labels.iter().chain(&self.parts).chain(&self.notes);
        self.group.into_iter().chain([self.value]).chain(several.copied()).collect()
    }
}

/// Roles and their columns, of which each is taken once.
struct Roles<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Roles<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let role = |word: &'a str| word.split_once('=').filter(|(_, column)| !column.is_empty());
        text.split_whitespace().map(role).collect::<Option<_>>().map(Self)
    }

    fn all(&mut self, role: &str) -> Vec<&'a str> {
        let (taken, left) = self.0.drain(..).partition(|(name, _)| *name == role);
        self.0 = left;
        let taken: Vec<_> = taken;
        taken.into_iter().map(|(_, column)| column).collect()
    }

    fn one(&mut self, role: &str) -> Option<&'a str> {
        let columns = self.all(role);
        (columns.len() == 1).then(|| columns[0])
    }

    fn bars(&mut self) -> Option<Bars<'a>> {
        let (group, time, labels) = (self.all("group"), self.all("time"), self.all("label"));
        let bars = Bars {
            group: group.first().copied(),
            labels: time.iter().chain(&labels).copied().collect(),
            time: time.first().copied(),
            value: self.one("value")?,
            parts: self.all("part"),
            notes: self.all("note"),
        };
        let is_whole = group.len() <= 1 && time.len() <= 1 && !bars.labels.is_empty();
        (is_whole && bars.parts.len() <= MOST_PARTS).then_some(bars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_chart_is_declared_by_its_form_and_its_columns() {
        let bars = "bars: time=bucket value=records part=fail part=discard note=wait";
        let expected = Bars {
            group: None,
            labels: vec!["bucket"],
            time: Some("bucket"),
            value: "records",
            parts: vec!["fail", "discard"],
            notes: vec!["wait"],
        };
        assert_eq!(Chart::declared(bars), Some(Chart::Bars(expected)));
        let columns = |line| Chart::declared(line).unwrap().columns();
        assert_eq!(columns(bars), ["records", "bucket", "fail", "discard", "wait"]);
        assert_eq!(columns("bars: group=f label=a label=b value=n"), ["f", "n", "a", "b"]);
        assert_eq!(columns("heat: label=hour"), ["hour"]);
        let calendar = "calendar: day=day records=n failed_percent=share state=state";
        assert_eq!(columns(calendar), ["day", "n", "share", "state"]);
    }

    #[test]
    fn what_is_not_whole_is_no_chart() {
        for slip in [
            "bars",
            "bars:",
            "bars: value=n",
            "bars: label=a",
            "bars: label=a value=n value=m",
            "bars: label= value=n",
            "bars: label=a value=n colour=red",
            "bars: label=a value=n part=b part=c part=d",
            "bars: time=a time=b value=n",
            "bars: group=a group=b label=c value=n",
            "bars: label a, value n",
            "heat: label=a cell=b",
            "calendar: day=day",
            "pie: label=a value=n",
        ] {
            assert_eq!(Chart::declared(slip), None, "{slip}");
        }
    }
}
