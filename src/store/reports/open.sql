-- Records that may still change, and since when: WAIT, RUNNING, and failures that a retry may yet turn.
--
-- Those of a function that is gone are not among them: they are given up. `opened_at` is when the
-- archive first saw the record open, `checked_at` when it last asked for it.
-- param status= (status): only records of this status
-- param older=0s (duration): only records that are at least so old
-- param limit= (int 1..): how many; all where it is empty
SELECT o.request_id,
       f.full_name AS function,
       o.status,
       o.start_time,
       o.opened_at,
       o.checked_at,
       unixepoch(:now) - unixepoch(coalesce(o.start_time, o.opened_at)) AS age_s
  FROM chosen_open o
  JOIN functions f ON f.id = o.function_id
 WHERE unixepoch(:now) - unixepoch(coalesce(o.start_time, o.opened_at)) >= :older
   AND (:status IS NULL OR o.status = :status)
 ORDER BY age_s DESC, o.request_id
 LIMIT coalesce(:limit, -1);
