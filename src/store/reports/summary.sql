-- Records of each function by status, the share that failed, and the first and last of them.
--
-- The share is of the records that ended (SUCCESS, FAIL, DISCARD), in per cent; discarded ones count
-- as failed. Records without a readable start are counted when neither --since nor --until is given.
-- `first` and `last` are empty where their records were pruned.
WITH counted AS (
    SELECT function_id,
           sum(records) AS records,
           coalesce(sum(records) FILTER (WHERE status = 'SUCCESS'), 0) AS success,
           coalesce(sum(records) FILTER (WHERE status = 'FAIL'), 0) AS fail,
           coalesce(sum(records) FILTER (WHERE status = 'DISCARD'), 0) AS discard,
           coalesce(sum(records) FILTER (WHERE status = 'RUNNING'), 0) AS running,
           coalesce(sum(records) FILTER (WHERE status = 'WAIT'), 0) AS wait,
           min(nullif(start_time, '')) AS first_hour,
           max(nullif(start_time, '')) AS last_hour
      FROM chosen_counts
     GROUP BY function_id
)
SELECT f.full_name AS function,
       records,
       success,
       fail,
       discard,
       running,
       wait,
       records - success - fail - discard - running - wait AS other,
       round(100.0 * (fail + discard) / nullif(success + fail + discard, 0), 2) AS failed_percent,
       (SELECT min(i.start_time)
          FROM invocations i
         WHERE i.function_id = c.function_id
           AND i.start_time >= c.first_hour
           AND i.start_time < substr(c.first_hour, 1, 13) || ':60') AS first,
       (SELECT max(i.start_time)
          FROM invocations i
         WHERE i.function_id = c.function_id
           AND i.start_time >= c.last_hour
           AND i.start_time < min(substr(c.last_hour, 1, 13) || ':60', coalesce(:until, '~'))) AS last
  FROM counted c
  JOIN functions f ON f.id = c.function_id
 ORDER BY records DESC, function, f.id;
