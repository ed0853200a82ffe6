-- name: enrollment
SELECT e.sequence_id, e.contact_id, e.mailbox_id, e.started_at, e.ended_at, s.definition -> 'steps' AS steps
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id WHERE e.id = $1

-- name: events
-- The newest $2 lines of a story, newest first.
SELECT kind, by, at, data FROM enrollment_events WHERE enrollment_id = $1 ORDER BY at DESC, id DESC LIMIT $2

-- name: emails
SELECT step_id, attempt, state, mailbox_id, message_id, recipient, subject, tries, due_at, created_at, sending_at, settled_at,
       reply_code, reply_text, settled_by, settled_as, bounced_at, bounce_class
FROM send_ledger WHERE enrollment_id = $1 ORDER BY created_at DESC, attempt DESC LIMIT $2

-- name: mails
SELECT m.id, m.source, m.mailbox_id, m.folder, m.received_at, m.taken_at, m.message_id, m.sender, m.subject, m.size, m.kind,
       m.rule, m.reading, m.matched_by, m.enrollment_id, m.contact_id, m.told, m.needs, m.settled_at, m.settled_by,
       m.correction, e.sequence_id
FROM inbound_messages m JOIN enrollments e ON e.id = m.enrollment_id
WHERE m.enrollment_id = $1 ORDER BY m.received_at DESC, m.id DESC LIMIT $2

-- name: switches
-- What was switched of everything, of the sequence and of its mailboxes, from $3 to $4.
SELECT gate, key, state, epoch, by, at FROM switch_events
WHERE (gate, key) IN (SELECT 'global', '' UNION ALL SELECT 'sequence', $1 UNION ALL SELECT 'mailbox', unnest($2::text[]))
  AND at >= $3 AND at <= $4
ORDER BY at DESC, id DESC LIMIT $5

-- name: others
-- The other enrollments of the contact, newest first.
SELECT e.id, e.sequence_id, s.definition ->> 'name' AS name, e.status, e.reason, e.closed, e.state, e.started_at, e.ended_at,
       s.switched_on AND g.switched_on AS switched_on
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id CROSS JOIN global_switch g
WHERE e.contact_id = $1 AND e.id <> $2 ORDER BY e.started_at DESC, e.id DESC LIMIT $3
