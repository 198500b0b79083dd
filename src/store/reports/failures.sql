-- What went wrong: the failed records by error code and message, the most frequent first.
--
-- Of errors that are as frequent, those of which the last record is younger come first. `example` is
-- that record, for `fgarchive query transitions --param id=…`. The report `errors` counts messages
-- that differ by an id or a number as one.
-- param limit=50 (int 1..): how many kinds of failure
-- param status=FAIL (FAIL|DISCARD): the status that counts as failed
WITH failed AS NOT MATERIALIZED (
    SELECT error_hash, function_id, start_time
      FROM invocations
     WHERE status IN ('FAIL', 'DISCARD')
       AND start_time >= coalesce(:since, '')
       AND start_time < coalesce(:until, '~')
       AND ((:since IS NULL AND :until IS NULL) OR is_time(start_time))
       AND coalesce(nullif(status, 'FAIL'), 'FAIL') = :status
       AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
     UNION ALL
    SELECT error_hash, function_id, start_time
      FROM invocations
     WHERE status IN ('FAIL', 'DISCARD')
       AND start_time IS NULL
       AND :since IS NULL
       AND :until IS NULL
       AND coalesce(nullif(status, 'FAIL'), 'FAIL') = :status
       AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
), counted AS MATERIALIZED (
    -- By the index alone. Of a kind only what its place depends on: there may be as many kinds as failures.
    SELECT error_hash, count(*) AS records, max(start_time) AS last
      FROM failed
     GROUP BY error_hash
     ORDER BY records DESC, last DESC, error_hash
     LIMIT :limit
), more AS MATERIALIZED (
    SELECT error_hash, count(DISTINCT function_id) AS functions, min(start_time) AS first
      FROM failed
     WHERE error_hash IN (SELECT error_hash FROM counted)
     GROUP BY error_hash
), told AS MATERIALIZED (
    SELECT c.*,
           (SELECT min(i.request_id)
              FROM invocations i
             WHERE i.status IN ('FAIL', 'DISCARD')
               AND i.start_time IS c.last
               AND coalesce(nullif(i.status, 'FAIL'), 'FAIL') = :status
               AND i.error_hash = c.error_hash
               AND (:functions IS NULL OR i.function_id IN (SELECT value FROM json_each(:functions))))
               AS example
      FROM counted c
)
SELECT i.error_code,
       i.error_message,
       t.records,
       m.functions,
       m.first,
       t.last,
       t.example
  FROM told t
  JOIN more m ON m.error_hash = t.error_hash
  JOIN invocations i ON i.request_id = t.example
 ORDER BY t.records DESC, t.last DESC, t.error_hash;
