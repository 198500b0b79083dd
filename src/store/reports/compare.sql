-- This period against the one before it, function by function: what got worse stands first.
--
-- The period ends at --until, or now, and begins at --since, or a `length` before its end. The
-- other one is as long and ends where this one begins, unless `against` names its begin. Columns
-- that begin with `was_` are of the other period. First come the functions whose share of failed
-- records rose most, then those whose successful records take longer than before. The share is of
-- the records that ended (SUCCESS, FAIL, DISCARD), in per cent; `p90_s` is what nine of ten
-- successful records did not exceed.
-- param length=7d (duration 1s..): how long a period is, where --since is not given
-- param against= (time): when the other period began; the one right before where it is empty
WITH ends AS (
    SELECT unixepoch(coalesce(:until, :now)) AS end_s,
           coalesce(unixepoch(:since), unixepoch(coalesce(:until, :now)) - :length) AS begin_s
), periods AS (
    SELECT 0 AS is_before,
           strftime('%Y-%m-%dT%H:%M:%SZ', begin_s, 'unixepoch') AS begin_time,
           strftime('%Y-%m-%dT%H:%M:%SZ', end_s, 'unixepoch') AS end_time
      FROM ends
     UNION ALL
    SELECT 1,
           coalesce(:against, strftime('%Y-%m-%dT%H:%M:%SZ', 2 * begin_s - end_s, 'unixepoch')),
           strftime('%Y-%m-%dT%H:%M:%SZ',
                    coalesce(unixepoch(:against) + end_s - begin_s, begin_s),
                    'unixepoch')
      FROM ends
), bounds AS MATERIALIZED (
    SELECT is_before,
           begin_time,
           end_time,
           strftime('%Y-%m-%dT%H:00:00Z', unixepoch(begin_time) + 3599, 'unixepoch') AS first_hour,
           substr(end_time, 1, 13) || ':00:00Z' AS end_hour,
           strftime('%Y-%m-%dT', unixepoch(begin_time) + 10799, 'unixepoch')
               || printf('%02d:00:00Z',
                         strftime('%H', unixepoch(begin_time) + 10799, 'unixepoch') / 3 * 3)
               AS first_span,
           substr(end_time, 1, 11)
               || printf('%02d:00:00Z', substr(end_time, 12, 2) / 3 * 3) AS end_span
      FROM periods
), counts AS (
    -- Whole hours and spans of three are counted already. The edges are read from the index alone.
    SELECT h.function_id, b.is_before, h.status, h.records
      FROM bounds b
     CROSS JOIN hourly_counts h ON h.hour >= b.first_hour AND h.hour < b.end_hour
     WHERE (:functions IS NULL OR h.function_id IN (SELECT value FROM json_each(:functions)))
     UNION ALL
    SELECT i.function_id, b.is_before, i.status, 1
      FROM bounds b
     CROSS JOIN record_times i
        ON i.start_time >= b.begin_time AND i.start_time < min(b.first_hour, b.end_time)
     WHERE is_time(i.start_time)
       AND (:functions IS NULL OR i.function_id IN (SELECT value FROM json_each(:functions)))
     UNION ALL
    SELECT i.function_id, b.is_before, i.status, 1
      FROM bounds b
     CROSS JOIN record_times i
        ON i.start_time >= max(b.first_hour, b.end_hour) AND i.start_time < b.end_time
     WHERE is_time(i.start_time)
       AND (:functions IS NULL OR i.function_id IN (SELECT value FROM json_each(:functions)))
), durations AS (
    -- A `+` keeps SQLite from making an index of the summary for this one question.
    SELECT function_id, is_before, CAST(key AS INTEGER) AS seconds, value AS records
      FROM (SELECT d.function_id, b.is_before, sum_durations(d.durations) AS durations
              FROM bounds b
             CROSS JOIN three_hour_durations d
                ON d.three_hours >= b.first_span AND d.three_hours < b.end_span
             WHERE +d.status = 'SUCCESS'
               AND (:functions IS NULL
                    OR d.function_id IN (SELECT value FROM json_each(:functions)))
             GROUP BY d.function_id, b.is_before),
           json_each(durations)
     UNION ALL
    SELECT i.function_id, b.is_before, i.duration_s, 1
      FROM bounds b
     CROSS JOIN record_times i
        ON i.start_time >= b.begin_time AND i.start_time < min(b.first_span, b.end_time)
     WHERE i.status = 'SUCCESS'
       AND i.duration_s IS NOT NULL
       AND (:functions IS NULL OR i.function_id IN (SELECT value FROM json_each(:functions)))
     UNION ALL
    SELECT i.function_id, b.is_before, i.duration_s, 1
      FROM bounds b
     CROSS JOIN record_times i
        ON i.start_time >= max(b.first_span, b.end_span) AND i.start_time < b.end_time
     WHERE i.status = 'SUCCESS'
       AND i.duration_s IS NOT NULL
       AND (:functions IS NULL OR i.function_id IN (SELECT value FROM json_each(:functions)))
), measured AS (
    SELECT function_id,
           is_before,
           sum(records) AS records,
           round(100.0 * coalesce(sum(records) FILTER (WHERE status IN ('FAIL', 'DISCARD')), 0)
                 / sum(records) FILTER (WHERE status IN ('SUCCESS', 'FAIL', 'DISCARD')),
                 2) AS failed_pct,
           NULL AS p90_s
      FROM counts
     GROUP BY function_id, is_before
     UNION ALL
    SELECT function_id, is_before, NULL, NULL, percentile_disc(seconds, 0.9, records)
      FROM durations
     GROUP BY function_id, is_before
), compared AS (
    SELECT function_id,
           sum(records) FILTER (WHERE NOT is_before) AS records,
           sum(records) FILTER (WHERE is_before) AS was_records,
           max(failed_pct) FILTER (WHERE NOT is_before) AS failed_pct,
           max(failed_pct) FILTER (WHERE is_before) AS was_failed_pct,
           max(p90_s) FILTER (WHERE NOT is_before) AS p90_s,
           max(p90_s) FILTER (WHERE is_before) AS was_p90_s
      FROM measured
     GROUP BY function_id
)
SELECT f.full_name AS function,
       coalesce(records, 0) AS records,
       coalesce(was_records, 0) AS was_records,
       failed_pct,
       was_failed_pct,
       p90_s,
       was_p90_s
  FROM compared c
  JOIN functions f ON f.id = c.function_id
 ORDER BY coalesce(failed_pct, 0) - coalesce(was_failed_pct, 0) DESC,
          1.0 * p90_s / max(was_p90_s, 1) DESC,
          function,
          f.id;
