-- One record, with all that is known of it.
--
-- How it came to its status is told by the report `transitions`. `first_seen_at` and `changed_at`
-- are when the runs last wrote that first saw it and last changed it.
-- param id= (id): its request_id
SELECT request_id,
       f.full_name AS function,
       function_urn AS urn,
       status,
       error_code,
       error_message,
       start_time,
       end_time,
       duration_s AS seconds,
       d.first_seen_at,
       changed_at,
       first_run_id,
       changed_run_id,
       given_up_at,
       extra
  FROM invocation_details d
  JOIN chosen_functions f ON f.id = d.function_id
 WHERE request_id = :id;
