-- How long records were in WAIT and in RUNNING, as far as polling could see it, in seconds.
--
-- A stay in a status began after one look and by another, and so it ended: it took at least the
-- time between the inner looks and at most the time between the outer ones. The percentiles are of
-- these two bounds, over the stays whose end was seen; how far they lie apart is how uncertain the
-- answer is, and depends on how often `sync` runs. A status that a record was first seen in began
-- no sooner than the record's start; without one the upper bound is empty. `still` counts the stays
-- that have not ended. A record that had ended when it was first seen tells nothing and is not in
-- it. --since and --until choose records by their start.
-- param status= (|WAIT|RUNNING): only stays in this status
WITH watched AS (
    SELECT request_id FROM status_changes WHERE accepted = 1
     UNION
    SELECT request_id FROM open_records
), steps AS (
    SELECT i.request_id,
           i.function_id,
           i.start_time,
           0 AS place,
           coalesce((SELECT c.from_status
                       FROM status_changes c
                      WHERE c.request_id = i.request_id AND c.accepted = 1
                      ORDER BY c.id
                      LIMIT 1), i.status) AS status,
           i.start_time AS after_time,
           r.updated_at AS by_time
      FROM watched w
      JOIN invocations i ON i.request_id = w.request_id
      JOIN runs r ON r.id = i.first_run_id
     UNION ALL
    SELECT c.request_id, i.function_id, i.start_time, c.id, c.to_status, c.after_time, c.by_time
      FROM status_changes c
      JOIN invocations i ON i.request_id = c.request_id
     WHERE c.accepted = 1
), stays AS (
    SELECT function_id,
           start_time,
           status,
           after_time,
           by_time,
           lead(after_time) OVER path AS left_after,
           lead(by_time) OVER path AS left_by
      FROM steps
    WINDOW path AS (PARTITION BY request_id ORDER BY place)
), bounded AS (
    SELECT function_id,
           status,
           left_by IS NOT NULL AS has_ended,
           -- A first sighting is noted when its run last committed, which may be after the next look.
           max(0, unixepoch(left_after) - unixepoch(by_time)) AS at_least,
           -- What has no upper bound counts as longer than all else: a percentile leaves out NULL.
           coalesce(max(0, unixepoch(left_by) - unixepoch(after_time)), 1 << 60) AS at_most
      FROM stays
     WHERE status IN ('WAIT', 'RUNNING')
       AND (:status IS NULL OR status = :status)
       AND (:since IS NULL OR start_time >= :since)
       AND (:until IS NULL OR start_time < :until)
       AND ((:since IS NULL AND :until IS NULL) OR is_time(start_time))
)
SELECT f.full_name AS function,
       b.status,
       count(*) FILTER (WHERE has_ended) AS ended,
       count(*) FILTER (WHERE NOT has_ended) AS still,
       percentile_disc(at_least, 0.5) FILTER (WHERE has_ended) AS p50_least_s,
       nullif(percentile_disc(at_most, 0.5) FILTER (WHERE has_ended), 1 << 60) AS p50_most_s,
       percentile_disc(at_least, 0.9) FILTER (WHERE has_ended) AS p90_least_s,
       nullif(percentile_disc(at_most, 0.9) FILTER (WHERE has_ended), 1 << 60) AS p90_most_s
  FROM bounded b
  JOIN chosen_functions f ON f.id = b.function_id
 GROUP BY f.id, b.status
 ORDER BY function, f.id, b.status DESC;
