-- The archive: records, their history, the ledger that says which time ranges are complete, and the runs.
--
-- Times are TEXT `YYYY-MM-DDTHH:MM:SSZ`: they sort as time, people can read them, and every tool's date functions take
-- them. Tables are STRICT, so that what is read back has the type that was meant; no constraint looks at what the
-- service sent, since refusing a record would lose it. docs/archive.md documents every column.

-- Which archive this is, under whatever name: its copies have the same id, so that `backup` replaces nothing else.
CREATE TABLE archive (
    id TEXT NOT NULL PRIMARY KEY
) STRICT;

INSERT INTO archive (id) VALUES (lower(hex(randomblob(16))));

CREATE TABLE functions (
    id            INTEGER PRIMARY KEY,
    urn           TEXT NOT NULL UNIQUE,
    region        TEXT NOT NULL,
    project_id    TEXT NOT NULL,
    package       TEXT NOT NULL,
    name          TEXT NOT NULL,
    qualifier     TEXT NOT NULL,
    -- How people know it: the version or alias is told where it is not the usual one.
    full_name     TEXT NOT NULL
        GENERATED ALWAYS AS (package || ':' || name || iif(qualifier = 'latest', '', ':' || qualifier)) VIRTUAL,
    first_seen_at TEXT NOT NULL,
    -- The URN in the form that the service answered to last, with `latest` or without.
    asked_as      TEXT,
    -- Since when the service knows it no more: its coverage ends there. NULL while it is there, or is there again.
    gone_at       TEXT,
    -- When a run saw last that it is gone, of one that was asked for and not found. A list alone may leave it out for want of
    -- rights, so this is NULL where nothing else tells of it, and while the function is there.
    absent_at     TEXT,
    -- What runs set out to archive, noted before the first page is asked for: what a run that was killed did not reach is
    -- not walked, and no less missing. NULL until a run asked for the function.
    horizon_begin TEXT,
    horizon_end   TEXT,
    -- What the ledger claimed of time that had not come when a run began, by one of two clocks that disagreed: it is walked
    -- again when it is over, and what was missed is archived then. NULL where there is nothing of the kind.
    doubted_begin TEXT,
    doubted_end   TEXT,
    -- Whether a list of functions ever held it, noted of versions and aliases, which most lists leave out.
    was_listed    INTEGER NOT NULL DEFAULT 0 CHECK (was_listed IN (0, 1))
) STRICT;

-- When functions that are there again were gone. What was pending then is walked all the same: the service may have been
-- wrong, and nothing of it is to be missed.
CREATE TABLE absences (
    function_id INTEGER NOT NULL REFERENCES functions (id),
    from_time   TEXT NOT NULL,
    until_time  TEXT NOT NULL CHECK (until_time > from_time),
    -- Until when it was seen not to be there (`functions.absent_at`): so long nothing can have happened that is lost.
    absent_at  TEXT,
    PRIMARY KEY (function_id, from_time)
) STRICT, WITHOUT ROWID;

-- A run that was killed has no `outcome`; what it committed until `updated_at` stands.
CREATE TABLE runs (
    id               INTEGER PRIMARY KEY,
    command          TEXT NOT NULL DEFAULT 'sync',
    started_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    ended_at         TEXT,
    outcome          TEXT,
    exit_code        INTEGER,
    requests         INTEGER NOT NULL DEFAULT 0,
    retries          INTEGER NOT NULL DEFAULT 0,
    throttled        INTEGER NOT NULL DEFAULT 0,
    -- Those of the requests that walked settled windows again: a share of all, so what may be spent follows from the past.
    verify_requests  INTEGER NOT NULL DEFAULT 0,
    records_seen     INTEGER NOT NULL DEFAULT 0,
    records_new      INTEGER NOT NULL DEFAULT 0,
    records_changed  INTEGER NOT NULL DEFAULT 0,
    records_late     INTEGER NOT NULL DEFAULT 0,
    records_rejected INTEGER NOT NULL DEFAULT 0,
    -- Entries of the list of functions that could not be read.
    functions_unreadable INTEGER NOT NULL DEFAULT 0,
    -- Tells runs of the same number in two copies apart, however alike they are.
    nonce            TEXT NOT NULL DEFAULT (lower(hex(randomblob(8)))),
    -- A day before it began, as it was known at its first commit: records that started later were young then. What is counted
    -- by it may not move, while `started_at` does as the service's clock becomes known. NULL before that commit.
    young_after      TEXT
) STRICT;

-- What a run did in each project that it asked; the counts of `runs` are their sums.
CREATE TABLE run_sources (
    id               INTEGER PRIMARY KEY,
    run_id           INTEGER NOT NULL REFERENCES runs (id),
    -- A name that is unique within its run.
    name             TEXT NOT NULL,
    -- How it ended, and the exit code that the run would have had with this source alone. NULL as in `runs`.
    outcome          TEXT,
    exit_code        INTEGER,
    requests         INTEGER NOT NULL DEFAULT 0,
    retries          INTEGER NOT NULL DEFAULT 0,
    throttled        INTEGER NOT NULL DEFAULT 0,
    verify_requests  INTEGER NOT NULL DEFAULT 0,
    records_seen     INTEGER NOT NULL DEFAULT 0,
    records_new      INTEGER NOT NULL DEFAULT 0,
    records_changed  INTEGER NOT NULL DEFAULT 0,
    records_late     INTEGER NOT NULL DEFAULT 0,
    records_rejected INTEGER NOT NULL DEFAULT 0,
    functions_unreadable INTEGER NOT NULL DEFAULT 0,
    -- What was learnt about the service's pages: the most entries on one, whether `count` is a total, and whether
    -- `next_marker` points beyond a page.
    longest_page     INTEGER NOT NULL DEFAULT 0,
    count_is_total   INTEGER NOT NULL DEFAULT 0,
    points_on        INTEGER NOT NULL DEFAULT 0,
    UNIQUE (run_id, name)
) STRICT;

-- One row a record, as last seen. Ids are random: rows are appended in the order they came, and only the index of the
-- key is written all over, which is half as much as a table clustered by it (measured by `cargo bench`).
CREATE TABLE invocations (
    request_id     TEXT NOT NULL UNIQUE,
    function_id    INTEGER NOT NULL REFERENCES functions (id),
    status         TEXT NOT NULL,
    error_code     ANY,
    error_message  TEXT,
    start_time     TEXT,
    end_time       TEXT,
    first_run_id   INTEGER NOT NULL,
    changed_run_id INTEGER NOT NULL,
    given_up_at    TEXT,
    extra          TEXT,
    -- Of a record that failed: what tells its code and message from those of others, XXH3-64.
    error_hash     INTEGER
) STRICT;

-- Serves a range of `start_time` alone, and with a function, which is then checked inside the index.
-- What follows is there for `record_times`, which tells how long the records at the edges of a range took without a look at
-- the table.
CREATE INDEX invocations_by_start ON invocations (
    start_time,
    function_id,
    nullif(status, 'SUCCESS'),
    CASE WHEN length(start_time) = 20 AND length(end_time) = 20 THEN
        CASE WHEN strftime('%Y-%m-%dT%H:%M:%SZ', start_time) = start_time
              AND strftime('%Y-%m-%dT%H:%M:%SZ', end_time) = end_time
             THEN unixepoch(end_time) - unixepoch(start_time)
        END
    END
);

-- What the index by start tells of each record. The expressions are those of the index, by which SQLite finds that it
-- needs nothing else. That a record is a SUCCESS, as most are, takes no room there. The duration is in seconds. Only a
-- text as long as a time is given to a function of time: with `now` among them the index would refuse the row.
CREATE VIEW record_times AS
SELECT rowid AS record,
       function_id,
       start_time,
       coalesce(nullif(status, 'SUCCESS'), 'SUCCESS') AS status,
       CASE WHEN length(start_time) = 20 AND length(end_time) = 20 THEN
           CASE WHEN strftime('%Y-%m-%dT%H:%M:%SZ', start_time) = start_time
                 AND strftime('%Y-%m-%dT%H:%M:%SZ', end_time) = end_time
                THEN unixepoch(end_time) - unixepoch(start_time)
           END
       END AS duration_s
  FROM invocations;

-- Serves what is asked of failures, which are few. What follows the start is there for the report `failures`, which counts
-- equal errors without a look at the table; that a record is a FAIL, as most of them are, takes no room there.
CREATE INDEX invocations_failed ON invocations (start_time, function_id, nullif(status, 'FAIL'), error_hash)
 WHERE status IN ('FAIL', 'DISCARD');

-- What polling saw of a change: it happened after one moment and by another. A record that was only ever seen in one
-- status has no row here; the view `transitions` adds its first sighting. Numbers are never used again, so that `check` can
-- tell rows that were pruned from rows that are missing.
CREATE TABLE status_changes (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id  TEXT NOT NULL,
    from_status TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    after_time  TEXT NOT NULL,
    by_time     TEXT NOT NULL,
    accepted    INTEGER NOT NULL CHECK (accepted IN (0, 1)),
    run_id      INTEGER NOT NULL REFERENCES runs (id)
) STRICT;

CREATE INDEX status_changes_by_record ON status_changes (request_id, id);

-- Known values of a record that were not shown again as they are archived. With `accepted` 1 the shown value stands now, or
-- the record moved on to another outcome; with 0 nothing, or less, was shown, and what stood stands. The latter once each.
CREATE TABLE amendments (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL,
    field      TEXT NOT NULL,
    stood      ANY NOT NULL,
    shown      ANY,
    accepted   INTEGER NOT NULL CHECK (accepted IN (0, 1)),
    seen_at    TEXT NOT NULL,
    run_id     INTEGER NOT NULL REFERENCES runs (id)
) STRICT;

CREATE INDEX amendments_by_record ON amendments (request_id, id);

-- Records of `invocations` that another function shows as well: what it shows of them. The row there stays as the function
-- shows it that showed it first.
CREATE TABLE shared_records (
    request_id     TEXT NOT NULL,
    function_id    INTEGER NOT NULL REFERENCES functions (id),
    status         TEXT NOT NULL,
    error_code     ANY,
    error_message  TEXT,
    start_time     TEXT,
    end_time       TEXT,
    first_run_id   INTEGER NOT NULL REFERENCES runs (id),
    changed_run_id INTEGER NOT NULL REFERENCES runs (id),
    extra          TEXT,
    PRIMARY KEY (request_id, function_id)
) STRICT, WITHOUT ROWID;

-- Serves what is asked of one function's time.
CREATE INDEX shared_records_by_function ON shared_records (function_id, start_time);

-- The few records that may still change: WAIT, RUNNING, and a FAIL that a retry may yet turn. `seen_at` bounds the next
-- change; `checked_at` is also when a record was asked for and not shown. Those of a function that is gone stay, given up
-- since that moment (`invocations.given_up_at`), and are asked for again if it comes back.
CREATE TABLE open_records (
    request_id  TEXT NOT NULL PRIMARY KEY,
    function_id INTEGER NOT NULL REFERENCES functions (id),
    opened_at   TEXT NOT NULL,
    seen_at     TEXT NOT NULL,
    checked_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The ledger: what was walked, and whether it is believed whole. Ranges of a function never overlap, and settled
-- neighbours are merged, so that a year of runs stays a handful of rows.
CREATE TABLE windows (
    function_id    INTEGER NOT NULL REFERENCES functions (id),
    begin_time     TEXT NOT NULL,
    end_time       TEXT NOT NULL CHECK (end_time > begin_time),
    state          TEXT NOT NULL CHECK (state IN ('settled', 'proven', 'unproven', 'lost')),
    proof          TEXT CHECK (proof IN ('count', 'seams', 'both')),
    reported_count INTEGER,
    distinct_count INTEGER NOT NULL,
    pages          INTEGER NOT NULL,
    walked_at      TEXT NOT NULL,
    -- Why an unproven range could not be proven, in words.
    reason         TEXT,
    PRIMARY KEY (function_id, begin_time),
    CHECK ((state IN ('settled', 'proven')) = (proof IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Records that a proven walk of their window had not shown yet: the service was later than the walk.
CREATE TABLE late_records (
    request_id  TEXT NOT NULL PRIMARY KEY,
    function_id INTEGER NOT NULL REFERENCES functions (id),
    start_time  TEXT NOT NULL,
    missed_at   TEXT NOT NULL,
    seen_at     TEXT NOT NULL,
    run_id      INTEGER NOT NULL REFERENCES runs (id)
) STRICT, WITHOUT ROWID;

-- Settled windows that were walked again, and how what the service then showed differs from what was archived.
CREATE TABLE verifications (
    id          INTEGER PRIMARY KEY,
    function_id INTEGER NOT NULL REFERENCES functions (id),
    begin_time  TEXT NOT NULL,
    end_time    TEXT NOT NULL,
    verified_at TEXT NOT NULL,
    records     INTEGER NOT NULL,
    late        INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    gone        INTEGER NOT NULL,
    forgotten   INTEGER NOT NULL,
    run_id      INTEGER NOT NULL REFERENCES runs (id)
) STRICT;

-- Serves the search for what was verified longest ago.
CREATE INDEX verifications_by_function ON verifications (function_id, id);

-- Summaries of `invocations`, kept in the transaction that changes the rows: any range is counted by whole hours, its
-- durations by three of them, and its edges from the rows. `check` holds them against the rows.
--
-- The errors of records, by shape: FAIL and DISCARD have one, the code and fold(error_message). Rows are never removed.
CREATE TABLE error_shapes (
    id         INTEGER PRIMARY KEY,
    error_code ANY,
    shape      TEXT
) STRICT;

CREATE INDEX error_shapes_by_shape ON error_shapes (shape, error_code);

-- How many records there are of each UTC hour of the start (empty where it cannot be read), function, status and error
-- shape (0 for none). `young_records` of them started after `runs.young_after` of the run that saw them first.
-- `value_bytes` is how long the values are that came from the service.
CREATE TABLE hourly_counts (
    hour          TEXT NOT NULL,
    function_id   INTEGER NOT NULL REFERENCES functions (id),
    status        TEXT NOT NULL,
    shape_id      INTEGER NOT NULL,
    records       INTEGER NOT NULL,
    young_records INTEGER NOT NULL,
    value_bytes   INTEGER NOT NULL,
    PRIMARY KEY (hour, function_id, status, shape_id)
) STRICT, WITHOUT ROWID;

-- How long records took from start to end, by the three UTC hours in which they started (from 00, 03, 06 on and so forth),
-- function and status: a JSON object that tells for each number of seconds how many records took so long, and the greatest of
-- these numbers. Records whose start or end cannot be read are in none.
--
-- One text takes a fifth of what a row for each number would, in the file and in the time of a report. By longer spans a range
-- that begins and ends within them would read more records from the index; by shorter ones nearly each record of a function that
-- is called once a minute would have a number of its own.
CREATE TABLE three_hour_durations (
    function_id INTEGER NOT NULL REFERENCES functions (id),
    status      TEXT NOT NULL,
    three_hours TEXT NOT NULL,
    durations   TEXT NOT NULL,
    longest_s   INTEGER NOT NULL,
    -- In this order, so that a report adds up the texts of a function and status without sorting them. No WITHOUT ROWID: a
    -- page of an index would hold less of so long a text.
    PRIMARY KEY (function_id, status, three_hours)
) STRICT;

-- By function and UTC day of the start (empty where it cannot be read): how many records were written, and the sum of a
-- hash of each. `check` sums up again what is there: what differs was changed by somebody else, or by a failing disk.
CREATE TABLE digests (
    function_id INTEGER NOT NULL REFERENCES functions (id),
    day         TEXT NOT NULL,
    records     INTEGER NOT NULL,
    digest      INTEGER NOT NULL,
    PRIMARY KEY (function_id, day)
) STRICT, WITHOUT ROWID;

-- Days of a function whose records were removed on purpose, by `prune`: what of the day, how many they were, and what they
-- summed up to. The ledger, the digests and the summaries still count them, so that `check` adds these sums to those of the
-- rows that are there. A record of such a time that the service shows again is not archived again.
CREATE TABLE pruned_days (
    function_id     INTEGER NOT NULL REFERENCES functions (id),
    day             TEXT NOT NULL,
    begin_time      TEXT NOT NULL,
    end_time        TEXT NOT NULL CHECK (end_time > begin_time),
    pruned_at       TEXT NOT NULL,
    records         INTEGER NOT NULL,
    digest          INTEGER NOT NULL,
    -- Sums of hashes of what the removed records are counted as: records and bytes in `hourly_counts`, `three_hour_durations`.
    count_digest    INTEGER NOT NULL,
    bytes_digest    INTEGER NOT NULL,
    duration_digest INTEGER NOT NULL,
    -- How many rows of their history were removed with them.
    status_changes  INTEGER NOT NULL,
    amendments      INTEGER NOT NULL,
    -- The last of them that was over within an hour: a run asks for it to see how far back the service still reaches.
    last_id         TEXT,
    last_start_time TEXT,
    last_end_time   TEXT,
    PRIMARY KEY (function_id, day)
) STRICT, WITHOUT ROWID;

-- Whether the service records a function's invocations at all (`enable_async_status_log`), as it said when it was asked: a
-- row for as long as it said the same. NULL where it could not be told. Between two rows it was not asked.
CREATE TABLE recording (
    function_id INTEGER NOT NULL REFERENCES functions (id),
    enabled     INTEGER CHECK (enabled IN (0, 1)),
    from_time   TEXT NOT NULL,
    until_time  TEXT NOT NULL,
    run_id      INTEGER NOT NULL REFERENCES runs (id),
    PRIMARY KEY (function_id, from_time)
) STRICT, WITHOUT ROWID;

-- How far back the service was seen to reach, by UTC day: the age in seconds of the oldest finished record that it showed,
-- where that is more than a day, and of the youngest archived one that it was asked for and no longer showed.
CREATE TABLE reach (
    function_id INTEGER NOT NULL REFERENCES functions (id),
    day         TEXT NOT NULL,
    noted_at    TEXT NOT NULL,
    oldest_time TEXT,
    reach_s     INTEGER,
    forgotten_s INTEGER,
    run_id      INTEGER NOT NULL REFERENCES runs (id),
    PRIMARY KEY (function_id, day)
) STRICT, WITHOUT ROWID;

-- What check-ups (`fgarchive doctor`) found of the service and of the way to it.
CREATE TABLE probes (
    id           INTEGER PRIMARY KEY,
    probed_at    TEXT NOT NULL,
    function_urn TEXT,
    question     TEXT NOT NULL,
    verdict      TEXT NOT NULL CHECK (verdict IN ('ok', 'unknown', 'warning', 'failure')),
    answer       TEXT NOT NULL,
    evidence     TEXT NOT NULL
) STRICT;

-- Conditions that somebody is told of by `sync --notify` and `check --notify`: from when they were first seen until they were
-- no longer. One that is over stays for a while, so that it can be listed, and one that counts what never gets less by itself
-- (`amount`, such as lost time) for as long as no later one of the kind follows: what there was is no news.
CREATE TABLE alerts (
    -- Never used again: whoever is told knows an alert by it.
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL,
    -- The function or source that it is about; empty where it is the archive.
    subject  TEXT NOT NULL,
    text     TEXT NOT NULL,
    began_at TEXT NOT NULL,
    -- From when on it is told, if it still holds then.
    due_at   TEXT NOT NULL,
    seen_at  TEXT NOT NULL,
    ended_at TEXT,
    amount   INTEGER
) STRICT;

-- Who is to hear of an alert, and what was told, each by itself: one may be out of reach while the other is not. NULL where
-- it was not told yet.
CREATE TABLE alert_tellings (
    alert_id      INTEGER NOT NULL REFERENCES alerts (id),
    channel       TEXT NOT NULL CHECK (channel IN ('command', 'webhook')),
    told_at       TEXT,
    ended_told_at TEXT,
    PRIMARY KEY (alert_id, channel)
) STRICT, WITHOUT ROWID;

-- What came and could not be read as a record, or, where it is of no function, as an entry of the list of functions. The
-- same text is kept once a function.
CREATE TABLE rejects (
    id          INTEGER PRIMARY KEY,
    function_id INTEGER REFERENCES functions (id),
    seen_at     TEXT NOT NULL,
    reason      TEXT NOT NULL,
    raw         TEXT NOT NULL,
    run_id      INTEGER NOT NULL REFERENCES runs (id)
) STRICT;

-- No function has the number 0.
CREATE UNIQUE INDEX rejects_once ON rejects (coalesce(function_id, 0), raw);

-- A first sighting is no change that was watched: nothing bounds it from below, and the run that saw it bounds it from
-- above. The first status of a record is what its first accepted change came from, or its status if there is none.
CREATE VIEW transitions AS
SELECT i.request_id,
       NULL AS from_status,
       coalesce((SELECT c.from_status
                   FROM status_changes c
                  WHERE c.request_id = i.request_id
                    AND c.accepted = 1
                  ORDER BY c.id
                  LIMIT 1), i.status) AS to_status,
       NULL AS after_time,
       r.updated_at AS by_time,
       r.updated_at AS observed_at,
       1 AS accepted,
       i.first_run_id AS run_id
  FROM invocations i
  JOIN runs r ON r.id = i.first_run_id
 UNION ALL
SELECT request_id, from_status, to_status, after_time, by_time, by_time, accepted, run_id
  FROM status_changes;

CREATE VIEW invocation_details AS
SELECT i.request_id,
       i.function_id,
       f.name AS function_name,
       f.urn AS function_urn,
       i.status,
       i.error_code,
       i.error_message,
       i.start_time,
       i.end_time,
       unixepoch(i.end_time) - unixepoch(i.start_time) AS duration_s,
       substr(i.start_time, 1, 10) AS day,
       substr(i.start_time, 1, 13) || ':00:00Z' AS hour,
       first.updated_at AS first_seen_at,
       changed.updated_at AS changed_at,
       i.first_run_id,
       i.changed_run_id,
       i.given_up_at,
       i.extra
  FROM invocations i
  JOIN functions f ON f.id = i.function_id
  LEFT JOIN runs first ON first.id = i.first_run_id
  LEFT JOIN runs changed ON changed.id = i.changed_run_id;

-- The ledger with names, with the ranges of the horizon that no walk has reached yet (`not walked`), and in `answer` what
-- is to be said of each range: `records` or `empty` where it is proven, `switched off` where the service said that it
-- recorded nothing, `not there` where it did not know the function, `pruned` where the records were proven and then removed
-- by `prune`, else why it is not proven. A proven range is cut where recording went off or on, where the function went or
-- came, and where pruned days begin and end; its pieces have no counts of their own. Of a function that
-- is gone, what is not proven is lost, up to when it was seen to be gone.
CREATE VIEW coverage AS
WITH ledger AS (
    SELECT w.*,
           f.gone_at,
           coalesce(lead(begin_time) OVER (PARTITION BY function_id ORDER BY begin_time), f.gone_at, f.horizon_end)
               AS next_begin
      FROM windows w
      JOIN functions f ON f.id = w.function_id
), ahead AS (
    -- What lies before the first row, or all of it where there is none.
    SELECT id AS function_id,
           horizon_begin AS begin_time,
           coalesce((SELECT min(begin_time) FROM windows w WHERE w.function_id = f.id), gone_at, horizon_end) AS end_time,
           gone_at
      FROM functions f
), ranges AS (
    SELECT function_id,
           begin_time,
           end_time,
           iif(gone_at IS NOT NULL AND state = 'unproven', 'lost', state) AS state,
           proof,
           reported_count,
           distinct_count,
           pages,
           walked_at,
           reason
      FROM ledger
     UNION ALL
    SELECT function_id, end_time, next_begin, iif(gone_at IS NULL, 'not walked', 'lost'), NULL, NULL, 0, 0, NULL, NULL
      FROM ledger
     WHERE next_begin > end_time
     UNION ALL
    SELECT function_id, begin_time, end_time, iif(gone_at IS NULL, 'not walked', 'lost'), NULL, NULL, 0, 0, NULL, NULL
      FROM ahead
     WHERE begin_time < end_time
), off AS (
    SELECT function_id, from_time, until_time
      FROM recording
     WHERE enabled = 0 AND from_time < until_time
     UNION ALL
    SELECT function_id, from_time, until_time
      FROM absences
), pruned AS (
    -- Pruned days that follow each other, as one range.
    SELECT function_id, min(begin_time) AS from_time, max(end_time) AS until_time
      FROM (SELECT function_id, begin_time, end_time,
                   sum(is_first) OVER (PARTITION BY function_id ORDER BY begin_time) AS part
              FROM (SELECT function_id, begin_time, end_time,
                           begin_time IS NOT lag(end_time) OVER (PARTITION BY function_id ORDER BY begin_time)
                               AS is_first
                      FROM pruned_days))
     GROUP BY function_id, part
), edges AS (
    SELECT function_id, begin_time AS edge FROM ranges
     UNION
    SELECT r.function_id, p.from_time
      FROM ranges r
      JOIN pruned p ON p.function_id = r.function_id AND r.begin_time < p.from_time AND p.from_time < r.end_time
     WHERE r.state IN ('settled', 'proven')
     UNION
    SELECT r.function_id, p.until_time
      FROM ranges r
      JOIN pruned p ON p.function_id = r.function_id AND r.begin_time < p.until_time AND p.until_time < r.end_time
     WHERE r.state IN ('settled', 'proven')
     UNION
    SELECT r.function_id, o.from_time
      FROM ranges r
      JOIN off o ON o.function_id = r.function_id AND r.begin_time < o.from_time AND o.from_time < r.end_time
     WHERE r.state IN ('settled', 'proven')
     UNION
    SELECT r.function_id, o.until_time
      FROM ranges r
      JOIN off o ON o.function_id = r.function_id AND r.begin_time < o.until_time AND o.until_time < r.end_time
     WHERE r.state IN ('settled', 'proven')
), pieces AS (
    SELECT function_id, edge AS begin_time, lead(edge) OVER (PARTITION BY function_id ORDER BY edge) AS next_edge
      FROM edges
), cut AS (
    SELECT r.function_id,
           p.begin_time,
           min(r.end_time, coalesce(p.next_edge, r.end_time)) AS end_time,
           r.state,
           r.proof,
           r.begin_time = p.begin_time AND r.end_time <= coalesce(p.next_edge, r.end_time) AS is_whole,
           r.reported_count,
           r.distinct_count,
           r.pages,
           r.walked_at,
           r.reason
      FROM ranges r
      JOIN pieces p ON p.function_id = r.function_id AND r.begin_time <= p.begin_time AND p.begin_time < r.end_time
)
SELECT f.name AS function_name,
       f.urn AS function_urn,
       c.function_id,
       c.begin_time,
       c.end_time,
       c.state,
       c.proof,
       CASE WHEN c.is_whole THEN c.reported_count END AS reported_count,
       CASE WHEN c.is_whole THEN c.distinct_count END AS distinct_count,
       c.pages,
       c.walked_at,
       CASE
           WHEN c.state NOT IN ('settled', 'proven') THEN c.state
           WHEN EXISTS (SELECT 1
                          FROM pruned_days p
                         WHERE p.function_id = c.function_id
                           AND p.begin_time < c.end_time
                           AND p.end_time > c.begin_time) THEN 'pruned'
           WHEN c.is_whole AND c.distinct_count > 0 THEN 'records'
           WHEN NOT c.is_whole
            AND EXISTS (SELECT 1
                          FROM invocations i
                         WHERE i.function_id = c.function_id
                           AND i.start_time >= c.begin_time
                           AND i.start_time < c.end_time) THEN 'records'
           WHEN NOT c.is_whole
            AND EXISTS (SELECT 1
                          FROM shared_records s
                         WHERE s.function_id = c.function_id
                           AND s.start_time >= c.begin_time
                           AND s.start_time < c.end_time) THEN 'records'
           WHEN EXISTS (SELECT 1
                          FROM absences a
                         WHERE a.function_id = c.function_id
                           AND a.from_time <= c.begin_time
                           AND c.end_time <= a.until_time) THEN 'not there'
           WHEN EXISTS (SELECT 1
                          FROM recording o
                         WHERE o.function_id = c.function_id
                           AND o.enabled = 0
                           AND o.from_time <= c.begin_time
                           AND c.end_time <= o.until_time) THEN 'switched off'
           ELSE 'empty'
       END AS answer,
       c.reason
  FROM cut c
  JOIN functions f ON f.id = c.function_id;

-- What is not proven, and why: `unproven`, `lost`, or `not walked`.
CREATE VIEW gaps AS
SELECT function_id, function_name, function_urn, begin_time, end_time, state, reason
  FROM coverage
 WHERE state NOT IN ('settled', 'proven');
