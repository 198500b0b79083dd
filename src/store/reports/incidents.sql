-- Hours in which far more records failed than usual, function by function, the newest first.
--
-- Usual is the median of the failed shares of the days before (UTC); where that is 0, what failed
-- of all their records, with one failure more. An hour stands out where at least `least` records
-- failed, the share is `factor` times the usual one or more, and so many failures come by chance
-- with a probability of at most `level`, although failures come in bunches (`rho`, 0 for none).
-- Hours less than two hours apart are one incident, with what lies between. An incident is `going
-- on` if it ended less than two hours before now, else `over`. A row in the state `not enough
-- records` tells that nothing can be said of most hours of a function: even if all of their records
-- had failed they would not stand out, since they are too few, or too few days are known. Failed is
-- FAIL and DISCARD, shares are of the records that ended (SUCCESS, FAIL, DISCARD), in per cent, and
-- `top_error` is the most frequent shape of the failures. --since and --until choose by whole hours.
-- param days=28 (int 1..366): how many days before each day tell what is usual
-- param least=3 (int 1..): the fewest failures in an hour that stands out
-- param factor=2 (int 1..): how many times the usual share it is at least
-- param level=0.001 (share): how likely it is by chance at most
-- param rho=0.02 (share ..0.9): how much failures come in bunches
WITH counted AS MATERIALIZED (
    SELECT function_id,
           hour,
           sum(records) AS records,
           coalesce(sum(records) FILTER (WHERE status IN ('SUCCESS', 'FAIL', 'DISCARD')), 0) AS ended,
           coalesce(sum(records) FILTER (WHERE status IN ('FAIL', 'DISCARD')), 0) AS failed
      FROM hourly_counts
     WHERE hour >= coalesce(date(:since, '-' || :days || ' days'), '0')
       AND hour < coalesce(:until, '~')
       AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
     GROUP BY function_id, hour
), days AS (
    SELECT function_id, substr(hour, 1, 10) AS day, sum(ended) AS ended, sum(failed) AS failed
      FROM counted
     GROUP BY function_id, substr(hour, 1, 10)
), known AS (
    SELECT function_id,
           day,
           median(1.0 * failed / nullif(ended, 0)) OVER before AS middle,
           coalesce(sum(ended) OVER before, 0) AS ended,
           coalesce(sum(failed) OVER before, 0) AS failed
      FROM days
    WINDOW before AS (PARTITION BY function_id
                      ORDER BY unixepoch(day) / 86400
                      RANGE BETWEEN :days PRECEDING AND 1 PRECEDING)
), usual AS MATERIALIZED (
    SELECT function_id,
           day,
           coalesce(nullif(middle, 0), (failed + 1.0) / (ended + 1)) AS share
      FROM known
), judged AS MATERIALIZED (
    SELECT c.function_id,
           c.hour,
           unixepoch(c.hour) / 3600 AS place,
           c.records,
           c.ended,
           c.failed,
           u.share AS usual,
           c.failed >= :least
               AND 1.0 * c.failed / c.ended >= :factor * u.share
               AND beta_binomial_tail(c.failed, c.ended, u.share, :rho) <= :level AS stands_out,
           c.ended >= :least
               AND 1 >= :factor * u.share
               AND beta_binomial_tail(c.ended, c.ended, u.share, :rho) <= :level AS can_stand_out
      FROM counted c
      JOIN usual u ON u.function_id = c.function_id AND u.day = substr(c.hour, 1, 10)
     WHERE c.hour >= coalesce(substr(:since, 1, 13), '')
), parted AS (
    SELECT *, place - lag(place) OVER hours > 2 AS is_apart
      FROM judged
     WHERE stands_out
    WINDOW hours AS (PARTITION BY function_id ORDER BY place)
), numbered AS (
    SELECT *, sum(coalesce(is_apart, 0)) OVER (PARTITION BY function_id ORDER BY place) AS number
      FROM parted
), spans AS MATERIALIZED (
    SELECT function_id, min(hour) AS first_hour, max(hour) AS last_hour, 1 AS stands_out
      FROM numbered
     GROUP BY function_id, number
     UNION ALL
    SELECT function_id, min(hour), max(hour), 0
      FROM judged
     GROUP BY function_id
    HAVING 2 * sum(can_stand_out) < count(*)
), told AS (
    SELECT s.function_id,
           s.first_hour,
           s.last_hour,
           s.stands_out,
           sum(j.records) AS records,
           sum(j.ended) AS ended,
           sum(j.failed) AS failed,
           -- What was usual on its first day: SQLite takes it from the row of the least hour.
           min(j.hour) AS begin_time,
           j.usual
      FROM spans s
      JOIN judged j
        ON j.function_id = s.function_id AND j.hour BETWEEN s.first_hour AND s.last_hour
     GROUP BY s.function_id, s.stands_out, s.first_hour
)
SELECT f.full_name AS function,
       t.begin_time AS begin,
       strftime('%Y-%m-%dT%H:%M:%SZ', unixepoch(t.last_hour) + 3600, 'unixepoch') AS end,
       t.records,
       t.failed,
       round(100.0 * t.failed / nullif(t.ended, 0), 2) AS failed_pct,
       CASE WHEN t.stands_out THEN round(100 * t.usual, 2) END AS usual_pct,
       CASE
           WHEN NOT t.stands_out THEN 'not enough records'
           WHEN unixepoch(:now) - unixepoch(t.last_hour) < 3 * 3600 THEN 'going on'
           ELSE 'over'
       END AS state,
       (SELECT coalesce(e.shape, e.error_code)
          FROM hourly_counts h
          JOIN error_shapes e ON e.id = h.shape_id
         WHERE t.stands_out
           AND h.hour BETWEEN t.first_hour AND t.last_hour
           AND h.function_id = t.function_id
           AND h.status IN ('FAIL', 'DISCARD')
         GROUP BY e.id
         ORDER BY sum(h.records) DESC, e.shape, e.error_code
         LIMIT 1) AS top_error
  FROM told t
  JOIN functions f ON f.id = t.function_id
 ORDER BY t.stands_out DESC, t.begin_time DESC, function, f.id;
