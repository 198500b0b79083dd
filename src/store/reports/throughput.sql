-- Records started in each hour or day, by status.
--
-- An hour or day without a record has no row: the report `coverage` tells whether it was walked.
-- param bucket=hour (hour|day): the length of time a row stands for, in UTC
SELECT iif(:bucket = 'day', substr(start_time, 1, 10), substr(start_time, 1, 13) || ':00:00Z') AS bucket,
       count(*) AS records,
       count(*) FILTER (WHERE status = 'SUCCESS') AS success,
       count(*) FILTER (WHERE status = 'FAIL') AS fail,
       count(*) FILTER (WHERE status = 'DISCARD') AS discard,
       count(*) FILTER (WHERE status = 'RUNNING') AS running,
       count(*) FILTER (WHERE status = 'WAIT') AS wait,
       count(*) FILTER (WHERE status NOT IN ('SUCCESS', 'FAIL', 'DISCARD', 'RUNNING', 'WAIT')) AS other
  FROM chosen_records
 WHERE start_time IS NOT NULL
 GROUP BY 1
 ORDER BY 1;
