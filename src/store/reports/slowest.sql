-- The records that took longest from start to end.
--
-- param limit=20 (int 1..): how many
-- param status= (status): only records of this status
WITH least AS (
    -- How long a record took that is one of them, by what is counted already.
    SELECT min(seconds) AS seconds
      FROM (SELECT seconds, sum(sum(records)) OVER (ORDER BY seconds DESC) - sum(records) AS slower
              FROM chosen_durations
             WHERE :status IS NULL OR status = :status
             GROUP BY seconds)
     WHERE slower < :limit
), spans AS MATERIALIZED (
    -- The three hours in which such records started. Those of the edges of the range are among them.
    SELECT DISTINCT d.three_hours AS begin_time,
           strftime('%Y-%m-%dT%H:%M:%SZ', unixepoch(d.three_hours) + 10800, 'unixepoch') AS end_time
      FROM least l
     CROSS JOIN three_hour_durations d
        ON d.longest_s >= l.seconds
       AND d.three_hours > coalesce(
               strftime('%Y-%m-%dT%H:%M:%SZ', unixepoch(:since) - 10800, 'unixepoch'), '')
       AND d.three_hours < coalesce(:until, '~')
     WHERE (:status IS NULL OR d.status = :status)
       AND (:functions IS NULL OR d.function_id IN (SELECT value FROM json_each(:functions)))
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
