"""Asks an archive the same questions by other people's tools and by the reports, and compares.

usage: check.py ARCHIVE   (with fgarchive, datasette, sqlite-utils and duckdb on the path, and pandas)
"""

import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

import pandas

ARCHIVE = pathlib.Path(sys.argv[1]).resolve()
DAY = ["--param", "bucket=day"]
ENDED = ["SUCCESS", "FAIL", "DISCARD"]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def report(name, *arguments):
    """The rows of a report."""
    return json.loads(run("fgarchive", "--db", str(ARCHIVE), "query", name, "--format", "json", *arguments))


def compare(what, theirs, ours):
    if theirs != ours:
        sys.exit(f"error: {what} says\n{theirs}\nand the report\n{ours}")
    if not ours:
        sys.exit(f"error: {what} was asked for nothing")
    print(f"{what}: {len(ours)} rows are the same")


def by_datasette(directory):
    metadata = directory / "metadata.json"
    run("fgarchive", "--db", str(ARCHIVE), "query", "datasette-metadata", "--for", "0", "--output", str(metadata))
    told = json.loads(metadata.read_text())["databases"][ARCHIVE.stem]
    get = lambda path: json.loads(run("datasette", str(ARCHIVE), "--metadata", str(metadata), "--get", path))
    for name, form, arguments in [
        ("summary", "", []),
        ("summary", "&since=2026-02-28T10:20:30Z&function=billing:*",
         ["--since", "2026-02-28T10:20:30Z", "--function", "billing:*"]),
        ("throughput", "&bucket=day", DAY),
        ("heatmap", "&of=failed", ["--param", "of=failed"]),
        ("duration-histogram", "", []),
        ("slowest", "&limit=5", ["--limit", "5"]),
        ("failures", "&limit=5", ["--limit", "5"]),
        ("discards", "", []),
        ("growth", "", []),
        ("calendar", "", []),
        ("coverage", "", []),
        ("runs", "", []),
    ]:
        rows = get(f"/{ARCHIVE.stem}/{name}.json?_shape=array{form}")
        compare(f"Datasette, {name}", rows, report(name, *arguments))
    for name, query in told["queries"].items():
        get(f"/{ARCHIVE.stem}/{name}.json?_shape=array")
        assert query["description"], name
    schema = json.loads(run("fgarchive", "query", "schema", "--format", "json"))
    compare("Datasette's tables", sorted(told["tables"]), sorted(row["name"] for row in schema))


def statuses():
    """How many records each function has of each status, as `summary` tells it."""
    counted = {}
    for row in report("summary"):
        for status in ["success", "fail", "discard", "running", "wait"]:
            if row[status]:
                counted[row["function"], status.upper()] = row[status]
    return counted


def by_sqlite_utils():
    sql = """SELECT f.full_name AS function, i.status, count(*) AS records
               FROM invocations i JOIN functions f ON f.id = i.function_id GROUP BY 1, 2"""
    rows = json.loads(run("sqlite-utils", "query", str(ARCHIVE), sql))
    theirs = {(row["function"], row["status"]): row["records"] for row in rows}
    compare("sqlite-utils, summary", theirs, statuses())


def by_pandas():
    connection = sqlite3.connect(f"file:{ARCHIVE}?mode=ro", uri=True)
    rows = pandas.read_sql_query(
        """SELECT f.full_name AS function, i.status, i.start_time, i.end_time, i.error_code, i.error_message
             FROM invocations i JOIN functions f ON f.id = i.function_id""",
        connection,
        parse_dates=["start_time", "end_time"],
    )
    theirs = rows.groupby(["function", "status"]).size()
    compare("pandas, summary", {key: int(count) for key, count in theirs.items()}, statuses())
    days = rows.groupby(rows["start_time"].dt.strftime("%Y-%m-%d")).size()
    ours = {row["bucket"]: row["records"] for row in report("throughput", *DAY)}
    compare("pandas, throughput", {day: int(count) for day, count in days.items()}, ours)
    failed = rows[rows["status"] == "FAIL"].groupby(["error_code", "error_message"], dropna=False).size()
    ours = [row["records"] for row in report("failures", "--limit", "100000")]
    compare("pandas, failures", sorted(map(int, failed), reverse=True), ours)
    rows["seconds"] = (rows["end_time"] - rows["start_time"]).dt.total_seconds()
    done = rows[rows["status"] == "SUCCESS"].dropna(subset=["seconds"]).groupby("function")["seconds"]
    for share, column in [(0.5, "p50_s"), (0.9, "p90_s"), (0.99, "p99_s")]:
        theirs = {name: int(at(values, share)) for name, values in done}
        compare(f"pandas, latency {column}", theirs, {row["function"]: row[column] for row in report("latency")})


def at(values, share):
    """The smallest value that this share does not exceed."""
    ordered = values.sort_values().reset_index(drop=True)
    reached = (ordered.index + 1) / len(ordered) >= share
    return ordered[reached].iloc[0]


def by_duckdb(directory):
    details = directory / "details.ndjson"
    sql = """SELECT f.full_name AS function, i.status, i.start_time,
                    unixepoch(i.end_time) - unixepoch(i.start_time) AS seconds
               FROM invocations i JOIN functions f ON f.id = i.function_id"""
    run("fgarchive", "--db", str(ARCHIVE), "query", "sql", sql, "--format", "ndjson", "--output", str(details))
    ask = lambda sql: json.loads(run("duckdb", "-json", "-c", sql.replace("ROWS", f"'{details}'")))
    theirs = ask("""SELECT function, count(*) AS records, min(seconds) AS min_s,
                           quantile_disc(seconds, 0.5) AS p50_s, quantile_disc(seconds, 0.9) AS p90_s,
                           quantile_disc(seconds, 0.99) AS p99_s, max(seconds) AS max_s
                      FROM ROWS WHERE status = 'SUCCESS' AND seconds IS NOT NULL GROUP BY 1 ORDER BY 1""")
    compare("DuckDB, latency", theirs, report("latency"))
    theirs = ask("""SELECT strftime(start_time::TIMESTAMP, '%Y-%m-%d') AS bucket, count(*) AS records
                      FROM ROWS GROUP BY 1 ORDER BY 1""")
    ours = [{"bucket": row["bucket"], "records": row["records"]} for row in report("throughput", *DAY)]
    compare("DuckDB, throughput", theirs, ours)


def by_grafana():
    """Grafana itself is not asked: its dashboard's statements are, with what it fills in."""
    dashboard = json.loads((pathlib.Path(__file__).parents[2] / "docs" / "grafana.json").read_text())
    connection = sqlite3.connect(f"file:{ARCHIVE}?mode=ro", uri=True)
    names = [name for (name,) in connection.execute(dashboard["templating"]["list"][1]["query"])]
    answers = {}
    for panel in dashboard["panels"]:
        sql = panel["targets"][0]["rawQueryText"].replace("$__from", "0").replace("$__to", "4102444800000")
        listed = ", ".join("'" + name.replace("'", "''") + "'" for name in names)
        answers[panel["title"]] = connection.execute(sql.replace("${function:sqlstring}", listed)).fetchall()
    summary = report("summary")
    compare("Grafana, records", answers["Records"], [(sum(row["records"] for row in summary),)])
    ours = sorted((row["function"], row["records"], row["failed_percent"]) for row in summary)
    theirs = sorted((name, records, percent) for name, records, _, percent in answers["Functions"])
    compare("Grafana, functions", theirs, ours)
    ours = sorted((row["code"], row["records"], row["shape"]) for status in ["FAIL", "DISCARD"]
                  for row in report("errors", "--status", status))
    compare("Grafana, errors", sorted((code, n, shape) for code, n, _, shape in answers["Errors by shape"]), ours)


with tempfile.TemporaryDirectory() as temporary:
    by_datasette(pathlib.Path(temporary))
    by_sqlite_utils()
    by_pandas()
    by_grafana()
    by_duckdb(pathlib.Path(temporary))
