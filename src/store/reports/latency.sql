-- How long the records of each function took, from start to end, in seconds.
--
-- The percentiles are exact: the smallest duration that this share of the records did not exceed.
-- Records without a readable start and end are not in it. The service tells whole seconds.
-- param status=SUCCESS (status): only records of this status; empty for all that ended
WITH measured AS (
    SELECT function_id,
           sum(records) AS records,
           min(seconds) AS min_s,
           percentile_disc(seconds, 0.5, records) AS p50_s,
           percentile_disc(seconds, 0.9, records) AS p90_s,
           percentile_disc(seconds, 0.99, records) AS p99_s,
           max(seconds) AS max_s
      FROM chosen_durations
     WHERE :status IS NULL OR status = :status
     GROUP BY function_id
)
SELECT f.full_name AS function, records, min_s, p50_s, p90_s, p99_s, max_s
  FROM measured
  JOIN functions f ON f.id = measured.function_id
 ORDER BY function, f.id;
