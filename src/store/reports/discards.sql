-- Discarded records of each function, the share they are of all, and the hour with most of them.
--
-- `percent` is of the records that ended (SUCCESS, FAIL, DISCARD). `busiest_hour` is the
-- first hour, of --tz, in which most of the discarded records started, and `in_hour` how many.
-- Why they were discarded, as far as the service says so: the report `failures` with
-- `--param status=DISCARD`. Functions without a discarded record have no row.
WITH counted AS (
    SELECT function_id,
           count(*) FILTER (WHERE status IN ('SUCCESS', 'FAIL', 'DISCARD')) AS ended,
           count(*) FILTER (WHERE status = 'DISCARD') AS discarded,
           min(start_time) FILTER (WHERE status = 'DISCARD') AS first,
           max(start_time) FILTER (WHERE status = 'DISCARD') AS last
      FROM chosen_records
     GROUP BY function_id
), hours AS (
    SELECT function_id,
           substr(local_time(start_time), 1, 13) || ':00:00' || substr(local_time(start_time), 20)
               AS hour,
           count(*) AS records,
           row_number() OVER (PARTITION BY function_id ORDER BY count(*) DESC, min(start_time))
               AS place
      FROM chosen_records
     WHERE status = 'DISCARD' AND local_time(start_time) IS NOT NULL
     GROUP BY function_id, 2
)
SELECT f.full_name AS function,
       c.discarded,
       round(100.0 * c.discarded / c.ended, 2) AS percent,
       h.hour AS busiest_hour,
       h.records AS in_hour,
       c.first,
       c.last
  FROM counted c
  JOIN functions f ON f.id = c.function_id
  LEFT JOIN hours h ON h.function_id = c.function_id AND h.place = 1
 WHERE c.discarded > 0
 ORDER BY c.discarded DESC, function, f.id;
