-- name: switch_sequence
UPDATE sequences SET switched_on = $2, epoch = epoch + 1, switched_at = $4, switched_by = $3
WHERE id = $1 AND switched_on <> $2 RETURNING epoch

-- name: switch_global
UPDATE global_switch SET switched_on = $1, epoch = epoch + 1, switched_at = $3, switched_by = $2
WHERE switched_on <> $1 RETURNING epoch

-- name: switch_mailbox
UPDATE mailboxes SET state = $2, state_code = $3, state_at = $4, epoch = epoch + 1, updated_at = now()
WHERE id = $1 AND state <> $2
  -- What the system finds never takes the place of what only a person may open (design section 3).
  AND NOT ($2 IN ('down', 'guardrail') AND state = 'paused') AND NOT ($2 = 'down' AND state = 'guardrail')
RETURNING epoch

-- name: event
INSERT INTO switch_events (gate, key, state, epoch, by, at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: slow_down
UPDATE mailboxes SET not_before = greatest(coalesce(not_before, $2), $2) WHERE id = $1

-- name: gate_sequence
SELECT switched_on AS open, epoch FROM sequences WHERE id = $1

-- name: gate_global
SELECT switched_on AS open, epoch FROM global_switch

-- name: gate_mailbox
SELECT state = 'up' AS open, epoch FROM mailboxes WHERE id = $1

-- name: park
INSERT INTO parked (enrollment_id, gate, key, epoch) VALUES ($1, $2, $3, $4)
ON CONFLICT (enrollment_id, gate) DO UPDATE SET key = excluded.key, epoch = excluded.epoch, at = now()

-- name: page
SELECT p.enrollment_id, e.workflow_id, e.state #>> '{halt,reason}' AS halted FROM parked p JOIN enrollments e ON e.id = p.enrollment_id
WHERE p.gate = $1 AND p.key = $2 AND p.enrollment_id > $3 ORDER BY p.enrollment_id LIMIT $4

-- name: count
SELECT count(*) FROM parked WHERE gate = $1 AND key = $2

-- name: waiting_open
-- Gates that stand open while somebody is still parked at them: a waker was lost or its signal was.
SELECT p.gate, p.key, max(x.epoch) AS epoch FROM parked p JOIN (
    SELECT 'sequence' AS gate, id AS key, epoch FROM sequences WHERE switched_on
    UNION ALL SELECT 'global', '', epoch FROM global_switch WHERE switched_on
    UNION ALL SELECT 'mailbox', id, epoch FROM mailboxes WHERE state = 'up'
    UNION ALL SELECT 'template', id, revision FROM sequences
) x ON x.gate = p.gate AND x.key = p.key
WHERE p.at < now() - $1::interval
  -- The template gate opens when the sequence is applied anew, that is by a revision above the one parked at.
  AND (p.gate <> 'template' OR x.epoch > p.epoch)
GROUP BY p.gate, p.key

-- name: cleared
-- Not Sent enrollments of sequences that retry by themselves, whose facts changed after the step was judged. Only reasons
-- that a change of the contact, the account or the sequence can clear.
SELECT e.id AS enrollment_id, e.workflow_id, e.reason, x.changed_at
FROM sequences s
JOIN enrollments e ON e.sequence_id = s.id AND e.status = 'not_sent' AND NOT e.closed
JOIN contacts c ON c.id = e.contact_id
LEFT JOIN accounts a ON a.id = c.account_id
CROSS JOIN LATERAL (SELECT greatest(c.updated_at, a.updated_at, s.updated_at) AS changed_at) x
WHERE s.definition #>> '{settings,retry_when_cleared}' = 'true' AND e.reason = ANY ($1::text[])
  AND x.changed_at > (e.state #>> '{halt,at}')::timestamptz
LIMIT $2

-- name: down_mailboxes
SELECT m.id, m.definition, m.epoch, m.state_code, m.state_at,
       -- Its replies cannot be read: only its watcher may open it, whatever SMTP says.
       coalesce(w.holds AND m.definition ? 'imap', false) AS unread
FROM mailboxes m LEFT JOIN imap_watches w ON w.mailbox_id = m.id
WHERE m.state = 'down' ORDER BY m.id
