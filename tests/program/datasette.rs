//! `query datasette-metadata`, as whoever sets up Datasette meets it. What Datasette makes of it is
//! checked by `tests/tools`.

use crate::program::Home;
use pretty_assertions::assert_eq;

#[test]
fn datasette_is_told_what_columns_mean_and_what_may_be_asked() {
    let home = Home::new();
    let told = |version: &str| {
        home.run(["--db", "shop.db", "query", "datasette-metadata", "--for", version]).exits(0)
    };
    let metadata = told("0").json();
    let shop = &metadata["databases"]["shop"];
    let meaning = &shop["tables"]["late_records"]["columns"]["seen_at"];
    assert_eq!(meaning, "when it was shown");
    let summary = &shop["queries"]["summary"];
    assert_eq!(summary["title"], "summary");
    assert!(summary["sql"].as_str().unwrap().contains("nullif(:since, '')"), "{summary}");
    let configuration = told("1").json();
    assert_eq!(configuration["databases"]["shop"]["queries"], shop["queries"]);
    assert_eq!(configuration["databases"]["shop"]["tables"], serde_json::Value::Null);
    let path = ["query", "datasette-metadata", "--for", "0", "--output", "metadata.json"];
    home.run(path).exits(0).prints("");
    assert!(home.join("metadata.json").is_file() && !home.db().exists());
}

#[test]
fn what_datasette_is_told_needs_its_version_and_takes_nothing_else() {
    let home = Home::new();
    let ask = |arguments: &[&str]| home.run(["query"]).args(arguments).exits(2);
    ask(&["datasette-metadata"]).says("needs --for").says("hint: ");
    ask(&["datasette-metadata", "--for", "2"]).says("'2' for '--for <VERSION>'");
    ask(&["datasette-metadata", "--for", "0", "--since", "7d"])
        .says("takes no options of a report");
    ask(&["datasette-metadata", "--for", "0", "SELECT 1"]).says("takes no statement");
    ask(&["summary", "--for", "0"]).says("--for goes with `query datasette-metadata`");
}
