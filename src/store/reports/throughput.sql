-- Records started in each hour or day, by status.
--
-- An hour or day without a record has no row: the report `coverage` tells whether it was walked.
-- param bucket=hour (hour|day): the length of time a row stands for, in UTC
WITH chosen AS (
    SELECT function_id, status, start_time
      FROM invocations
     WHERE start_time IS NOT NULL AND :since IS NULL AND :until IS NULL
     UNION ALL
    SELECT function_id, status, start_time
      FROM invocations
     WHERE start_time >= coalesce(:since, '')
       AND start_time < coalesce(:until, '~')
       AND NOT (:since IS NULL AND :until IS NULL)
)
SELECT iif(:bucket = 'day', substr(start_time, 1, 10), substr(start_time, 1, 13) || ':00:00Z') AS bucket,
       count(*) AS records,
       count(*) FILTER (WHERE status = 'SUCCESS') AS success,
       count(*) FILTER (WHERE status = 'FAIL') AS fail,
       count(*) FILTER (WHERE status = 'DISCARD') AS discard,
       count(*) FILTER (WHERE status = 'RUNNING') AS running,
       count(*) FILTER (WHERE status = 'WAIT') AS wait,
       count(*) FILTER (WHERE status NOT IN ('SUCCESS', 'FAIL', 'DISCARD', 'RUNNING', 'WAIT')) AS other
  FROM chosen
 WHERE :function IS NULL
    OR function_id IN (SELECT f.id
                         FROM functions f
                        WHERE :function IN (f.name, f.package || ':' || f.name, f.full_name, f.urn))
 GROUP BY 1
 ORDER BY 1;
