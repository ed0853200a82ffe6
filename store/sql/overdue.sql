-- name: before
SELECT o.id, o.enrollment_id, o.at
FROM slots own JOIN slots o ON o.mailbox_id = own.mailbox_id AND NOT o.used AND (o.at, o.id) < (own.at, own.id)
WHERE own.enrollment_id = $1 AND NOT own.used AND ($2::timestamptz IS NULL OR (o.at, o.id) > ($2, $3::bigint))
ORDER BY o.at, o.id LIMIT $4

-- name: note_cause
UPDATE slots SET cause = $2 WHERE enrollment_id = $1 AND NOT used
