-- How the archive grows: the records of each month, and the space that their values take.
--
-- A record counts in the month, of --tz, in which it started, and in none where its start is not readable.
-- `value_bytes` is the length of a record's values as stored. The file is larger: it holds the
-- indexes, the history and the ledger as well. The columns that begin with `total` add up the
-- months so far, from --since on.
WITH months AS (
    SELECT substr(local_time(start_time), 1, 7) AS month,
           count(*) AS records,
           sum(octet_length(request_id)
               + octet_length(status)
               + coalesce(octet_length(error_code), 0)
               + coalesce(octet_length(error_message), 0)
               + octet_length(start_time)
               + coalesce(octet_length(end_time), 0)
               + coalesce(octet_length(given_up_at), 0)
               + coalesce(octet_length(extra), 0)) AS value_bytes
      FROM chosen_records
     WHERE local_time(start_time) IS NOT NULL
     GROUP BY 1
)
SELECT month,
       records,
       sum(records) OVER (ORDER BY month) AS total_records,
       value_bytes,
       sum(value_bytes) OVER (ORDER BY month) AS total_value_bytes
  FROM months
 ORDER BY month;
