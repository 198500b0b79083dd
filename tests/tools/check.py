"""Asks an archive the same questions by other people's tools and by the reports, and compares.

usage: check.py ARCHIVE   (with fgarchive, datasette, sqlite-utils and duckdb on the path, and pandas)
"""

import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

import pandas

ARCHIVE = pathlib.Path(sys.argv[1]).resolve()
DAY = ["--param", "bucket=day"]
TIME = "%Y-%m-%dT%H:%M:%SZ"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def report(name, *arguments, archive=ARCHIVE):
    """The rows of a report."""
    return json.loads(run("fgarchive", "--db", str(archive), "query", name, "--format", "json", *arguments))


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


def by_grafana(directory):
    """Grafana itself is not asked: its dashboard's statements are, with what it fills in."""
    dashboard = json.loads((pathlib.Path(__file__).parents[2] / "docs" / "grafana.json").read_text())
    # Of a copy a part of the time is lost, and a function is gone with its open records.
    archive = directory / "with-gaps.db"
    shutil.copy(ARCHIVE, archive)
    connection = sqlite3.connect(archive)
    connection.executescript(
        """UPDATE windows SET state = 'lost', proof = NULL, reported_count = NULL, reason = 'a test lost it'
            WHERE (function_id, begin_time) IN (SELECT function_id, min(begin_time) FROM windows GROUP BY 1);
           UPDATE functions SET gone_at = horizon_end
            WHERE id = (SELECT function_id FROM open_records GROUP BY 1 ORDER BY count(*) LIMIT 1);"""
    )
    everything = [name for (name,) in connection.execute(dashboard["templating"]["list"][1]["query"])]
    last = max(row["last"] for row in report("summary"))
    month = ("2026-02-01T00:00:00Z", day_after(last))
    for begin, end, names in [
        (*month, everything),
        # Its range may begin and end at any second; the dashboard shows the hours that it touches.
        ("2026-02-25T10:20:30Z", "2026-02-28T21:50:10Z", everything),
        (*month, everything[:1]),
    ]:
        grafana_in(dashboard, archive, [begin, end], names)


def grafana_in(dashboard, archive, period, names):
    """Compares each panel, of a period and some functions, with the report that tells the same."""
    connection = sqlite3.connect(f"file:{archive}?mode=ro", uri=True)
    begin, end = (pandas.Timestamp(moment) for moment in period)
    filled_in = {
        # Grafana fills in milliseconds, and a list with its quotes doubled.
        "$__from": str(int(begin.timestamp()) * 1000),
        "$__to": str(int(end.timestamp()) * 1000),
        "${function:sqlstring}": ",".join("'" + name.replace("'", "''") + "'" for name in names),
    }
    answers = {}
    for panel in dashboard["panels"]:
        target = panel["targets"][0]
        assert target["queryText"] == target["rawQueryText"], panel["title"]
        sql = target["rawQueryText"]
        for name, value in filled_in.items():
            sql = sql.replace(name, value)
        assert "$" not in sql, sql
        answers[panel["title"]] = connection.execute(sql).fetchall()
    of_functions = [word for name in names for word in ["--function", name]]
    hours = [begin.floor("h").strftime(TIME), end.ceil("h").strftime(TIME)]
    of_archive = lambda name, *more: report(name, *of_functions, *more, archive=archive)
    ask = lambda name, *more: of_archive(name, "--since", hours[0], "--until", hours[1], *more)
    what = f"Grafana, {period[0]} to {period[1]}, {len(names)} functions"

    summary = ask("summary")
    counted = {status: sum(row[status] for row in summary) for status in ["records", "success", "fail", "discard"]}
    compare(f"{what}: records", answers.pop("Records"), [(counted["records"],)])
    failed = counted["fail"] + counted["discard"]
    compare(f"{what}: failed", answers.pop("Failed"), [(100.0 * failed / (counted["success"] + failed),)])
    ours = sorted((row["function"], row["records"], row["fail"] + row["discard"], row["failed_percent"])
                  for row in summary)
    theirs = sorted((name, records, failed or 0, percent) for name, records, failed, percent in answers.pop("Functions"))
    compare(f"{what}: functions", theirs, ours)
    ours = [(row["code"], row["records"], row["functions"], row["shape"])
            for status in ["FAIL", "DISCARD"] for row in ask("errors", "--status", status)]
    compare(f"{what}: errors", sorted(answers.pop("Errors by shape"), key=repr), sorted(ours, key=repr))
    ours = [(int(pandas.Timestamp(row["bucket"]).timestamp()), status.upper(), row[status])
            for row in ask("throughput") for status in ["success", "fail", "discard", "running", "wait"] if row[status]]
    compare(f"{what}: records by status", sorted(answers.pop("Records by status")), sorted(ours))
    ours = []
    for day in pandas.date_range(begin.floor("D"), end, freq="D"):
        in_day = ["--since", day.strftime(TIME), "--until", (day + pandas.Timedelta(days=1)).strftime(TIME)]
        longest = [row["max_s"] for row in of_archive("latency", *in_day)]
        if longest:
            ours.append((int(day.timestamp()), max(longest)))
    compare(f"{what}: longest durations", answers.pop("Longest duration of each day"), ours)

    gaps = of_archive("coverage", "--since", period[0], "--until", period[1], "--param", "state=gaps")
    ours = sorted((row["function"], row["begin_time"], row["end_time"], row["state"], row["reason"]) for row in gaps)
    compare(f"{what}: what is not proven", sorted(answers.pop("What is not proven")), ours)
    cut = [min(pandas.Timestamp(row["end_time"]), end) - max(pandas.Timestamp(row["begin_time"]), begin) for row in gaps]
    ours = [(int(sum(cut, pandas.Timedelta(0)).total_seconds()),)]
    compare(f"{what}: how much is not proven", answers.pop("Not proven"), ours)
    compare(f"{what}: open", answers.pop("Open"), [(len(of_archive("open")),)])
    assert not answers, f"not compared: {list(answers)}"


def day_after(moment):
    return (pandas.Timestamp(moment).floor("D") + pandas.Timedelta(days=1)).strftime(TIME)


with tempfile.TemporaryDirectory() as temporary:
    by_datasette(pathlib.Path(temporary))
    by_sqlite_utils()
    by_pandas()
    by_grafana(pathlib.Path(temporary))
    by_duckdb(pathlib.Path(temporary))
