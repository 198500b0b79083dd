-- How the archive grows: the records of each month, and the space that their values take.
--
-- A record counts in the month, of --tz, in which it started, and in none where its start is not readable.
-- `value_bytes` is the length of what came from the service, as stored. The file is larger: it holds the
-- indexes, the history and the ledger as well. The columns that begin with `total` add up the
-- months so far, from --since on.
WITH days AS MATERIALIZED (
    -- Whole days are summed up already, unless one belongs to two months of the zone.
    SELECT DISTINCT day,
           substr(local_time(day || 'T00:00:00Z'), 1, 7) AS month,
           substr(local_time(day || 'T23:59:59Z'), 1, 7) AS last_month
      FROM digests
     WHERE day <> ''
       AND day >= coalesce(date(unixepoch(:since) + 86399, 'unixepoch'), '')
       AND day < coalesce(substr(:until, 1, 10), '~')
), bounds AS MATERIALIZED (
    SELECT day || 'T00:00:00Z' AS begin_time, day || 'T24' AS end_time
      FROM days
     WHERE month <> last_month
     UNION ALL
    SELECT :since, min(date(unixepoch(:since) + 86399, 'unixepoch'), coalesce(:until, '~'))
     WHERE :since IS NOT NULL
     UNION ALL
    SELECT max(coalesce(date(unixepoch(:since) + 86399, 'unixepoch'), ''), substr(:until, 1, 10)),
           :until
     WHERE :until IS NOT NULL
), parts AS (
    SELECT w.month, g.records, g.value_bytes
      FROM days w
      JOIN digests g ON g.day = w.day
     WHERE w.month = w.last_month
       AND (:functions IS NULL OR g.function_id IN (SELECT value FROM json_each(:functions)))
     UNION ALL
    SELECT substr(local_time(i.start_time), 1, 7),
           1,
           octet_length(i.request_id)
               + octet_length(i.status)
               + coalesce(octet_length(i.error_code), 0)
               + coalesce(octet_length(i.error_message), 0)
               + octet_length(i.start_time)
               + coalesce(octet_length(i.end_time), 0)
               + coalesce(octet_length(i.extra), 0)
      FROM bounds b
     CROSS JOIN invocations i
        ON i.rowid IN (SELECT e.rowid
                         FROM invocations e
                        WHERE e.start_time >= b.begin_time AND e.start_time < b.end_time)
     WHERE is_time(i.start_time)
       AND (:functions IS NULL OR i.function_id IN (SELECT value FROM json_each(:functions)))
), months AS (
    SELECT month, sum(records) AS records, sum(value_bytes) AS value_bytes FROM parts GROUP BY month
)
SELECT month,
       records,
       sum(records) OVER (ORDER BY month) AS total_records,
       value_bytes,
       sum(value_bytes) OVER (ORDER BY month) AS total_value_bytes
  FROM months
 ORDER BY month;
