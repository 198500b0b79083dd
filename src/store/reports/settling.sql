-- How much a settle delay catches: the share of records that the service had shown within it.
--
-- A late record counts from its start until it was seen, which depends on how often `sync` runs; any other was shown to the
-- first walk of its time, and counts as shown at once. Records that were a day old when the run began that first saw them tell
-- nothing and are not counted, unless they were late. The row with a note is the least delay that would have caught 99.9 %.
WITH late AS (
    SELECT l.request_id, unixepoch(l.seen_at) - unixepoch(l.start_time) AS seconds
      FROM late_records l
      JOIN chosen_functions f ON f.id = l.function_id
     WHERE (:since IS NULL OR l.start_time >= :since)
       AND (:until IS NULL OR l.start_time < :until)
       -- What was late of a pruned day is no longer known.
       AND NOT EXISTS (SELECT 1 FROM pruned_days p WHERE p.function_id = f.id AND p.day = substr(l.start_time, 1, 10))
), whole AS MATERIALIZED (
    -- The first whole hour of the range, and the one in which it ends.
    SELECT coalesce(strftime('%Y-%m-%dT%H:00:00Z', unixepoch(:since) + 3599, 'unixepoch'), '') AS begin_hour,
           coalesce(substr(:until, 1, 13) || ':00:00Z', '~') AS end_hour
), edges AS (
    SELECT rowid AS record
      FROM invocations
     WHERE start_time >= coalesce(:since, '')
       AND start_time < (SELECT min(begin_hour, coalesce(:until, '~')) FROM whole)
       AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
     UNION ALL
    SELECT rowid
      FROM invocations
     WHERE start_time >= (SELECT max(begin_hour, end_hour) FROM whole)
       AND start_time < coalesce(:until, '~')
       AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
), young AS (
    -- All that were less than a day old then: of whole hours from the summary, at the edges of the range record by record.
    -- Late ones are among them.
    SELECT (SELECT coalesce(sum(young_records), 0)
              FROM hourly_counts h
             WHERE hour >= (SELECT begin_hour FROM whole)
               AND hour < (SELECT end_hour FROM whole)
               AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
               AND NOT EXISTS (SELECT 1 FROM pruned_days p WHERE p.function_id = h.function_id AND p.day = substr(hour, 1, 10)))
         + (SELECT count(*)
              FROM invocations i
              JOIN runs r ON r.id = i.first_run_id
             WHERE i.rowid IN (SELECT record FROM edges)
               AND is_time(i.start_time)
               AND NOT EXISTS (SELECT 1
                                 FROM pruned_days p
                                WHERE p.function_id = i.function_id AND p.day = substr(i.start_time, 1, 10))
               AND i.start_time > r.young_after) AS records
), late_and_young AS (
    SELECT count(*) AS records
      FROM late l
      JOIN invocations i ON i.request_id = l.request_id
      JOIN runs r ON r.id = i.first_run_id
     WHERE is_time(i.start_time)
       AND i.start_time > r.young_after
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
