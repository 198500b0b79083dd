-- How records came to their status: one record's whole path, or every change that was watched.
--
-- Polling sees a change between two looks: it happened after `after_time` and by `by_time`. The first row of a record's
-- path is its first sighting. A change with `accepted` 0 was seen and not believed: see the report `anomalies`.
-- Without an id, --since and --until choose by `by_time`, and first sightings are left out.
-- param id= (text): a record's request_id
-- param limit= (int 1..): how many; all where it is empty
WITH steps AS (
    SELECT 0 AS place, t.*
      FROM transitions t
     WHERE t.request_id = :id AND t.from_status IS NULL
     UNION ALL
    SELECT id, request_id, from_status, to_status, after_time, by_time, by_time, accepted, run_id
      FROM status_changes
     WHERE request_id = :id
     UNION ALL
    SELECT id, request_id, from_status, to_status, after_time, by_time, by_time, accepted, run_id
      FROM status_changes
     WHERE :id IS NULL
)
SELECT c.request_id,
       f.full_name AS function,
       c.from_status,
       c.to_status,
       c.after_time,
       c.by_time,
       c.accepted,
       c.run_id
  FROM steps c
  JOIN invocations i ON i.request_id = c.request_id
  JOIN chosen_functions f ON f.id = i.function_id
 WHERE (:since IS NULL OR c.by_time >= :since)
   AND (:until IS NULL OR c.by_time < :until)
 ORDER BY c.place
 LIMIT coalesce(:limit, -1);
