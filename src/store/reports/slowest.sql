-- The records that took longest from start to end.
--
-- param limit=20 (int 1..): how many
WITH chosen AS (
    SELECT *
      FROM invocations
     WHERE :since IS NULL AND :until IS NULL
     UNION ALL
    SELECT *
      FROM invocations
     WHERE start_time >= coalesce(:since, '')
       AND start_time < coalesce(:until, '~')
       AND NOT (:since IS NULL AND :until IS NULL)
), slowest AS (
    SELECT *, unixepoch(end_time) - unixepoch(start_time) AS seconds
      FROM chosen
     WHERE unixepoch(end_time) - unixepoch(start_time) IS NOT NULL
       AND (:function IS NULL
            OR function_id IN (SELECT f.id
                                 FROM functions f
                                WHERE :function IN (f.name, f.package || ':' || f.name, f.full_name, f.urn)))
     ORDER BY seconds DESC, request_id
     LIMIT :limit
)
SELECT request_id, f.full_name AS function, status, start_time, end_time, seconds, error_message
  FROM slowest
  JOIN functions f ON f.id = slowest.function_id
 ORDER BY seconds DESC, request_id;
