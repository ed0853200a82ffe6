-- name: want
-- Calendars in which nobody waits need no rewriting: what is booked from now on goes by the new rule.
INSERT INTO replans AS r (mailbox_id)
SELECT m.id FROM mailboxes m
WHERE m.id = ANY ($1::text[]) AND EXISTS (SELECT FROM slots s WHERE s.mailbox_id = m.id AND NOT s.used)
ORDER BY m.id
ON CONFLICT (mailbox_id) DO UPDATE SET wanted = r.wanted + 1

-- name: mailboxes_of_schedule
SELECT DISTINCT x.mailbox_id FROM sequences s JOIN sequence_mailboxes x ON x.sequence_id = s.id WHERE s.schedule_id = $1

-- name: wanted
SELECT mailbox_id, wanted FROM replans WHERE wanted > done ORDER BY mailbox_id

-- name: current
SELECT wanted FROM replans WHERE mailbox_id = $1

-- name: finish
UPDATE replans SET done = greatest(done, $2) WHERE mailbox_id = $1

-- name: newest
SELECT coalesce(max(id), 0) FROM slots WHERE mailbox_id = $1

-- name: page
-- Bookings that stand where they stood before, in the order of their times.
SELECT id, enrollment_id FROM slots WHERE mailbox_id = $1 AND NOT used AND id <= $2 ORDER BY at, id LIMIT $3

-- name: booking
-- A booking that is still to be placed, with whether its email was put off by the recipient's server: such a one waits for
-- longer than its due time says.
SELECT s.at, EXISTS (SELECT FROM send_ledger l WHERE l.enrollment_id = s.enrollment_id AND l.step_id = $2
                     AND l.attempt = $3 AND l.state = 'deferred') AS deferred
FROM slots s WHERE s.id = $1 AND NOT s.used

-- name: look
-- As slots.look, but what has yet to be placed anew (booked, with an ID up to $5) is not there.
SELECT d.emails, d.first_touches, n.times, n.jitters
FROM (SELECT count(*) AS emails, count(*) FILTER (WHERE first_touch) AS first_touches
      FROM slots WHERE mailbox_id = $1 AND at >= lower($3::tstzrange) AND at < upper($3::tstzrange)
                   AND (used OR id > $5)) d,
     (SELECT array_agg(at ORDER BY at) AS times, array_agg(jitter ORDER BY at) AS jitters
      FROM slots WHERE mailbox_id = $1 AND at > $2::timestamptz - $4::interval
                   AND at < $2::timestamptz + $6::interval + $4::interval AND (used OR id > $5)) n

-- name: place
-- A new ID: it is not among those that have yet to be placed any more.
UPDATE slots SET id = DEFAULT, at = $2, jitter = coalesce($3, jitter), cause = $4 WHERE id = $1 AND NOT used

-- name: placed
-- What was placed or booked behind $2, with the slot that its enrollment knows of.
SELECT s.id, s.at, s.cause, e.workflow_id, e.state
FROM slots s JOIN enrollments e ON e.id = s.enrollment_id
WHERE s.mailbox_id = $1 AND NOT s.used AND s.id > $2 ORDER BY s.id LIMIT $3
