-- name: ours
-- The emails of ours with these Message-IDs.
SELECT l.message_id, l.enrollment_id, l.step_id, l.attempt, l.state, l.recipient, l.message, e.state AS enrollment
FROM send_ledger l JOIN enrollments e ON e.id = l.enrollment_id
WHERE l.message_id = ANY ($1::text[])

-- name: last_sent
-- The emails that an enrollment sent last: what their answers may quote.
SELECT message_id, message FROM send_ledger
WHERE enrollment_id = $1 AND sending_at IS NOT NULL ORDER BY sending_at DESC LIMIT 3

-- name: enrollment
SELECT id, state FROM enrollments WHERE id = $1

-- name: last_of
-- The last email of an enrollment: what a bounce to its return path is of.
SELECT message_id, state, recipient FROM send_ledger
WHERE enrollment_id = $1 AND sending_at IS NOT NULL ORDER BY sending_at DESC LIMIT 1

-- name: by_address
-- Enrollments of whoever has this address: open ones first, then by the email that left last, from the mailbox that got the
-- answer before others.
SELECT e.id, e.state, e.closed
FROM contacts c JOIN enrollments e ON e.contact_id = c.id
LEFT JOIN LATERAL (SELECT max(sending_at) AS at FROM send_ledger l WHERE l.enrollment_id = e.id) l ON true
WHERE lower(c.email) = $1 AND e.status <> 'removed'
ORDER BY e.closed, (e.mailbox_id IS DISTINCT FROM $2), l.at DESC NULLS LAST, e.id LIMIT 1

-- name: contact_by_address
SELECT id FROM contacts WHERE lower(email) = $1 ORDER BY id LIMIT 1

-- name: own_addresses
SELECT lower(address) FROM (
    SELECT definition ->> 'address' AS address FROM mailboxes
    UNION SELECT definition ->> 'reply_to' FROM mailboxes
) a WHERE address = ANY ($1::text[]) OR lower(address) = ANY ($1::text[])

-- name: soft_bounces
SELECT count(*) FROM send_ledger
WHERE lower(recipient) = lower($1) AND bounced_at > $2 AND bounce_class = ANY ($3::text[]) AND message_id IS DISTINCT FROM $4

-- name: open_of_contact
SELECT id, workflow_id FROM enrollments WHERE contact_id = $1 AND NOT closed AND status <> 'finished' ORDER BY id

-- name: keep
INSERT INTO inbound_messages (id, fingerprint, source, mailbox_id, folder, received_at, message_id, sender, subject, size,
                              raw, kind, rule, reading, matched_by, enrollment_id, contact_id, needs)
VALUES ($1, $2, $3, (SELECT id FROM mailboxes WHERE id = $4), $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (fingerprint) DO NOTHING RETURNING id

-- name: told
UPDATE inbound_messages SET told = told || $2::jsonb WHERE id = $1

-- name: by_fingerprint
SELECT id, kind, rule, matched_by, enrollment_id, contact_id, told, needs FROM inbound_messages WHERE fingerprint = $1

-- name: get
SELECT m.id, m.source, m.mailbox_id, m.folder, m.received_at, m.taken_at, m.message_id, m.sender, m.subject, m.size, m.kind,
       m.rule, m.reading, m.matched_by, m.enrollment_id, m.contact_id, m.told, m.needs, m.settled_at, m.settled_by,
       m.correction, e.sequence_id
FROM inbound_messages m LEFT JOIN enrollments e ON e.id = m.enrollment_id WHERE m.id = $1

-- name: raw
SELECT raw FROM inbound_messages WHERE id = $1

-- name: page
SELECT m.id, m.source, m.mailbox_id, m.folder, m.received_at, m.taken_at, m.message_id, m.sender, m.subject, m.size, m.kind,
       m.rule, m.reading, m.matched_by, m.enrollment_id, m.contact_id, m.told, m.needs, m.settled_at, m.settled_by,
       m.correction, e.sequence_id
FROM inbound_messages m LEFT JOIN enrollments e ON e.id = m.enrollment_id
WHERE ($1::uuid IS NULL OR (m.received_at, m.id) < (SELECT a.received_at, a.id FROM inbound_messages a WHERE a.id = $1))
  AND ($2::text IS NULL OR m.kind = $2)
  AND ($3::uuid IS NULL OR m.enrollment_id = $3)
  AND ($4::boolean IS NULL OR (m.enrollment_id IS NULL) = $4)
ORDER BY m.received_at DESC, m.id DESC LIMIT $5

-- name: page_of_enrollment
SELECT m.id, m.source, m.mailbox_id, m.folder, m.received_at, m.taken_at, m.message_id, m.sender, m.subject, m.size, m.kind,
       m.rule, m.reading, m.matched_by, m.enrollment_id, m.contact_id, m.told, m.needs, m.settled_at, m.settled_by,
       m.correction, e.sequence_id
FROM inbound_messages m LEFT JOIN enrollments e ON e.id = m.enrollment_id
WHERE ($1::uuid IS NULL OR (m.received_at, m.id) < (SELECT a.received_at, a.id FROM inbound_messages a WHERE a.id = $1))
  AND ($2::text IS NULL OR m.kind = $2)
  AND m.enrollment_id = $3
  AND ($4::boolean IS NULL OR (m.enrollment_id IS NULL) = $4)
ORDER BY m.received_at DESC, m.id DESC LIMIT $5

-- name: page_of_needs
SELECT m.id, m.source, m.mailbox_id, m.folder, m.received_at, m.taken_at, m.message_id, m.sender, m.subject, m.size, m.kind,
       m.rule, m.reading, m.matched_by, m.enrollment_id, m.contact_id, m.told, m.needs, m.settled_at, m.settled_by,
       m.correction, e.sequence_id
FROM inbound_messages m LEFT JOIN enrollments e ON e.id = m.enrollment_id
WHERE m.needs IS NOT NULL AND m.settled_at IS NULL
  AND ($1::uuid IS NULL OR (m.received_at, m.id) < (SELECT a.received_at, a.id FROM inbound_messages a WHERE a.id = $1))
  AND ($2::text IS NULL OR m.kind = $2)
  AND ($3::uuid IS NULL OR m.enrollment_id = $3)
  AND ($4::boolean IS NULL OR (m.enrollment_id IS NULL) = $4)
ORDER BY m.received_at DESC, m.id DESC LIMIT $5

-- name: settle
UPDATE inbound_messages SET settled_at = $2, settled_by = $3 WHERE id = $1 AND settled_at IS NULL

-- name: correct
UPDATE inbound_messages
SET correction = $2, settled_at = $3, settled_by = $4, enrollment_id = $5, contact_id = $6,
    matched_by = CASE WHEN $7 THEN 'person' ELSE matched_by END
WHERE id = $1

-- name: bounced
UPDATE send_ledger SET bounced_at = coalesce(bounced_at, $2), bounce_class = $3 WHERE message_id = $1
