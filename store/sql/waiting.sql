-- name: emails
-- The emails of a mailbox from $2 to $3, those that left and those that are booked, but for the booking of $4 itself.
SELECT at, first_touch, jitter, used FROM slots
WHERE mailbox_id = $1 AND at >= $2 AND at < $3 AND (used OR enrollment_id <> $4)
ORDER BY at

-- name: touches
-- Other emails to the contact since $3, as `slots.touches` has them, with their sequences.
SELECT coalesce(slot_at, sending_at) AS at, sequence_id, true AS left FROM send_ledger
WHERE contact_id = $1 AND coalesce(slot_at, sending_at) > $3 AND state IN ('sending', 'sent', 'unknown')
UNION ALL
SELECT s.at, e.sequence_id, false FROM enrollments e JOIN slots s ON s.enrollment_id = e.id AND NOT s.used
WHERE e.contact_id = $1 AND e.id <> $2 AND s.at > $3
ORDER BY at

-- name: closed_gates
-- The gates of a sequence and a mailbox that are closed now, by whom and why.
SELECT 'global' AS gate, '' AS key, switched_at AS at, switched_by AS by, 'off' AS state, NULL AS code
FROM global_switch WHERE NOT switched_on
UNION ALL
SELECT 'sequence', id, switched_at, switched_by, 'off', NULL FROM sequences WHERE id = $1 AND NOT switched_on
UNION ALL
SELECT 'mailbox', id, state_at, NULL, state, state_code FROM mailboxes WHERE id = $2 AND state <> 'up'
