-- How long the records of each function took, from start to end, in seconds.
--
-- The percentiles are exact: the smallest duration that this share of the records did not exceed. Records without a
-- readable start and end are not in it. The service tells whole seconds.
-- param status=SUCCESS (status): only records of this status; empty for all that ended
WITH timed AS (
    SELECT function_id, unixepoch(end_time) - unixepoch(start_time) AS seconds
      FROM chosen_records
     WHERE (:status IS NULL OR status = :status)
       AND unixepoch(end_time) - unixepoch(start_time) IS NOT NULL
), measured AS (
    SELECT function_id,
           count(*) AS records,
           min(seconds) AS min_s,
           percentile_disc(seconds, 0.5) AS p50_s,
           percentile_disc(seconds, 0.9) AS p90_s,
           percentile_disc(seconds, 0.99) AS p99_s,
           max(seconds) AS max_s
      FROM timed
     GROUP BY function_id
)
SELECT f.full_name AS function, records, min_s, p50_s, p90_s, p99_s, max_s
  FROM measured
  JOIN functions f ON f.id = measured.function_id
 ORDER BY function, f.id;
