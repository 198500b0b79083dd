-- What went wrong: the failed records by error code and message, the most frequent first.
--
-- `example` is one of the records, for `fgarchive query transitions --param id=…`.
-- param limit=50 (int 1..): how many kinds of failure
-- param status=FAIL (FAIL|DISCARD): the status that counts as failed
WITH chosen AS (
    SELECT request_id, function_id, status, error_code, error_message, start_time
      FROM invocations
     WHERE :since IS NULL AND :until IS NULL
     UNION ALL
    SELECT request_id, function_id, status, error_code, error_message, start_time
      FROM invocations
     WHERE start_time >= coalesce(:since, '')
       AND start_time < coalesce(:until, '~')
       AND NOT (:since IS NULL AND :until IS NULL)
)
SELECT error_code,
       error_message,
       count(*) AS records,
       count(DISTINCT function_id) AS functions,
       min(start_time) AS first,
       max(start_time) AS last,
       min(request_id) AS example
  FROM chosen
 WHERE status = :status
   AND (:function IS NULL
        OR function_id IN (SELECT f.id
                             FROM functions f
                            WHERE :function IN (f.name, f.package || ':' || f.name, f.full_name, f.urn)))
 GROUP BY error_code, error_message
 ORDER BY records DESC, error_code, error_message
 LIMIT :limit;
