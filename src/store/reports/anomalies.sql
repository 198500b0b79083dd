-- What the service showed and the archive did not believe: steps back, and known values shown as nothing.
--
-- What is archived stands; what was seen is `seen`, empty where that was nothing. Of a status both are told by name as well.
-- param limit= (int 1..): how many; all where it is empty
WITH disbelieved AS (
    SELECT by_time AS seen_at, request_id, 'status' AS field, from_status AS standing, to_status AS seen,
           from_status AS standing_status, to_status AS seen_status, run_id, id AS place
      FROM status_changes
     WHERE accepted = 0
     UNION ALL
    SELECT seen_at, request_id, field, stood, shown, NULL, NULL, run_id, id
      FROM amendments
     WHERE accepted = 0
)
SELECT d.seen_at,
       d.request_id,
       f.full_name AS function,
       d.standing_status,
       d.seen_status,
       i.status AS status_now,
       d.field,
       d.standing,
       d.seen,
       d.run_id
  FROM disbelieved d
  LEFT JOIN invocations i ON i.request_id = d.request_id
  LEFT JOIN functions f ON f.id = i.function_id
 WHERE (:since IS NULL OR d.seen_at >= :since)
   AND (:until IS NULL OR d.seen_at < :until)
   AND (:functions IS NULL OR f.id IN (SELECT value FROM json_each(:functions)))
 ORDER BY d.seen_at, d.request_id, d.field, d.place
 LIMIT coalesce(:limit, -1);
