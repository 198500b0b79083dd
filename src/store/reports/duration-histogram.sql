-- How the durations of each function are spread, in ranges that double.
--
-- A row counts the records that took `from_s` seconds or more and less than `below_s`, with their
-- share of the function's, and `within_percent`, the share that took less than `below_s`. A range
-- without a record has no row. A record that ended before it started, as the service tells it, took
-- less than 0 seconds. Of all functions together, `function` is empty. Records without a readable
-- start and end are not in it.
-- chart bars: group=function label=from_s label=below_s value=records note=percent
-- param status=SUCCESS (status): only records of this status; empty for all that ended
-- param of=each (each|all): a histogram of each function, or one of all of them together
WITH RECURSIVE ranges AS (
    SELECT NULL AS from_s, -1 << 62 AS least, 0 AS below_s
     UNION ALL
    SELECT below_s, below_s, max(1, below_s * 2) FROM ranges WHERE below_s < 1 << 40
), seconds AS (
    -- Durations repeat: their ranges are looked up once for each that occurs.
    SELECT iif(:of = 'each', function_id, NULL) AS function_id, seconds, sum(records) AS records
      FROM chosen_durations
     WHERE :status IS NULL OR status = :status
     GROUP BY 1, seconds
), spread AS (
    SELECT function_id, from_s, below_s, sum(records) AS records
      FROM seconds
      JOIN ranges ON seconds >= least AND seconds < below_s
     GROUP BY function_id, below_s
)
SELECT f.full_name AS function,
       from_s,
       below_s,
       records,
       round(100.0 * records / sum(records) OVER (PARTITION BY spread.function_id), 2) AS percent,
       round(100.0 * sum(records) OVER (PARTITION BY spread.function_id ORDER BY below_s)
             / sum(records) OVER (PARTITION BY spread.function_id), 2) AS within_percent
  FROM spread
  LEFT JOIN functions f ON f.id = spread.function_id
 ORDER BY function, spread.function_id, below_s;
