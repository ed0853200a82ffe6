-- name: around
SELECT at, first_touch FROM slots
WHERE mailbox_id = $1 AND at >= $2 AND at < $3 AND (used OR enrollment_id <> $4) ORDER BY at

-- name: used
SELECT at, first_touch FROM slots WHERE mailbox_id = $1 AND at >= $2 AND at <= $3 AND used ORDER BY at

-- name: book
INSERT INTO slots (mailbox_id, enrollment_id, at, first_touch) VALUES ($1, $2, $3, $4)
ON CONFLICT (enrollment_id) WHERE NOT used
DO UPDATE SET mailbox_id = excluded.mailbox_id, at = excluded.at, first_touch = excluded.first_touch

-- name: use
-- The booking becomes what really happened. Without one (it was released and not taken again) a used slot is added.
INSERT INTO slots (mailbox_id, enrollment_id, at, first_touch) VALUES ($1, $2, $3, $4)
ON CONFLICT (enrollment_id) WHERE NOT used
DO UPDATE SET mailbox_id = excluded.mailbox_id, at = excluded.at
RETURNING id

-- name: mark_used
UPDATE slots SET used = true WHERE id = $1

-- name: unuse
-- The email did not leave after all (a refusal before or at the end of DATA): the slot's room is given back.
DELETE FROM slots WHERE id = $1 AND used

-- name: load
SELECT mailbox_id, count(*) AS n FROM slots WHERE mailbox_id = ANY ($1::text[]) AND NOT used GROUP BY mailbox_id
