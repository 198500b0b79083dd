#!/usr/bin/env python3
"""Opens pages of `fgarchive page` and `serve` in a browser, as people see them, and looks for what a text cannot tell.

    python -m pip install -r tests/browser/requirements.txt
    npm pack axe-core@4.14.1 && tar -xzf axe-core-4.14.1.tgz package/axe.min.js
    python tests/browser/check.py --axe package/axe.min.js [--keep DIR]

`fgarchive` must be on the PATH, and Chromium at /usr/bin/chromium (or where --browser says). Nothing is downloaded: the
browser is the system's, and has no network but that of this machine. Archives with gaps, hostile texts, a hundred functions,
and nothing at all are made in a directory of their own, or in DIR, where the pages and their pictures are left to look at.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import shlex
import signal
import sqlite3
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from playwright.sync_api import sync_playwright

# No sandbox: the user of a container cannot have one. The rest keeps the browser from asking anybody anything.
FLAGS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCHEMES = ["light", "dark"]
WIDTHS = [1280, 390]
MOST_BYTES = 1_000_000
# What depends on the present moves between the page and the question.
MOVING = {"age_s", "survives_seconds"}
# No page has one of these: they ask for something.
NEVER = "script, img, iframe, object, embed, link, base, video, audio, [style], [onload], [onerror]"
# Nor has a file, which leads nowhere.
NEVER_IN_A_FILE = f"{NEVER}, a, form, input"
HOSTILE = (
    "</title></style></data><script>document.title='x'</script><img src=x onerror=\"document.title='x'\">"
    "\" onload=\"document.title='x'\x1b]0;x\x07\u202egnp"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--axe", required=True, type=pathlib.Path, help="axe.min.js of axe-core")
    parser.add_argument("--browser", default="/usr/bin/chromium")
    parser.add_argument("--keep", type=pathlib.Path, help="a directory for archives, pages and pictures")
    options = parser.parse_args()
    axe = options.axe.read_text()
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        place = options.keep or pathlib.Path(directory)
        place.mkdir(parents=True, exist_ok=True)
        worlds = make_worlds(place)
        browser = playwright.chromium.launch(executable_path=options.browser, args=FLAGS)
        for name, archive in worlds.items():
            file = place / f"{name}.html"
            run("page", "--output", file, db=archive)
            size = file.stat().st_size
            check(size < MOST_BYTES, f"{name}: {size} bytes")
            # The largest page is of the same parts as the others, and axe takes long over its tables.
            looks = [("dark", 390)] if name == "hundred" else [(scheme, width) for scheme in SCHEMES for width in WIDTHS]
            for scheme, width in looks:
                # axe takes long: each scheme and each width is enough.
                is_audited = (scheme == "light") == (width == 1280)
                picture = place / f"{name}-{scheme}-{width}.png"
                look(browser, file.resolve().as_uri(), axe if is_audited else None, scheme, width, picture)
            print(f"{name}: {size} bytes, {len(looks)} looks")
        for name in ["demo", "gaps"]:
            compare(browser, place / f"{name}.html", worlds[name])
        looks_differ(browser, place / "gaps.html")
        for name in ["demo", "hostile", "empty"]:
            live(browser, axe, name, worlds[name], place)
        keyboard(browser, place / "demo.html")
        paper(browser, place / "gaps.html", place / "gaps.pdf")
        browser.close()


def check(holds, words):
    if not holds:
        raise SystemExit(f"error: {words}")


def run(*words, db):
    command = ["fgarchive", *map(str, words)]
    environment = {**os.environ, "FGARCHIVE_DB": str(db)}
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


# Archives.


def make_worlds(place):
    demo = place / "demo.db"
    run("demo", "--keep", demo, db=demo)
    hundred, some = place / "hundred.db", place / "some.db"
    archive(place, hundred, functions=100, records=40_000)
    archive(place, some, functions=8, records=8_000)
    return {
        "demo": demo,
        "hundred": hundred,
        "gaps": changed(some, place / "gaps.db", make_gaps),
        "hostile": changed(demo, place / "hostile.db", make_hostile),
        "empty": changed(demo, place / "empty.db", make_empty),
    }


def archive(place, target, functions, records):
    """Two years of so many functions, so that there is a year before to compare with."""
    said = place / "emulator.env"
    with said.open("w") as out:
        options = ["--functions", str(functions), "--records", str(records), "--span", "730d", "--seed", "5"]
        emulator = subprocess.Popen(["fgarchive", "emulate", *options], stdout=out, stderr=subprocess.DEVNULL)
    try:
        while len(said.read_text().splitlines()) < 10:
            check(emulator.poll() is None, "the emulator ended")
        exports = [line[7:].split("=", 1) for line in said.read_text().splitlines() if line.startswith("export ")]
        os.environ.update(exports)
        run("sync", "--all-functions", "--since", "730d", "--max-rps", "100000", "-q", db=target)
    finally:
        emulator.send_signal(signal.SIGTERM)
        emulator.wait()


def changed(source, target, change):
    for file in target.parent.glob(f"{target.name}*"):
        file.unlink()
    run("backup", target, db=source)
    connection = sqlite3.connect(target)
    change(connection)
    connection.commit()
    connection.close()
    run("check", "--accept", db=target)
    return target


def make_gaps(connection):
    """Of one function ranges were lost, unproven and not walked; all were off, not there, and quiet for some days."""
    end = connection.execute("SELECT max(end_time) FROM windows").fetchone()[0]
    end = datetime.datetime.fromisoformat(end)
    functions = [row[0] for row in connection.execute("SELECT id FROM functions ORDER BY id")]

    def day(before):
        return (end - datetime.timedelta(days=before)).strftime("%Y-%m-%dT00:00:00Z")

    for state, begin, until in [("lost", 80, 75), ("unproven", 60, 57), ("not walked", 40, 37)]:
        carve(connection, functions[0], day(begin), day(until), state)
    for function in functions:
        connection.execute("INSERT INTO recording VALUES (?, 0, ?, ?, 1)", (function, day(120), day(113)))
        connection.execute("INSERT INTO absences VALUES (?, ?, ?, NULL)", (function, day(140), day(136)))
    for begin, until in [(80, 76), (60, 58), (40, 38), (120, 113), (140, 136), (100, 96)]:
        range_of_days = (day(begin), day(until))
        connection.execute("DELETE FROM invocations WHERE start_time >= ? AND start_time < ?", range_of_days)


def carve(connection, function, begin, end, state):
    """Takes a range out of the ledger of a function, and notes it as something else."""
    where = "function_id = ? AND begin_time < ? AND end_time > ?"
    rows = connection.execute(f"SELECT * FROM windows WHERE {where}", (function, end, begin)).fetchall()
    connection.execute(f"DELETE FROM windows WHERE {where}", (function, end, begin))
    for row in rows:
        if row[1] < begin:
            connection.execute("INSERT INTO windows VALUES (?,?,?,?,?,?,?,?,?,?)", (row[0], row[1], begin, *row[3:]))
        if row[2] > end:
            connection.execute("INSERT INTO windows VALUES (?,?,?,?,?,?,?,?,?,?)", (row[0], end, *row[2:]))
    if state != "not walked":
        reason = "the count moved" if state == "unproven" else None
        row = (function, begin, end, state, None, None, 0, 0, end, reason)
        connection.execute("INSERT INTO windows VALUES (?,?,?,?,?,?,?,?,?,?)", row)


def make_hostile(connection):
    connection.execute("UPDATE invocations SET error_message = ? WHERE status IN ('FAIL', 'DISCARD')", (HOSTILE,))
    connection.execute(
        "UPDATE invocations SET error_message = ? WHERE request_id IN"
        " (SELECT request_id FROM invocations WHERE status = 'FAIL' LIMIT 3)",
        ("x" * 300_000,),
    )
    connection.execute("UPDATE functions SET name = ? || id, package = ?", (HOSTILE, "p" * 300))


def make_empty(connection):
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    kept = {"archive", "refinery_schema_history"}
    connection.execute("PRAGMA foreign_keys = OFF")
    for (table,) in tables:
        if table not in kept and not table.startswith("sqlite_"):
            connection.execute(f"DELETE FROM {table}")


# Pages.


def opened(browser, file, scheme="light", width=1280):
    return opened_at(browser, file.resolve().as_uri(), scheme, width)


def opened_at(browser, address, scheme, width):
    is_file = address.startswith("file:")
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, offline=is_file)
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    return page, said, asked


def look(browser, address, axe, scheme, width, picture, title="Asynchronous invocations", refused=""):
    """Looks at a page. Of one that is a refusal, by the status `refused`, the browser says so in the console."""
    place = f"{picture.stem}, {address[:200]}"
    never = NEVER_IN_A_FILE if address.startswith("file:") else NEVER
    page, said, asked = opened_at(browser, address, scheme, width)
    # To hide the caret the driver would give each field a style.
    page.screenshot(path=picture, full_page=True, caret="initial")
    told = [f"responded with a status of {refused}"] if refused else []
    check(len(said) == len(told) and all(map(str.__contains__, said, told)), f"{place}: the console says {said}")
    # The one request is that for the page itself.
    check(asked == [address], f"{place}: it asks for {asked}")
    wide = page.evaluate("document.documentElement.scrollWidth")
    check(wide <= width, f"{place}: it is {wide} px wide")
    met = page.evaluate(f"[...document.querySelectorAll({json.dumps(never)})].map((each) => each.outerHTML.slice(0, 200))")
    check(met == [], f"{place}: it has {met}")
    title_is = page.title()
    check(title_is.startswith(title) and title_is.isprintable(), f"{place}: its title is {title_is!r}")
    if axe is not None:
        audit(page, axe, place)
    check(len(said) == len(told) and asked == [address], f"{place}: {said} {asked}")
    page.context.close()


# The live page.


@contextlib.contextmanager
def served(archive):
    """An archive on a free port: the address."""
    environment = {**os.environ, "FGARCHIVE_DB": str(archive)}
    command = ["fgarchive", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().strip().removesuffix("/")
            check(address.startswith("http://127.0.0.1:"), f"serve says {address!r}")
            yield address
        finally:
            server.kill()


def live(browser, axe, name, archive, place):
    """The page, what its figures lead to, and what is refused."""
    with served(archive) as address:
        page, _, _ = opened_at(browser, address + "/", "light", 1280)
        links = page.evaluate(LINKS)
        check(name == "empty" or len(links) > 100, f"{name}: the page has {len(links)} links")
        for link in links:
            status = status_of(link)
            check(link.startswith(address + "/") and status == 200, f"{name}: {link} leads to {status}")
        hostile = urllib.parse.quote(HOSTILE)
        places = {
            "live": ("/", "Asynchronous invocations", ""),
            "period": ("/?since=2020-01&until=2020-01", "Asynchronous invocations", ""),
            "none": ("/records?since=2020-01&until=2020-01", "Records", ""),
            "refusal": (f"/?function={hostile}", "the archive holds no function", "400"),
            "nowhere": (f"/{hostile}", "nothing is there", "404"),
        }
        if name != "empty":
            page.click(".figures a")
            places["records"] = (page.url.removeprefix(address), "Records", "")
            page.goto(f"{address}/records?which=failed")
            page.click("a[rel=next]")
            places["older"] = (page.url.removeprefix(address), "Records", "")
            page.click("td a")
            places["record"] = (page.url.removeprefix(address), "Record", "")
        page.context.close()
        for each, (path, title, refused) in places.items():
            for scheme, width in [(scheme, width) for scheme in SCHEMES for width in WIDTHS]:
                is_audited = (scheme == "light") == (width == 1280)
                picture = place / f"{name}-{each}-{scheme}-{width}.png"
                look(browser, address + path, axe if is_audited else None, scheme, width, picture, title, refused)
    print(f"{name}: {len(links)} links, {len(places)} live pages")


LINKS = """() => [...new Set([...document.querySelectorAll('a')].map((each) =>
    new URL(each.getAttribute('href'), document.baseURI).href))]"""


def status_of(address):
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def audit(page, axe, place):
    """What is closed is looked at as well."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    page.evaluate(axe)
    result = page.evaluate("axe.run()")
    violations = [(each["id"], [node["target"] for node in each["nodes"][:3]]) for each in result["violations"]]
    check(violations == [], f"{place}: axe finds {violations}")
    check(len(result["passes"]) > 15, f"{place}: axe looked at {len(result['passes'])} things only")


FIGURES = """() => {
    const figures = [...document.querySelectorAll('data[data-ask]')].map((each) =>
        [each.dataset.ask, Number(each.dataset.row), each.dataset.column, each.value]);
    for (const table of document.querySelectorAll('table[data-ask]')) {
        const columns = [...table.querySelectorAll('th[data-column]')].map((each) => each.dataset.column);
        for (const row of table.querySelectorAll('tr[data-row]')) {
            const cells = [...row.children].filter((cell) => cell.dataset.column !== 'none');
            columns.forEach((column, at) => figures.push([table.dataset.ask, Number(row.dataset.row), column,
                cells[at].dataset.value ?? cells[at].textContent]));
        }
    }
    return figures;
}"""
COMMANDS = "() => [...document.querySelectorAll('code[data-ask]')].map((each) => [each.dataset.ask, each.textContent])"


def compare(browser, file, archive):
    """Every figure is what the command under it answers."""
    page, _, _ = opened(browser, file)
    figures, commands = page.evaluate(FIGURES), page.evaluate(COMMANDS)
    page.context.close()
    answers = {ask: answer(command, archive) for ask, command in commands}
    check(len(figures) > 1_000, f"{file.name}: it has {len(figures)} figures")
    for ask, row, column, shown in figures:
        told = answers[ask][row][column]
        check(column in MOVING or is_same(shown, told), f"{file.name}: {ask} {row} {column} is {shown!r}, not {told!r}")
    print(f"{file.name}: {len(figures)} figures are those of {len(answers)} commands")


def answer(command, archive):
    words = shlex.split(command)[1:]
    told = json.loads(run(*words, *(["--format", "json"] if words[0] == "query" else []), db=archive))
    return told["functions"] if isinstance(told, dict) else told


def is_same(shown, told):
    if told is None:
        return shown == ""
    if isinstance(told, bool):
        return shown == str(told).lower()
    if isinstance(told, (int, float)):
        return float(shown) == told
    if shown.endswith("…"):
        shown, told = shown[:-1], told[: len(shown) - 1]
    return shown == told.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def looks_differ(browser, file):
    """What is not proven, empty, lost, switched off, zero … are told apart without colour, in the legend and in the calendar."""
    page, _, _ = opened(browser, file)
    page.evaluate("document.documentElement.style.filter = 'grayscale(1)'")
    legend = page.locator("section[aria-labelledby=calendar] .legend li svg").all()
    pictures = {each.screenshot() for each in legend}
    check(len(pictures) == len(legend), f"only {len(pictures)} of {len(legend)} looks differ")
    for look in ["lost", "unproven", "not-walked", "switched-off", "not-there"]:
        days = page.locator(f".calendar .look.{look}").count()
        check(days > 0, f"no day of the calendar is {look}")
    check(page.locator(".calendar rect.empty").count() > 0, "no day of the calendar is empty")
    check(page.locator(".wide .look").count() >= 5, "the ground of the throughput tells nothing")
    page.context.close()


def keyboard(browser, file):
    """The tables behind the charts are reached and opened without a mouse."""
    page, _, _ = opened(browser, file)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    check(page.evaluate("document.activeElement.tagName") == "SUMMARY", "no summary can be reached by Tab")
    page.keyboard.press("Enter")
    check(page.evaluate("document.activeElement.parentElement.open"), "Enter does not open it")
    page.context.close()


def paper(browser, file, target):
    page, _, _ = opened(browser, file, scheme="dark")
    page.pdf(path=target, format="A4")
    check(target.read_bytes().startswith(b"%PDF"), "there is no PDF")
    page.emulate_media(media="print")
    check(page.locator(".calendar").first.is_visible(), "the calendar is not printed")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    check(ground == "rgb(255, 255, 255)", f"paper is {ground}")
    check(page.locator("details:visible").count() == 0, "what is closed takes room on paper")
    page.context.close()


if __name__ == "__main__":
    main()
