-- What went wrong: the failed records by error code and message, the most frequent first.
--
-- `example` is one of the records, for `fgarchive query transitions --param id=…`.
-- param limit=50 (int 1..): how many kinds of failure
-- param status=FAIL (FAIL|DISCARD): the status that counts as failed
WITH failed AS (
    SELECT error_code, error_message, function_id, start_time, request_id
      FROM invocations
     WHERE rowid IN (SELECT rowid
                       FROM invocations
                      WHERE status IN ('FAIL', 'DISCARD')
                        AND start_time >= coalesce(:since, '')
                        AND start_time < coalesce(:until, '~'))
       AND status = :status
       AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
     UNION ALL
    SELECT error_code, error_message, function_id, start_time, request_id
      FROM invocations
     WHERE status IN ('FAIL', 'DISCARD')
       AND start_time IS NULL
       AND :since IS NULL
       AND :until IS NULL
       AND status = :status
       AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
)
SELECT error_code,
       error_message,
       count(*) AS records,
       count(DISTINCT function_id) AS functions,
       min(start_time) AS first,
       max(start_time) AS last,
       min(request_id) AS example
  FROM failed
 GROUP BY error_code, error_message
 ORDER BY records DESC, error_code, error_message
 LIMIT :limit;
