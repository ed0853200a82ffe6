-- What waits for a person. The conditions (is_...) are those of partial indexes in store/migrations/0008_console.sql; they are
-- put into the statements below them.

-- name: is_delivery_unknown
e.status = 'paused' AND e.reason = 'delivery_unknown' AND NOT e.closed

-- name: is_system_error
e.status = 'paused' AND e.reason = 'system_error' AND NOT e.closed

-- name: is_bounced
e.status = 'bounced' AND NOT e.closed

-- name: is_not_sent
e.status = 'not_sent' AND NOT e.closed AND e.reason NOT IN ('template_error', 'mailbox_missing')

-- name: is_return_date
-- Whoever has been resumed, finished or given a date waits no longer, whether or not somebody settled the mail.
m.needs = 'return_date' AND m.settled_at IS NULL AND (m.enrollment_id IS NULL OR EXISTS (
    SELECT FROM enrollments e WHERE e.id = m.enrollment_id AND NOT e.closed
    AND jsonb_path_exists(e.state, '$.holds[*] ? (@.kind == "out_of_office" && (!exists(@.until) || @.until == null))')))

-- name: is_mail
m.needs <> 'return_date' AND m.settled_at IS NULL

-- name: is_not_taken_up
k.adopted_at IS NULL AND k.recorded_at < now() - interval '{seconds} seconds'

-- name: count
SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {which} LIMIT $1) few

-- name: enrollments
-- $1, $2: behind this event and ID; $3: how many.
SELECT e.id, e.sequence_id, s.definition ->> 'name' AS sequence_name, e.contact_id, c.first_name, c.last_name, c.email,
       a.name AS account_name, e.mailbox_id, e.reason, e.state, e.last_event_at AS at,
       (SELECT l.recipient FROM send_ledger l WHERE l.enrollment_id = e.id ORDER BY l.created_at DESC LIMIT 1) AS recipient
FROM (SELECT * FROM enrollments e WHERE {which} AND (e.last_event_at, e.id) < ($1, $2)
      ORDER BY e.last_event_at DESC, e.id DESC LIMIT $3) e
JOIN sequences s ON s.id = e.sequence_id
JOIN contacts c ON c.id = e.contact_id
LEFT JOIN accounts a ON a.id = c.account_id
ORDER BY e.last_event_at DESC, e.id DESC

-- name: mails
SELECT m.id, m.source, m.mailbox_id, m.folder, m.received_at, m.taken_at, m.message_id, m.sender, m.subject, m.size, m.kind,
       m.rule, m.reading, m.matched_by, m.enrollment_id, m.contact_id, m.told, m.needs, m.settled_at, m.settled_by,
       m.correction, e.sequence_id, s.definition ->> 'name' AS sequence_name, c.first_name, c.last_name, c.email,
       a.name AS account_name
FROM (SELECT * FROM inbound_messages m WHERE {which} AND (m.received_at, m.id) < ($1, $2)
      ORDER BY m.received_at DESC, m.id DESC LIMIT $3) m
LEFT JOIN enrollments e ON e.id = m.enrollment_id
LEFT JOIN sequences s ON s.id = e.sequence_id
LEFT JOIN contacts c ON c.id = m.contact_id
LEFT JOIN accounts a ON a.id = c.account_id
ORDER BY m.received_at DESC, m.id DESC

-- name: mailboxes
SELECT m.id, m.definition ->> 'address' AS address, m.state, m.state_code, m.state_at, w.failing_since, w.code AS unread_code,
       w.detail, greatest(CASE WHEN m.state <> 'up' THEN m.state_at END, w.failing_since) AS at
FROM mailboxes m LEFT JOIN imap_watches w ON w.mailbox_id = m.id AND m.definition ? 'imap'
WHERE m.state <> 'up' OR w.failing_since IS NOT NULL
ORDER BY at DESC, m.id LIMIT $1

-- name: marks
SELECT k.id, k.enrollment_id, k.message, k.by, k.recorded_at AS at, e.sequence_id, s.definition ->> 'name' AS sequence_name,
       e.contact_id, c.first_name, c.last_name, c.email, a.name AS account_name
FROM (SELECT * FROM stop_marks k WHERE {which} AND (k.recorded_at, k.enrollment_id, k.id) < ($1, $2, $4)
      ORDER BY k.recorded_at DESC, k.enrollment_id DESC, k.id DESC LIMIT $3) k
JOIN enrollments e ON e.id = k.enrollment_id
JOIN sequences s ON s.id = e.sequence_id
JOIN contacts c ON c.id = e.contact_id
LEFT JOIN accounts a ON a.id = c.account_id
ORDER BY k.recorded_at DESC, k.enrollment_id DESC, k.id DESC
