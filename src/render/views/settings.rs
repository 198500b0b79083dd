//! What the settings are, and where each comes from.

use crate::domain::Cell;
use crate::render::{Renderer, Screen, Style};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

/// What `config show --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct SettingsView<'a> {
    pub(crate) file: Option<String>,
    pub(crate) settings: Vec<SettingView<'a>>,
}

/// A setting.
#[derive(Debug, Serialize)]
pub(crate) struct SettingView<'a> {
    pub(crate) origin: &'a str,
    pub(crate) setting: &'a str,
    /// None where it holds for every source.
    pub(crate) source: Option<&'a str>,
    pub(crate) value: &'a str,
}

/// A table of the settings.
pub(crate) fn write_settings(
    view: &SettingsView<'_>,
    screen: Screen,
    out: &mut dyn Write,
) -> io::Result<()> {
    match &view.file {
        Some(file) => writeln!(out, "configuration: {file}\n")?,
        None => writeln!(out, "no configuration file\n")?,
    }
    // The file is named once, above.
    let place = view.file.as_ref().map(|file| format!(" in the file `{file}`, "));
    let columns = ["source", "setting", "value", "origin"];
    let mut renderer = Renderer::begin(Style::table(screen), &columns.map(str::to_owned), out)?;
    for SettingView { origin, setting, source, value } in &view.settings {
        let text = |text: &'static str| Cell::Text(Cow::Borrowed(text));
        renderer.row(&[
            source.map_or(text(""), |name| Cell::Text(Cow::Borrowed(name))),
            Cell::Text(Cow::Borrowed(setting)),
            Cell::Text(Cow::Borrowed(value)),
            Cell::Text(Cow::Borrowed(within(origin, place.as_deref()))),
        ])?;
    }
    renderer.finish()
}

/// The line alone, where an origin is in the file that is named above.
fn within<'a>(origin: &'a str, place: Option<&str>) -> &'a str {
    place.and_then(|place| origin.split_once(place)).map_or(origin, |(_, line)| line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::json_line;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_json_of_settings_stays_as_it_is() {
        let of_source = SettingView {
            origin: "the default",
            setting: "max_rps",
            source: Some("shop"),
            value: "5",
        };
        let of_all =
            SettingView { origin: "--db", setting: "archive", source: None, value: "a.db" };
        let view = SettingsView { file: Some("c.toml".into()), settings: vec![of_all, of_source] };
        assert_eq!(
            json_line(&view),
            "{\"file\":\"c.toml\",\"settings\":[{\"origin\":\"--db\",\"setting\":\"archive\",\
             \"source\":null,\"value\":\"a.db\"},{\"origin\":\"the default\",\"setting\":\
             \"max_rps\",\"source\":\"shop\",\"value\":\"5\"}]}\n"
        );
    }
}
