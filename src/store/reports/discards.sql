-- Discarded records of each function, the share they are of all, and the hour with most of them.
--
-- `percent` is of the records that ended (SUCCESS, FAIL, DISCARD). `busiest_hour` is the
-- first hour, of --tz, in which most of the discarded records started, and `in_hour` how many.
-- Why they were discarded, as far as the service says so: the report `failures` with
-- `--param status=DISCARD`. Functions without a discarded record have no row.
WITH counted AS (
    SELECT function_id,
           sum(records) FILTER (WHERE status IN ('SUCCESS', 'FAIL', 'DISCARD')) AS ended,
           sum(records) FILTER (WHERE status = 'DISCARD') AS discarded,
           min(nullif(start_time, '')) FILTER (WHERE status = 'DISCARD') AS first_hour,
           max(nullif(start_time, '')) FILTER (WHERE status = 'DISCARD') AS last_hour
      FROM chosen_counts
     GROUP BY function_id
), hours AS (
    SELECT function_id,
           substr(local_time(start_time), 1, 13) || ':00:00' || substr(local_time(start_time), 20)
               AS hour,
           sum(records) AS records,
           row_number() OVER (PARTITION BY function_id ORDER BY sum(records) DESC, min(start_time))
               AS place
      FROM chosen_counts
     WHERE status = 'DISCARD' AND local_time(start_time) IS NOT NULL
     GROUP BY function_id, 2
)
SELECT f.full_name AS function,
       c.discarded,
       round(100.0 * c.discarded / c.ended, 2) AS percent,
       busiest.hour AS busiest_hour,
       busiest.records AS in_hour,
       (SELECT min(i.start_time)
          FROM invocations i
         WHERE i.function_id = c.function_id
           AND i.status IN ('FAIL', 'DISCARD')
           AND i.status = 'DISCARD'
           AND i.start_time >= c.first_hour
           AND i.start_time < substr(c.first_hour, 1, 13) || ':60'
           AND is_time(i.start_time)) AS first,
       (SELECT max(i.start_time)
          FROM invocations i
         WHERE i.function_id = c.function_id
           AND i.status IN ('FAIL', 'DISCARD')
           AND i.status = 'DISCARD'
           AND i.start_time >= c.last_hour
           AND i.start_time < min(substr(c.last_hour, 1, 13) || ':60', coalesce(:until, '~'))
           AND is_time(i.start_time)) AS last
  FROM counted c
  JOIN functions f ON f.id = c.function_id
  LEFT JOIN hours busiest ON busiest.function_id = c.function_id AND busiest.place = 1
 WHERE c.discarded > 0
 ORDER BY c.discarded DESC, function, f.id;
