-- The records themselves, the latest first.
--
-- Those without a readable start are in none, unless they are `open` and no range is asked for. The
-- next page begins behind the last record of this one: give its `start_time` as `before` and its
-- `request_id` as `before_id`. `failed` are FAIL and DISCARD, `open` those of the report `open`; a
-- shape is that of the report `errors`. How long a record took is from its start to its end, and
-- hours and weekdays are those of --tz, as in `duration-histogram` and `heatmap`.
-- param which=all (all|failed|open): all records, those that failed, or those that may still change
-- param status= (status): only records of this status
-- param shape= (text): only failed records whose message has this shape
-- param code= (text): only failed records with this error code
-- param took_from= (duration): only records that took so long or longer
-- param took_below= (duration): only records that took less
-- param weekday= (|mon|tue|wed|thu|fri|sat|sun): only records that started on this day of the week
-- param hour= (int 0..23): only records that started in this hour of the day
-- param before= (time): only records that began before this time, or then and have a smaller id
-- param before_id= (text): the id that theirs is smaller than
-- param limit=100 (int 1..10000): how many
WITH bounds AS (
    SELECT coalesce(:since, '') AS begin_time,
           min(coalesce(:until, '~'),
               coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', :before, '+1 second'), '~')) AS end_time,
           -- Whether the summary by hour tells how many records of an hour are asked for.
           :which <> 'open'
               AND :took_from IS NULL
               AND :took_below IS NULL
               AND (coalesce(:weekday, :hour) IS NULL OR has_whole_hours()) AS is_counted
), counted AS MATERIALIZED (
    -- How many there are at least by hour: nothing is said of the last hour, of which a part is asked
    -- for, and of pruned days, of which the summary still counts what is gone. Or, where the summary
    -- does not tell all that is asked for, in which hours an error occurs.
    SELECT hour,
           sum(iif(hour < substr(end_time, 1, 13) || ':00:00Z'
                       AND NOT EXISTS (SELECT 1
                                         FROM pruned_days p
                                        WHERE p.function_id = h.function_id
                                          AND p.day = substr(h.hour, 1, 10)),
                   records,
                   0)) AS records
      FROM bounds
     CROSS JOIN hourly_counts h
        ON h.hour >= substr(begin_time, 1, 13) AND h.hour < end_time AND h.hour <> ''
      LEFT JOIN error_shapes ON error_shapes.id = shape_id
     WHERE (is_counted OR coalesce(:shape, :code) IS NOT NULL)
       AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
       AND (:status IS NULL OR status = :status)
       AND (:which <> 'failed' OR status IN ('FAIL', 'DISCARD'))
       AND (:shape IS NULL OR shape = :shape)
       AND (:code IS NULL
            OR (status IN ('FAIL', 'DISCARD') AND CAST(error_code AS TEXT) = :code))
       AND (:hour IS NULL
            OR NOT is_counted
            OR CAST(substr(local_time(h.hour), 12, 2) AS INTEGER) = :hour)
       AND (:weekday IS NULL
            OR NOT is_counted
            OR substr('sunmontuewedthufrisat',
                      1 + 3 * strftime('%w', substr(local_time(h.hour), 1, 10)), 3) = :weekday)
     GROUP BY h.hour
), of_error AS MATERIALIZED (
    -- The hours in which an error occurs that is searched record by record.
    SELECT substr(hour, 1, 13) AS hour FROM counted WHERE NOT (SELECT is_counted FROM bounds)
), uncounted AS MATERIALIZED (
    -- The range that is searched record by record: nothing where the summary tells, or open
    -- records are asked for. As bounds of the index, since a condition that is always false would
    -- be asked of each of its entries.
    SELECT max(begin_time, coalesce((SELECT min(hour) FROM of_error), '')) AS begin_time,
           CASE WHEN is_counted OR :which = 'open' THEN ''
                WHEN coalesce(:shape, :code) IS NULL THEN end_time
                ELSE min(end_time, coalesce((SELECT max(hour) || '~' FROM of_error), ''))
           END AS end_time
      FROM bounds
), matching AS NOT MATERIALIZED (
    -- All that the index by start tells of a record.
    SELECT record, start_time
      FROM record_times
     WHERE (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
       AND (:status IS NULL OR status = :status)
       AND ((:which <> 'failed' AND coalesce(:shape, :code) IS NULL)
            OR status IN ('FAIL', 'DISCARD'))
       AND (:took_from IS NULL OR duration_s >= :took_from)
       AND (:took_below IS NULL OR duration_s < :took_below)
       -- What the zone tells takes longest, and is asked last.
       AND CASE WHEN coalesce(:hour, :weekday) IS NULL THEN 1
                WHEN :took_from > duration_s OR :took_below <= duration_s THEN 0
                WHEN CAST(substr(local_time(start_time), 12, 2) AS INTEGER) <> :hour THEN 0
                ELSE :weekday IS NULL
                     OR substr('sunmontuewedthufrisat',
                               1 + 3 * strftime('%w', substr(local_time(start_time), 1, 10)), 3)
                        = :weekday
           END
), hours AS MATERIALIZED (
    -- The latest that hold as many as are asked for.
    SELECT hour
      FROM (SELECT hour, sum(records) OVER (ORDER BY hour DESC) - records AS later FROM counted)
     WHERE later < :limit AND (SELECT is_counted FROM bounds)
), least AS MATERIALIZED (
    -- Where they are not counted, when the last began of as many as are asked for. Of an error the
    -- index tells nothing; the summary tells its hours.
    SELECT coalesce(min(start_time), :before, '~') AS start_time
      FROM (SELECT start_time
              FROM matching
             WHERE start_time >= (SELECT begin_time FROM uncounted)
               AND start_time < (SELECT min(end_time, coalesce(:before, '~')) FROM uncounted)
               AND (coalesce(:shape, :code) IS NULL
                    OR (substr(start_time, 1, 13) IN (SELECT hour FROM of_error)
                        AND EXISTS (SELECT 1
                                      FROM invocations i
                                     WHERE i.rowid = record
                                       AND (:shape IS NULL OR fold(i.error_message) = :shape)
                                       AND (:code IS NULL
                                            OR CAST(i.error_code AS TEXT) = :code))))
               AND is_time(start_time)
             ORDER BY start_time DESC
             LIMIT :limit)
), candidates AS (
    SELECT m.record
      FROM bounds b
     CROSS JOIN hours h
     CROSS JOIN matching m
        ON m.start_time >= max(h.hour, b.begin_time)
       AND m.start_time < min(substr(h.hour, 1, 13) || '~', b.end_time)
       AND is_time(m.start_time)
     UNION ALL
    SELECT record
      FROM matching
     WHERE start_time >= (SELECT max(begin_time, least.start_time) FROM uncounted, least)
       AND start_time < (SELECT end_time FROM uncounted)
       AND (coalesce(:shape, :code) IS NULL
            OR substr(start_time, 1, 13) IN (SELECT hour FROM of_error))
       AND is_time(start_time)
     UNION ALL
    SELECT m.record
      FROM chosen_open o
     CROSS JOIN matching m ON m.record = o.record
     WHERE :which = 'open'
), found AS (
    SELECT i.*
      FROM candidates c
     CROSS JOIN invocations i ON i.rowid = c.record
     WHERE (:shape IS NULL
            OR (i.status IN ('FAIL', 'DISCARD') AND fold(i.error_message) = :shape))
       AND (:code IS NULL
            OR (i.status IN ('FAIL', 'DISCARD') AND CAST(i.error_code AS TEXT) = :code))
       AND (:before IS NULL
            OR coalesce(i.start_time, '') < :before
            OR (i.start_time = :before AND i.request_id < :before_id))
     ORDER BY i.start_time DESC, i.request_id DESC
     LIMIT :limit
)
SELECT request_id,
       f.full_name AS function,
       status,
       start_time,
       end_time,
       unixepoch(end_time) - unixepoch(start_time) AS seconds,
       error_code,
       error_message
  FROM found
  JOIN functions f ON f.id = found.function_id
 ORDER BY start_time DESC, request_id DESC;
