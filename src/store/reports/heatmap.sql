-- At which hours of the week records start, or fail: a row an hour and a column a weekday.
--
-- The records of all weeks are added up: a range of whole weeks (`--since 28d`) gives each weekday
-- the same number of days. Hours and weekdays are those of --tz. Failed is FAIL and DISCARD; the
-- share that failed is of the records that ended (SUCCESS, FAIL, DISCARD), in per cent, and empty
-- where none did.
-- chart heat: label=hour
-- param of=records (records|failed|failed_percent): what a cell tells
WITH counted AS (
    -- By day and hour first, so that the weekday is computed for each hour and not for each count.
    SELECT substr(local_time(start_time), 1, 13) AS day_and_hour,
           sum(records) AS records,
           coalesce(sum(records) FILTER (WHERE status IN ('FAIL', 'DISCARD')), 0) AS failed,
           coalesce(sum(records) FILTER (WHERE status IN ('SUCCESS', 'FAIL', 'DISCARD')), 0) AS ended
      FROM chosen_counts
     WHERE local_time(start_time) IS NOT NULL
     GROUP BY 1
), placed AS (
    SELECT CAST(substr(day_and_hour, 12, 2) AS INTEGER) AS hour,
           CAST(strftime('%w', substr(day_and_hour, 1, 10)) AS INTEGER) AS weekday,
           records,
           failed,
           ended
      FROM counted
), cells AS (
    SELECT hour,
           weekday,
           CASE :of
               WHEN 'records' THEN sum(records)
               WHEN 'failed' THEN sum(failed)
               ELSE round(100.0 * sum(failed) / nullif(sum(ended), 0), 2)
           END AS told
      FROM placed
     GROUP BY hour, weekday
), hours AS (
    SELECT value AS hour
      FROM json_each('[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23]')
     WHERE EXISTS (SELECT 1 FROM cells)
), blank AS (
    SELECT iif(:of = 'failed_percent', NULL, 0) AS told
)
SELECT printf('%02d:00', h.hour) AS hour,
       coalesce(max(c.told) FILTER (WHERE c.weekday = 1), n.told) AS mon,
       coalesce(max(c.told) FILTER (WHERE c.weekday = 2), n.told) AS tue,
       coalesce(max(c.told) FILTER (WHERE c.weekday = 3), n.told) AS wed,
       coalesce(max(c.told) FILTER (WHERE c.weekday = 4), n.told) AS thu,
       coalesce(max(c.told) FILTER (WHERE c.weekday = 5), n.told) AS fri,
       coalesce(max(c.told) FILTER (WHERE c.weekday = 6), n.told) AS sat,
       coalesce(max(c.told) FILTER (WHERE c.weekday = 0), n.told) AS sun
  FROM hours h
  JOIN blank n
  LEFT JOIN cells c ON c.hour = h.hour
 GROUP BY h.hour
 ORDER BY h.hour;
