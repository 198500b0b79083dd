-- Records that the service showed only after a proven walk of their time: how late it was.
--
-- A record that started at `start_time` was not shown to a walk at `missed_at` and was at `seen_at`: the service was between
-- `at_least_s` and `at_most_s` seconds late. The report `lateness` sums this up.
-- param limit= (int 1..): how many; all where it is empty
SELECT l.start_time,
       l.request_id,
       f.full_name AS function,
       l.missed_at,
       l.seen_at,
       unixepoch(l.missed_at) - unixepoch(l.start_time) AS at_least_s,
       unixepoch(l.seen_at) - unixepoch(l.start_time) AS at_most_s
  FROM late_records l
  JOIN chosen_functions f ON f.id = l.function_id
 WHERE (:since IS NULL OR l.start_time >= :since)
   AND (:until IS NULL OR l.start_time < :until)
 ORDER BY l.start_time, l.request_id
 LIMIT coalesce(:limit, -1);
