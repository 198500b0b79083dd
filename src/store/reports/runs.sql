-- The latest runs: when, how they ended, and what they did.
--
-- A run without an outcome is still going on, or was killed; what it committed until `updated_at` stands.
-- param limit=20 (int 1..): how many
SELECT id,
       command,
       started_at,
       updated_at,
       unixepoch(coalesce(ended_at, updated_at)) - unixepoch(started_at) AS seconds,
       outcome,
       exit_code,
       requests,
       retries,
       throttled,
       verify_requests,
       records_seen,
       records_new,
       records_changed,
       records_late,
       records_rejected,
       functions_unreadable
  FROM runs
 WHERE (:since IS NULL OR started_at >= :since)
   AND (:until IS NULL OR started_at < :until)
 ORDER BY id DESC
 LIMIT :limit;
