-- The records that took longest from start to end.
--
-- param limit=20 (int 1..): how many
-- param status= (status): only records of this status
WITH touched AS MATERIALIZED (
    -- The three hours that the range touches, by function and status: found by the key alone, since
    -- the texts are long. Whether all that is counted of them is in the range, and not pruned.
    SELECT rowid AS place,
           three_hours,
           three_hours >= coalesce(:since, '')
               AND unixepoch(three_hours) + 10800 <= coalesce(unixepoch(:until), 1 << 60)
               AND NOT EXISTS (SELECT 1
                                 FROM pruned_days p
                                WHERE p.function_id = d.function_id
                                  AND p.day = substr(three_hours, 1, 10)) AS is_there
      FROM three_hour_durations d
     WHERE three_hours > coalesce(
               strftime('%Y-%m-%dT%H:%M:%SZ', unixepoch(:since) - 10800, 'unixepoch'), '')
       AND three_hours < coalesce(:until, '~')
       AND (:status IS NULL OR status = :status)
       AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
), least AS MATERIALIZED (
    -- As many as are asked for took so long or longer; the edges of the range may have more of them.
    SELECT coalesce(max(seconds), -1 << 60) AS seconds
      FROM (SELECT CAST(key AS INTEGER) AS seconds,
                   sum(sum(value)) OVER (ORDER BY CAST(key AS INTEGER) DESC) AS as_slow
              FROM (SELECT sum_durations(durations) AS durations
                      FROM touched
                     CROSS JOIN three_hour_durations d ON d.rowid = place
                     WHERE is_there
                     GROUP BY function_id, status),
                   json_each(durations)
             GROUP BY 1)
     WHERE as_slow >= :limit
), spans AS MATERIALIZED (
    -- The three hours in which such records started.
    SELECT DISTINCT touched.three_hours AS begin_time,
           strftime('%Y-%m-%dT%H:%M:%SZ', unixepoch(touched.three_hours) + 10800, 'unixepoch')
               AS end_time
      FROM touched
     CROSS JOIN three_hour_durations d ON d.rowid = place
     WHERE d.longest_s >= (SELECT seconds FROM least)
), slowest AS (
    SELECT i.*, unixepoch(i.end_time) - unixepoch(i.start_time) AS seconds
      FROM spans
     CROSS JOIN invocations i
        ON i.rowid IN (SELECT e.record
                         FROM record_times e
                        WHERE e.start_time >= max(spans.begin_time, coalesce(:since, ''))
                          AND e.start_time < min(spans.end_time, coalesce(:until, '~'))
                          AND e.duration_s >= (SELECT seconds FROM least)
                          AND (:status IS NULL OR e.status = :status)
                          AND (:functions IS NULL
                               OR e.function_id IN (SELECT value FROM json_each(:functions))))
     ORDER BY seconds DESC, request_id
     LIMIT :limit
)
SELECT request_id, f.full_name AS function, status, start_time, end_time, seconds, error_message
  FROM slowest
  JOIN functions f ON f.id = slowest.function_id
 ORDER BY seconds DESC, request_id;
