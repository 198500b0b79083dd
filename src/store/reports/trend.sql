-- Records of each function in each hour, day, week or month, and how many of them failed.
--
-- One without a record has no row: the report `coverage` tells whether it was walked. They are those
-- of --tz, as in the report `throughput`, and a week begins on Monday. Failed is FAIL and DISCARD.
-- Records without a readable start are not in it.
-- param bucket=week (hour|day|week|month): the length of time a row stands for
WITH counted AS (
    -- By hour first, so that its local time is computed once and not for each of its counts.
    SELECT function_id,
           start_time,
           local_time(start_time) AS local,
           sum(records) AS records,
           coalesce(sum(records) FILTER (WHERE status IN ('FAIL', 'DISCARD')), 0) AS failed
      FROM chosen_counts
     GROUP BY function_id, start_time
), placed AS (
    SELECT function_id,
           bucket_of(local) AS bucket,
           min(start_time) AS first,
           sum(records) AS records,
           sum(failed) AS failed
      FROM counted
     WHERE local IS NOT NULL
     GROUP BY function_id, 2
)
SELECT f.full_name AS function, bucket, records, failed
  FROM placed p
  JOIN functions f ON f.id = p.function_id
 ORDER BY function, f.id, first;
