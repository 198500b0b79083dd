-- What is proven and what is not: the ledger of each function, with the ranges that no walk has reached.
--
-- `settled` and `proven` ranges are complete; `unproven`, `lost` and `not walked` ones are not. The range from the last walk
-- until now is not in the ledger yet. `answer` is what is to be said of the range: `records`, `empty`, `switched off` where the
-- service said that it recorded nothing, `not there` where it did not know the function, `pruned` where the records were removed
-- on purpose, or why the range is not complete, and `reason` why it could not be proven. --since and --until choose the ranges
-- that touch that time.
-- param state= (|settled|proven|unproven|lost|not walked|gaps): only ranges of this state, or all that are not complete
-- param limit= (int 1..): how many; all where it is empty
SELECT f.full_name AS function,
       c.begin_time,
       c.end_time,
       unixepoch(c.end_time) - unixepoch(c.begin_time) AS seconds,
       c.state,
       c.answer,
       c.proof,
       c.reported_count,
       c.distinct_count,
       c.pages,
       c.walked_at,
       c.reason
  FROM coverage c
  JOIN chosen_functions f ON f.id = c.function_id
 WHERE (:since IS NULL OR c.end_time > :since)
   AND (:until IS NULL OR c.begin_time < :until)
   AND (:state IS NULL OR c.state = :state OR (:state = 'gaps' AND c.state NOT IN ('settled', 'proven')))
 ORDER BY function, f.id, c.begin_time
 LIMIT coalesce(:limit, -1);
