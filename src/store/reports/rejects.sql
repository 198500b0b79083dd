-- What the service sent that could not be read as a record, or as a function of the project, and why.
--
-- An entry of the list of functions is of no function. Nothing of it is lost: `raw` in the table `rejects` is what came. --since and --until choose by when it was first seen.
-- param limit= (int 1..): how many; all where it is empty
SELECT r.seen_at, f.full_name AS function, r.reason, substr(r.raw, 1, 200) AS raw_begins, r.run_id
  FROM rejects r
  LEFT JOIN functions f ON f.id = r.function_id
 WHERE (:since IS NULL OR r.seen_at >= :since)
   AND (:until IS NULL OR r.seen_at < :until)
   AND (:functions IS NULL OR f.id IN (SELECT value FROM json_each(:functions)))
 ORDER BY r.id
 LIMIT coalesce(:limit, -1);
