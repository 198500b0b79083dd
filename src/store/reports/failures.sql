-- What went wrong: the failed records by error code and message, the most frequent first.
--
-- `example` is one of the records, for `fgarchive query transitions --param id=…`.
-- param limit=50 (int 1..): how many kinds of failure
-- param status=FAIL (FAIL|DISCARD): the status that counts as failed
SELECT error_code,
       error_message,
       count(*) AS records,
       count(DISTINCT function_id) AS functions,
       min(start_time) AS first,
       max(start_time) AS last,
       min(request_id) AS example
  FROM chosen_records
 WHERE status = :status
 GROUP BY error_code, error_message
 ORDER BY records DESC, error_code, error_message
 LIMIT :limit;
