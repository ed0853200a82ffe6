-- name: sequences
-- Without the texts of the steps, which may be long.
SELECT id, definition ->> 'name' AS name, jsonb_array_length(definition -> 'steps') AS steps, schedule_id, revision
FROM sequences ORDER BY lower(definition ->> 'name'), id

-- name: booked
-- Emails that are booked to leave until $3, by sequence and hour from $2 on: an hour number, from 0. $1: one sequence, or all.
-- Whoever stands still has no booking; with the switch off nothing leaves, whatever is booked.
SELECT e.sequence_id, greatest(floor(extract(epoch FROM b.at - $2::timestamptz) / 3600), 0)::integer AS hour, count(*) AS n
FROM slots b JOIN enrollments e ON e.id = b.enrollment_id
WHERE NOT b.used AND b.at < $3 AND ($1::text IS NULL OR e.sequence_id = $1)
GROUP BY 1, 2

-- name: sent_lately
SELECT sequence_id, count(*) FILTER (WHERE sending_at > $2) AS day, count(*) AS week FROM send_ledger
WHERE state = 'sent' AND sending_at > $1 GROUP BY sequence_id

-- name: steps_sent
SELECT step_id, count(*) AS n FROM send_ledger WHERE state = 'sent' AND sequence_id = $1 GROUP BY step_id

-- name: steps_back
-- Emails that came back, or were refused for the address or as spam; what is refused for its content is Not Sent.
SELECT step_id, count(*) AS n FROM send_ledger
WHERE sequence_id = $1 AND (bounced_at IS NOT NULL OR state = 'rejected')
  AND (CASE WHEN bounced_at IS NOT NULL THEN NOT (bounce_class = ANY ($2::text[])) ELSE result ->> 'halt' IS NOT NULL END)
GROUP BY step_id

-- name: steps_ended
-- How enrollments ended by an answer, by the step whose email was the last before it.
SELECT state #>> '{last_sent,step,id}' AS step_id, reason, count(*) AS n FROM enrollments
WHERE sequence_id = $1 AND status = 'finished' AND reason = ANY ($2::text[]) GROUP BY 1, 2

-- name: steps_standing
-- Where those stand who have not ended, from an index alone.
SELECT step_id, status, count(*) AS n FROM enrollments
WHERE sequence_id = $1 AND status IN ('active', 'paused', 'bounced', 'not_sent') GROUP BY 1, 2
