-- What went wrong, by shape: failed records whose messages differ by an id or a number count as one.
--
-- `shape` is the first line of the message, in which masks such as `<id>`, `<time>` and `<number>`
-- stand for what differs; `fold(text)` makes it, in statements of your own too. Numbers after words
-- such as `status`, `code` and `errno` stay. `first` and `last` are empty where those records were
-- pruned; `example` is the last that was not. The report `failures` shows whole messages.
-- param limit=50 (int 1..): how many shapes
-- param status=FAIL (FAIL|DISCARD): the status that counts as failed
WITH counted AS (
    SELECT error_code,
           shape,
           sum(records) AS records,
           count(DISTINCT function_id) AS functions,
           min(nullif(start_time, '')) AS first_hour,
           max(nullif(start_time, '')) AS last_hour,
           max(nullif(start_time, ''))
               FILTER (WHERE NOT EXISTS (SELECT 1
                                           FROM pruned_days p
                                          WHERE p.function_id = h.function_id
                                            AND p.day = substr(start_time, 1, 10)))
               AS last_kept_hour
      FROM chosen_counts h
     WHERE status = :status
     GROUP BY shape, error_code
     ORDER BY records DESC, error_code, shape
     LIMIT :limit
)
SELECT error_code AS code,
       records,
       functions,
       (SELECT min(i.start_time)
          FROM invocations i
         WHERE i.start_time >= c.first_hour
           AND i.start_time < substr(c.first_hour, 1, 13) || ':60'
           AND is_time(i.start_time)
           AND i.status IN ('FAIL', 'DISCARD')
           AND i.status = :status
           AND i.error_code IS c.error_code
           AND fold(i.error_message) IS c.shape
           AND (:functions IS NULL OR i.function_id IN (SELECT value FROM json_each(:functions))))
           AS first,
       (SELECT max(i.start_time)
          FROM invocations i
         WHERE i.start_time >= c.last_hour
           AND i.start_time < min(substr(c.last_hour, 1, 13) || ':60', coalesce(:until, '~'))
           AND is_time(i.start_time)
           AND i.status IN ('FAIL', 'DISCARD')
           AND i.status = :status
           AND i.error_code IS c.error_code
           AND fold(i.error_message) IS c.shape
           AND (:functions IS NULL OR i.function_id IN (SELECT value FROM json_each(:functions))))
           AS last,
       coalesce(
           (SELECT i.request_id
              FROM invocations i
             WHERE i.start_time >= c.last_kept_hour
               AND i.start_time
                   < min(substr(c.last_kept_hour, 1, 13) || ':60', coalesce(:until, '~'))
               AND is_time(i.start_time)
               AND i.status IN ('FAIL', 'DISCARD')
               AND i.status = :status
               AND i.error_code IS c.error_code
               AND fold(i.error_message) IS c.shape
               AND (:functions IS NULL
                    OR i.function_id IN (SELECT value FROM json_each(:functions)))
             ORDER BY i.start_time DESC, i.request_id
             LIMIT 1),
           (SELECT min(i.request_id)
              FROM invocations i
             WHERE c.last_hour IS NULL
               AND i.start_time IS NULL
               AND i.status IN ('FAIL', 'DISCARD')
               AND i.status = :status
               AND i.error_code IS c.error_code
               AND fold(i.error_message) IS c.shape
               AND (:functions IS NULL
                    OR i.function_id IN (SELECT value FROM json_each(:functions))))) AS example,
       shape
  FROM counted c
 ORDER BY records DESC, error_code, shape;
