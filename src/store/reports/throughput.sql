-- Records started in each hour, day, week or month, by status.
--
-- One without a record has no row: the report `coverage` tells whether it was walked. They are those
-- of --tz: of two hours of one name, at the end of summer time, each has its row, and its offset. A
-- week begins on Monday. Records without a readable start are not in it.
-- chart bars: time=bucket value=records part=fail part=discard
-- param bucket=hour (hour|day|week|month): the length of time a row stands for
WITH placed AS (
    SELECT status, start_time, local_time(start_time) AS local, records FROM chosen_counts
)
SELECT bucket_of(local) AS bucket,
       sum(records) AS records,
       coalesce(sum(records) FILTER (WHERE status = 'SUCCESS'), 0) AS success,
       coalesce(sum(records) FILTER (WHERE status = 'FAIL'), 0) AS fail,
       coalesce(sum(records) FILTER (WHERE status = 'DISCARD'), 0) AS discard,
       coalesce(sum(records) FILTER (WHERE status = 'RUNNING'), 0) AS running,
       coalesce(sum(records) FILTER (WHERE status = 'WAIT'), 0) AS wait,
       coalesce(sum(records) FILTER (WHERE status NOT IN
                                     ('SUCCESS', 'FAIL', 'DISCARD', 'RUNNING', 'WAIT')), 0) AS other
  FROM placed
 WHERE local IS NOT NULL
 GROUP BY bucket
 ORDER BY min(start_time);
