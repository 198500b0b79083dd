-- All functions together, in one row: records by status, the share that failed, and durations.
--
-- The share is of the records that ended (SUCCESS, FAIL, DISCARD), in per cent; discarded ones count
-- as failed. The percentiles are of the successful records, in seconds, and exact. `open` counts the
-- records of the range that may still change, as the report `open` lists them. Records without a
-- readable start are counted when neither --since nor --until is given. An archive without a
-- function has no row.
WITH counted AS (
    SELECT coalesce(sum(records), 0) AS records,
           coalesce(sum(records) FILTER (WHERE status = 'SUCCESS'), 0) AS success,
           coalesce(sum(records) FILTER (WHERE status = 'FAIL'), 0) AS fail,
           coalesce(sum(records) FILTER (WHERE status = 'DISCARD'), 0) AS discard,
           coalesce(sum(records) FILTER (WHERE status = 'RUNNING'), 0) AS running,
           coalesce(sum(records) FILTER (WHERE status = 'WAIT'), 0) AS wait
      FROM chosen_counts
), measured AS (
    SELECT percentile_disc(seconds, 0.5, records) AS p50_s,
           percentile_disc(seconds, 0.9, records) AS p90_s,
           percentile_disc(seconds, 0.99, records) AS p99_s
      FROM chosen_durations
     WHERE status = 'SUCCESS'
), unfinished AS (
    SELECT count(*) AS open FROM chosen_open
)
SELECT records,
       success,
       fail,
       discard,
       running,
       wait,
       records - success - fail - discard - running - wait AS other,
       round(100.0 * (fail + discard) / nullif(success + fail + discard, 0), 2) AS failed_percent,
       p50_s,
       p90_s,
       p99_s,
       open
  FROM counted, measured, unfinished
 WHERE EXISTS (SELECT 1 FROM functions);
