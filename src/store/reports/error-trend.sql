-- The most frequent shapes of errors in each hour, day, week or month: what came, went or grew.
--
-- The shapes are those of the report `errors`, in its order, and hours, days and weeks those of the
-- report `throughput`. One without such a record has no row. Records without a readable start are
-- not in it.
-- param bucket=week (hour|day|week|month): the length of time a row stands for
-- param limit=20 (int 1..): how many shapes
-- param status=FAIL (FAIL|DISCARD): the status that counts as failed
WITH counted AS MATERIALIZED (
    SELECT error_code, shape, start_time, sum(records) AS records
      FROM chosen_counts
     WHERE status = :status
     GROUP BY error_code, shape, start_time
), shapes AS (
    SELECT error_code, shape, sum(records) AS records
      FROM counted
     GROUP BY shape, error_code
     ORDER BY records DESC, error_code, shape
     LIMIT :limit
), placed AS (
    SELECT s.records AS of_shape,
           c.error_code,
           c.shape,
           c.start_time,
           local_time(c.start_time) AS local,
           c.records
      FROM shapes s
      JOIN counted c ON c.error_code IS s.error_code AND c.shape IS s.shape
)
SELECT error_code AS code,
       bucket_of(local) AS bucket,
       sum(records) AS records,
       shape
  FROM placed
 WHERE local IS NOT NULL
 GROUP BY error_code, shape, bucket
 ORDER BY of_shape DESC, error_code, shape, min(start_time);
