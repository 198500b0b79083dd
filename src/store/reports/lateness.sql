-- How late the service shows records, for each function: what a safe --settle-delay would be.
--
-- `missed_max_s` is the longest after its start that a record was certainly not shown yet: a settle delay must be longer.
-- The percentiles are of the time by which late records had been shown, and depend on how often `sync` runs.
SELECT f.full_name AS function,
       count(*) AS late_records,
       max(unixepoch(l.missed_at) - unixepoch(l.start_time)) AS missed_max_s,
       percentile_disc(unixepoch(l.seen_at) - unixepoch(l.start_time), 0.5) AS shown_p50_s,
       percentile_disc(unixepoch(l.seen_at) - unixepoch(l.start_time), 0.9) AS shown_p90_s,
       percentile_disc(unixepoch(l.seen_at) - unixepoch(l.start_time), 0.99) AS shown_p99_s,
       max(unixepoch(l.seen_at) - unixepoch(l.start_time)) AS shown_max_s
  FROM late_records l
  JOIN chosen_functions f ON f.id = l.function_id
 WHERE (:since IS NULL OR l.start_time >= :since)
   AND (:until IS NULL OR l.start_time < :until)
 GROUP BY f.id
 ORDER BY function, f.id;
