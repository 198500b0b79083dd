-- How the archive grows: the records of each month, and the space that their values take.
--
-- A record counts in the month, of --tz, in which it started, and in none where its start is not readable.
-- `value_bytes` is the length of what came from the service, as stored. The file is larger: it holds the
-- indexes, the history and the ledger as well. The columns that begin with `total` add up the
-- months so far, from --since on.
WITH hours AS MATERIALIZED (
    SELECT start_time, sum(records) AS records, sum(value_bytes) AS value_bytes
      FROM chosen_bytes
     WHERE start_time <> ''
     GROUP BY start_time
), months AS (
    SELECT substr(local_time(start_time), 1, 7) AS month,
           sum(records) AS records,
           sum(value_bytes) AS value_bytes
      FROM hours
     GROUP BY month
)
SELECT month,
       records,
       sum(records) OVER (ORDER BY month) AS total_records,
       value_bytes,
       sum(value_bytes) OVER (ORDER BY month) AS total_value_bytes
  FROM months
 ORDER BY month;
