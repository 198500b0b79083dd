-- Day by day: the records, how many failed, and whether the day can be believed whole.
--
-- `state` is the worst of the day's ranges of time, over all functions that are asked for: `lost`,
-- `unproven`, `not walked`, `proven`, then `settled`. It is `switched off` where the service said
-- all day that it recorded nothing, and `not there` where it did not know the function all day; it
-- is empty where records were found of a day that no run set out to archive. `proven_percent` is
-- the share of the day's time that is settled or proven, of what was set out to archive. A day
-- without a record is in it, and one without a readable start is in none. Failed is FAIL and DISCARD;
-- `failed_percent` is the share of the records that ended (SUCCESS, FAIL, DISCARD).
-- Days are those of --tz, and have 23 or 25 hours where clocks change.
-- chart calendar: day=day records=records failed_percent=failed_percent state=state
WITH RECURSIVE counted AS (
    SELECT substr(local_time(start_time), 1, 10) AS day,
           sum(records) AS records,
           coalesce(sum(records) FILTER (WHERE status IN ('FAIL', 'DISCARD')), 0) AS failed,
           coalesce(sum(records) FILTER (WHERE status IN ('SUCCESS', 'FAIL', 'DISCARD')), 0) AS ended
      FROM chosen_counts
     WHERE local_time(start_time) IS NOT NULL
     GROUP BY 1
), ranges AS MATERIALIZED (
    SELECT max(c.begin_time, coalesce(:since, '')) AS begin_time,
           min(c.end_time, coalesce(:until, '~')) AS end_time,
           c.state IN ('settled', 'proven') AS is_proven,
           CASE
               WHEN c.state = 'lost' THEN 7
               WHEN c.state = 'unproven' THEN 6
               WHEN c.state = 'not walked' THEN 5
               WHEN c.answer = 'switched off' THEN 2
               WHEN c.answer = 'not there' THEN 1
               WHEN c.state = 'proven' THEN 4
               ELSE 3
           END AS place
      FROM coverage c
      JOIN chosen_functions f ON f.id = c.function_id
     WHERE (:since IS NULL OR c.end_time > :since)
       AND (:until IS NULL OR c.begin_time < :until)
), days AS (
    SELECT substr(local_time(min(begin_time)), 1, 10) AS day, max(end_time) AS last_end
      FROM ranges
    HAVING count(*) > 0
     UNION ALL
    SELECT date(day, '+1 day'), last_end
      FROM days
     WHERE day_begin(date(day, '+1 day')) < last_end
), bounds AS MATERIALIZED (
    SELECT day, day_begin(day) AS begin_time, day_begin(date(day, '+1 day')) AS end_time FROM days
), pieces AS (
    SELECT d.day,
           r.is_proven,
           r.place,
           unixepoch(min(r.end_time, d.end_time)) - unixepoch(max(r.begin_time, d.begin_time))
               AS seconds
      FROM bounds d
      JOIN ranges r ON r.begin_time < d.end_time AND r.end_time > d.begin_time
), told AS (
    SELECT day,
           0 AS records,
           0 AS failed,
           0 AS ended,
           place,
           seconds,
           seconds * is_proven AS proven
      FROM pieces
     UNION ALL
    SELECT day, records, failed, ended, NULL, NULL, NULL FROM counted
)
SELECT day,
       sum(records) AS records,
       sum(failed) AS failed,
       CASE max(place)
           WHEN 7 THEN 'lost'
           WHEN 6 THEN 'unproven'
           WHEN 5 THEN 'not walked'
           WHEN 4 THEN 'proven'
           WHEN 3 THEN 'settled'
           WHEN 2 THEN 'switched off'
           WHEN 1 THEN 'not there'
       END AS state,
       round(100.0 * sum(proven) / sum(seconds), 2) AS proven_percent,
       round(100.0 * sum(failed) / nullif(sum(ended), 0), 2) AS failed_percent
  FROM told
 GROUP BY day
 ORDER BY day;
