//! A page of Markdown, and what can be read from one: blocks, sections, tables, words.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a newcomer reads to the end.
const MOST_LINES_OF_README: usize = 250;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A page with its place below the root of the repository, such as `docs/archive.md`.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) place: String,
    pub(crate) text: String,
}

/// A fenced block, and the text block that follows it: what it prints.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    pub(crate) output: Option<String>,
    /// Whether the prose above it asks for a new terminal, which has none of the variables of the
    /// blocks before.
    pub(crate) in_new_terminal: bool,
}

/// README.md and all pages of docs/, in the order of their places.
pub(crate) fn pages() -> Vec<Page> {
    let mut places = vec!["README.md".to_owned()];
    places.extend(markdown_files("docs"));
    places.iter().map(|place| page(place)).collect()
}

/// The Markdown files of a directory, without those of the directories in it.
pub(crate) fn markdown_files(directory: &str) -> Vec<String> {
    let paths: BTreeSet<PathBuf> =
        fs::read_dir(root().join(directory)).unwrap().map(|entry| entry.unwrap().path()).collect();
    let pages = paths.iter().filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages.map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()).collect()
}

pub(crate) fn page(place: &str) -> Page {
    let text = fs::read_to_string(root().join(place));
    Page { place: place.to_owned(), text: text.unwrap_or_else(|error| panic!("{place}: {error}")) }
}

impl Page {
    /// The page is as expected, or is made so where `UPDATE_DOCS` is set.
    pub(crate) fn expect_text(&self, expected: &str) {
        if self.text == expected {
            return;
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(root().join(&self.place), expected).unwrap();
            return;
        }
        let place = &self.place;
        pretty_assertions::assert_eq!(self.text, expected, "{place}: UPDATE_DOCS=1 writes it anew");
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut in_new_terminal = false;
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            let Some(language) = line.strip_prefix("```") else {
                in_new_terminal |= line.contains("new terminal");
                continue;
            };
            let text = joined(lines.by_ref().take_while(|line| *line != "```"));
            match blocks.last_mut() {
                Some(last)
                    if language == "text" && last.output.is_none() && last.language != "text" =>
                {
                    last.output = Some(text);
                }
                _ => {
                    let language = language.to_owned();
                    blocks.push(Block { language, text, output: None, in_new_terminal });
                    in_new_terminal = false;
                }
            }
        }
        blocks
    }

    pub(crate) fn blocks_of(&self, language: &str) -> Vec<Block> {
        self.blocks().into_iter().filter(|block| block.language == language).collect()
    }

    /// The lines outside of fenced blocks.
    pub(crate) fn prose(&self) -> String {
        let mut in_code = false;
        let lines = self.text.lines().filter(|line| {
            let is_fence = line.starts_with("```");
            in_code ^= is_fence;
            !in_code && !is_fence
        });
        joined(lines)
    }

    /// The headings, without the signs for their level.
    pub(crate) fn headings(&self) -> Vec<String> {
        let prose = self.prose();
        let headings = prose.lines().filter(|line| line.starts_with('#'));
        headings.map(|line| line.trim_start_matches('#').trim().to_owned()).collect()
    }

    /// The lines below a heading, up to the next of its level or a higher one.
    pub(crate) fn section(&self, heading: &str) -> String {
        let level = heading.split(' ').next().unwrap().len();
        let mut in_code = false;
        let mut ends = |line: &&str| {
            in_code ^= line.starts_with("```");
            let hashes = line.chars().take_while(|character| *character == '#').count();
            !in_code && (1..=level).contains(&hashes)
        };
        let mut lines = self.text.lines().skip_while(|line| *line != heading);
        assert_eq!(lines.next(), Some(heading), "{}", self.place);
        joined(lines.take_while(|line| !ends(line)))
    }

    /// What stands between backticks in the prose.
    pub(crate) fn inline_code(&self) -> Vec<String> {
        let prose = self.prose();
        quoted(&prose).map(|code| code.replace('\n', " ")).collect()
    }
}

pub(crate) fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The rows of all tables in a text, without their heads.
pub(crate) fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let line = line.trim_matches('|').replace("\\|", "¦");
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut rows = Vec::new();
    let mut in_table = false;
    for line in text.lines() {
        in_table = line.starts_with('|') && (in_table || line.starts_with("|---"));
        if in_table && !line.starts_with("|---") {
            rows.push(cells(line));
        }
    }
    rows
}

/// What stands between backticks.
pub(crate) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn readme_is_short() {
    let lines = page("README.md").text.lines().count();
    assert!(
        lines <= MOST_LINES_OF_README,
        "README.md has {lines} lines: what only some need belongs in docs/"
    );
}

/// A page says what it is about, and for whom, before anything else.
#[test]
fn every_page_opens_with_a_title_and_a_paragraph() {
    for page in pages() {
        let lines: Vec<&str> = page.text.lines().take(3).collect();
        let [title, blank, first] = lines[..] else { panic!("{}: it is empty", page.place) };
        assert!(title.starts_with("# ") && blank.is_empty(), "{}: {title}", page.place);
        assert!(
            first.starts_with(|begin: char| begin.is_alphabetic() || begin == '`'),
            "{}: {first}",
            page.place
        );
        let others = page.prose().lines().filter(|line| line.starts_with("# ")).count();
        assert_eq!(others, 1, "{}: one title a page", page.place);
    }
}
