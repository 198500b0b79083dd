-- How much a settle delay catches: the share of records that the service had shown within it.
--
-- A late record counts from its start until it was seen, which depends on how often `sync` runs; any other was shown to the
-- first walk of its time, and counts as shown at once. Records that were a day old when a run first saw them tell nothing
-- and are not counted, unless they were late. The row with a note is the least delay that would have caught 99.9 %.
WITH late AS (
    SELECT l.request_id, unixepoch(l.seen_at) - unixepoch(l.start_time) AS seconds
      FROM late_records l
      JOIN chosen_functions f ON f.id = l.function_id
     WHERE (:since IS NULL OR l.start_time >= :since)
       AND (:until IS NULL OR l.start_time < :until)
), day_before AS MATERIALIZED (
    SELECT id AS run_id, strftime('%Y-%m-%dT%H:%M:%SZ', unixepoch(updated_at) - 86400, 'unixepoch') AS time
      FROM runs
), young AS (
    -- All that a run first saw before they were a day old, by the index alone; late ones are among them.
    SELECT count(*) AS records
      FROM invocations i
     CROSS JOIN day_before b ON b.run_id = i.first_run_id
     WHERE i.start_time >= coalesce(:since, '')
       AND i.start_time < coalesce(:until, '~')
       AND i.start_time > b.time
       AND (:functions IS NULL OR i.function_id IN (SELECT value FROM json_each(:functions)))
), late_and_young AS (
    SELECT count(*) AS records
      FROM late l
      JOIN invocations i ON i.request_id = l.request_id
      JOIN day_before b ON b.run_id = i.first_run_id
     WHERE i.start_time > b.time
), total AS (
    SELECT young.records - late_and_young.records + (SELECT count(*) FROM late) AS records
      FROM young, late_and_young
), needed AS (
    SELECT coalesce((SELECT seconds FROM late ORDER BY seconds DESC
                      LIMIT 1 OFFSET (SELECT records / 1000 FROM total)), 0) AS seconds
), delays AS (
    SELECT column1 AS seconds FROM (VALUES (0), (60), (300), (900), (1800), (3600), (7200), (21600), (86400), (604800))
     UNION
    SELECT seconds FROM needed
), missed AS (
    SELECT delays.seconds, count(late.seconds) AS records
      FROM delays
      LEFT JOIN late ON late.seconds > delays.seconds
     GROUP BY delays.seconds
)
SELECT missed.seconds AS settle_delay_s,
       total.records - missed.records AS caught,
       missed.records AS missed,
       round(100.0 * (total.records - missed.records) / total.records, 3) AS caught_pct,
       CASE WHEN missed.seconds = needed.seconds THEN 'catches 99.9 %' END AS note
  FROM missed, total, needed
 WHERE total.records > 0
 ORDER BY missed.seconds;
