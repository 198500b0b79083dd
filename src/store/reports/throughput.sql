-- Records started in each hour, day, week or month, by status.
--
-- One without a record has no row: the report `coverage` tells whether it was walked. They are those
-- of --tz: of two hours of one name, at the end of summer time, each has its row, and its offset. A
-- week begins on Monday. Records without a readable start are not in it.
-- param bucket=hour (hour|day|week|month): the length of time a row stands for
WITH placed AS (
    SELECT status, start_time, local_time(start_time) AS local FROM chosen_records
)
SELECT CASE :bucket
           WHEN 'hour' THEN substr(local, 1, 13) || ':00:00' || substr(local, 20)
           WHEN 'day' THEN substr(local, 1, 10)
           WHEN 'week' THEN date(substr(local, 1, 10), 'weekday 0', '-6 days')
           ELSE substr(local, 1, 7)
       END AS bucket,
       count(*) AS records,
       count(*) FILTER (WHERE status = 'SUCCESS') AS success,
       count(*) FILTER (WHERE status = 'FAIL') AS fail,
       count(*) FILTER (WHERE status = 'DISCARD') AS discard,
       count(*) FILTER (WHERE status = 'RUNNING') AS running,
       count(*) FILTER (WHERE status = 'WAIT') AS wait,
       count(*) FILTER (WHERE status NOT IN ('SUCCESS', 'FAIL', 'DISCARD', 'RUNNING', 'WAIT')) AS other
  FROM placed
 WHERE local IS NOT NULL
 GROUP BY bucket
 ORDER BY min(start_time);
