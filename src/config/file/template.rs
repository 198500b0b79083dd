//! A new file, with comments for whoever edits it.

use std::fmt::Write;

/// What a new file is to say.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// The archive; the default stands as a comment where none is named.
    pub archive: Option<String>,
    /// The source's name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its project, where it is named.
    pub project_id: Option<String>,
    /// Its address, where it is not the region's.
    pub endpoint: Option<String>,
    /// Patterns of its functions; all, where there are none.
    pub functions: Vec<String>,
    /// How it logs in; as the environment says, where nothing is said.
    pub login: Option<NewLogin>,
}

/// A way to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewLogin {
    /// A section of the SDKs' profile file.
    Profile(String),
    /// A prefix of variables.
    Env(String),
    /// A file of keys.
    File(String),
    /// A command and its arguments.
    Command(Vec<String>),
    /// The metadata of the cloud server that this is.
    Metadata,
}

impl Answers {
    /// The text of the file.
    pub fn to_toml(&self) -> String {
        let mut text = String::from(
            "# What fgarchive archives, and from where. docs/configuration.md tells every key;\n\
             # `fgarchive config show` prints what holds, and why. No secret stands here.\n\n",
        );
        match &self.archive {
            Some(archive) => add(&mut text, "archive", &quoted(archive), ""),
            None => text += "# archive = \"/var/lib/fgarchive/fgarchive.db\"\n",
        }
        text += "# reports = [\"reports\"]          # directories with .sql reports of your own\n\n\
                 [defaults]                     # for every source that does not say otherwise\n\
                 # since = \"30d\"                # how far back the first run of a function goes\n\
                 # settle_delay = \"15m\"         # how late the service may show a record\n\
                 # max_rps = 5                  # requests a second, for each project\n\
                 # concurrency = 4              # requests under way at once\n\n\
                 # [notify]                     # who is told of runs, by `sync --notify`\n\
                 # ping = \"https://…\"           # /start, then success or /fail\n\
                 # command = [\"tell-us\"]        # alerts, as JSON on its stdin\n\
                 # webhook = \"https://…\"        # the same by POST\n\n\
                 # [[alert]]                    # beside gaps, losses, refusals and the like\n\
                 # name = \"failures\"\n\
                 # when = \"failed_percent > 5 and records >= 20\"\n\
                 # over = \"1h\"\n\n\
                 [[source]]\n";
        add(&mut text, "name", &quoted(&self.name), "unique; in messages and in the archive");
        add(&mut text, "region", &quoted(&self.region), "");
        match &self.project_id {
            Some(id) => add(&mut text, "project_id", &quoted(id), ""),
            None => text += "# project_id = \"…\"             # else looked up by the region\n",
        }
        if let Some(endpoint) = &self.endpoint {
            add(&mut text, "endpoint", &quoted(endpoint), "");
        }
        if self.functions.is_empty() {
            text +=
                "# functions = [\"default:*\"]     # package:name[:version]; else every function\n";
        } else {
            add(&mut text, "functions", &list(&self.functions), "package:name[:version]");
        }
        text += "# exclude = [\"*:test-*\"]\n";
        match &self.login {
            None => text += "# credentials = { profile = \"…\" } # else as the variables say\n",
            Some(login) => add(&mut text, "credentials", &login.to_toml(), ""),
        }
        text
    }
}

impl NewLogin {
    fn to_toml(&self) -> String {
        match self {
            Self::Profile(name) => format!("{{ profile = {} }}", quoted(name)),
            Self::Env(prefix) => format!("{{ env = {} }}", quoted(prefix)),
            Self::File(path) => format!("{{ file = {} }}", quoted(path)),
            Self::Command(argv) => format!("{{ command = {} }}", list(argv)),
            Self::Metadata => "{ metadata = true }".to_owned(),
        }
    }
}

fn add(text: &mut String, key: &str, value: &str, comment: &str) {
    let line = format!("{key} = {value}");
    let written = if comment.is_empty() {
        writeln!(text, "{line}")
    } else {
        writeln!(text, "{line:<30} # {comment}")
    };
    // A String takes all that is written to it.
    debug_assert!(written.is_ok());
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A text as TOML quotes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            other if other.is_control() => {
                let escaped = write!(quoted, "\\U{:08X}", u32::from(other));
                debug_assert!(escaped.is_ok());
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::read::parse;
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;
    use std::path::Path;

    fn read_back(answers: &Answers) -> crate::config::ConfigFile {
        let text = answers.to_toml();
        parse(Path::new("/c/config.toml"), text.clone(), None)
            .unwrap_or_else(|failure| panic!("{failure}: {text}"))
    }

    #[test]
    fn a_new_file_says_what_was_answered() {
        let least =
            Answers { name: "shop".into(), region: "cn-north-4".into(), ..Answers::default() };
        let file = read_back(&least);
        assert_eq!((file.source_names(), file.archive()), (vec!["shop"], None));
        assert!(file.sources[0].is_listing && file.sources[0].login.is_none());
        let most = Answers {
            archive: Some("/a/\"b\".db".into()),
            project_id: Some("0f".into()),
            endpoint: Some("https://x.example".into()),
            functions: vec!["default:*".into(), "f".into()],
            login: Some(NewLogin::Command(vec!["pass".into(), "hw\\shop".into()])),
            ..least
        };
        let file = read_back(&most);
        assert_eq!(file.archive().unwrap().value, Path::new("/a/\"b\".db"));
        assert_eq!(file.sources[0].functions.len(), 1);
        assert_eq!(file.sources[0].written.value, "default:*, f");
        assert!(most.to_toml().contains("credentials = { command = [\"pass\", \"hw\\\\shop\"] }"));
    }

    proptest! {
        #[test]
        fn any_path_comes_back(path in "\\PC{1,20}|[\\x00-\\x7f]{1,10}") {
            let answers = Answers {
                archive: Some(format!("/{path}")),
                name: "a".into(),
                region: "r".into(),
                ..Answers::default()
            };
            let expected = format!("/{path}");
            let file = read_back(&answers);
            prop_assert_eq!(&file.archive().unwrap().value, Path::new(&expected));
        }
    }
}
