//! Names that may have been meant by one that is none.

/// The names, the most alike to what was given first.
pub fn nearest<'a>(
    given: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> impl Iterator<Item = &'a str> {
    let given = given.to_lowercase();
    // Who mistypes a name often leaves out what stands before it (`package:`, `area/`).
    let alike = |name: &str| {
        let (whole, part) = (name.to_lowercase(), name.rsplit([':', '/']).next().unwrap_or(name));
        let likeness = |text: &str| strsim::jaro_winkler(&given, text);
        likeness(&whole).max(likeness(&part.to_lowercase()))
    };
    let mut names: Vec<(f64, &str)> = names.into_iter().map(|name| (alike(name), name)).collect();
    names.sort_by(|one, other| other.0.total_cmp(&one.0));
    names.into_iter().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_most_alike_comes_first() {
        let names = ["default:thumbnail", "billing:invoice-mail", "default:order-export"];
        for (given, first) in [
            ("billing:invoices", "billing:invoice-mail"),
            ("default:Order", "default:order-export"),
            ("thumbnial", "default:thumbnail"),
        ] {
            assert_eq!(nearest(given, names).next(), Some(first), "{given}");
        }
        assert_eq!(nearest("", names).count(), 3);
    }
}
