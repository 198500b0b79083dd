-- Records of each function by status, the share that failed, and the first and last of them.
--
-- The share is of the records that ended (SUCCESS, FAIL, DISCARD), in per cent; discarded ones count as failed.
-- Records without a start time are counted when neither --since nor --until is given.
WITH counted AS (
    SELECT function_id,
           count(*) AS records,
           count(*) FILTER (WHERE status = 'SUCCESS') AS success,
           count(*) FILTER (WHERE status = 'FAIL') AS fail,
           count(*) FILTER (WHERE status = 'DISCARD') AS discard,
           count(*) FILTER (WHERE status = 'RUNNING') AS running,
           count(*) FILTER (WHERE status = 'WAIT') AS wait,
           min(start_time) AS first,
           max(start_time) AS last
      FROM chosen_records
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
       first,
       last
  FROM counted
  JOIN functions f ON f.id = counted.function_id
 ORDER BY records DESC, function, f.id;
