-- The records that took longest from start to end.
--
-- param limit=20 (int 1..): how many
-- param status= (status): only records of this status
WITH slowest AS (
    SELECT *, unixepoch(end_time) - unixepoch(start_time) AS seconds
      FROM chosen_records
     WHERE (:status IS NULL OR status = :status)
       AND unixepoch(end_time) - unixepoch(start_time) IS NOT NULL
     ORDER BY seconds DESC, request_id
     LIMIT :limit
)
SELECT request_id, f.full_name AS function, status, start_time, end_time, seconds, error_message
  FROM slowest
  JOIN functions f ON f.id = slowest.function_id
 ORDER BY seconds DESC, request_id;
