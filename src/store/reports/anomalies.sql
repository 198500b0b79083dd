-- What the service showed and the archive did not believe: records that went back to an earlier status.
--
-- The stored status stands; what was seen is `seen_status`.
SELECT c.by_time AS seen_at,
       c.request_id,
       f.package || ':' || f.name AS function,
       c.from_status AS standing_status,
       c.to_status AS seen_status,
       i.status AS status_now,
       c.run_id
  FROM status_changes c
  LEFT JOIN invocations i ON i.request_id = c.request_id
  LEFT JOIN functions f ON f.id = i.function_id
 WHERE c.accepted = 0
   AND (:since IS NULL OR c.by_time >= :since)
   AND (:until IS NULL OR c.by_time < :until)
   AND (:function IS NULL OR :function IN (f.name, f.package || ':' || f.name, f.urn))
 ORDER BY c.id;
