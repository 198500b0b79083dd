-- The records themselves, the latest first.
--
-- Those without a readable start are in none. The next page begins behind the last record of this
-- one: give its `start_time` as `before` and its `request_id` as `before_id`. `failed` are FAIL and
-- DISCARD; a shape is that of the report `errors`.
-- param which=all (all|failed): all records, or those that failed
-- param status= (status): only records of this status
-- param shape= (text): only failed records whose message has this shape
-- param code= (text): only failed records with this error code
-- param before= (time): only records that began before this time, or then and have a smaller id
-- param before_id= (text): the id that theirs is smaller than
-- param limit=100 (int 1..10000): how many
WITH bounds AS (
    SELECT coalesce(:since, '') AS begin_time,
           min(coalesce(:until, '~'),
               coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', :before, '+1 second'), '~')) AS end_time
), counted AS (
    -- How many there are by hour, but for the last hour, of which a part is asked for.
    SELECT hour, sum(iif(hour < substr(end_time, 1, 13) || ':00:00Z', records, 0)) AS records
      FROM bounds
     CROSS JOIN hourly_counts ON hour >= substr(begin_time, 1, 13) AND hour < end_time AND hour <> ''
      LEFT JOIN error_shapes ON error_shapes.id = shape_id
     WHERE (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
       AND (:status IS NULL OR status = :status)
       AND (:which = 'all' OR status IN ('FAIL', 'DISCARD'))
       AND (:shape IS NULL OR shape = :shape)
       AND (:code IS NULL
            OR (status IN ('FAIL', 'DISCARD') AND CAST(error_code AS TEXT) = :code))
     GROUP BY hour
), hours AS MATERIALIZED (
    -- The latest that hold as many as are asked for.
    SELECT hour
      FROM (SELECT hour, sum(records) OVER (ORDER BY hour DESC) - records AS later FROM counted)
     WHERE later < :limit
), found AS (
    SELECT i.*
      FROM bounds b
     CROSS JOIN hours h
     CROSS JOIN invocations i
        ON i.start_time >= max(h.hour, b.begin_time)
       AND i.start_time < min(substr(h.hour, 1, 13) || '~', b.end_time)
     WHERE (:functions IS NULL OR i.function_id IN (SELECT value FROM json_each(:functions)))
       AND (:status IS NULL OR i.status = :status)
       AND (:which = 'all' OR i.status IN ('FAIL', 'DISCARD'))
       AND (:shape IS NULL
            OR (i.status IN ('FAIL', 'DISCARD') AND fold(i.error_message) = :shape))
       AND (:code IS NULL
            OR (i.status IN ('FAIL', 'DISCARD') AND CAST(i.error_code AS TEXT) = :code))
       AND (:before IS NULL OR i.start_time < :before OR i.request_id < :before_id)
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
