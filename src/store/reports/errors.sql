-- What went wrong, by shape: failed records whose messages differ by an id or a number count as one.
--
-- `shape` is the first line of the message, in which masks such as `<id>`, `<time>` and `<number>`
-- stand for what differs; `fold(text)` makes it, in statements of your own too. Numbers after words
-- such as `status`, `code` and `errno` stay. `example` is one of the records. The report `failures`
-- shows whole messages.
-- param limit=50 (int 1..): how many shapes
-- param status=FAIL (FAIL|DISCARD): the status that counts as failed
SELECT error_code AS code,
       count(*) AS records,
       count(DISTINCT function_id) AS functions,
       min(start_time) AS first,
       max(start_time) AS last,
       min(request_id) AS example,
       fold(error_message) AS shape
  FROM chosen_records
 WHERE status = :status
 GROUP BY shape, error_code
 ORDER BY records DESC, error_code, shape
 LIMIT :limit;
