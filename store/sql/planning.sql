-- name: mailboxes_of_sequence
-- Those it names, and those that its open enrollments keep.
SELECT mailbox_id FROM sequence_mailboxes WHERE sequence_id = $1
UNION SELECT mailbox_id FROM enrollments
WHERE sequence_id = $1 AND status IN ('active', 'paused') AND NOT closed AND mailbox_id IS NOT NULL

-- name: sequences
-- Every sequence that names one of the mailboxes, and the one asked for.
SELECT s.id, s.definition, s.switched_on AND g.switched_on AS switched_on, h.definition AS schedule, h.id AS schedule_id
FROM sequences s JOIN schedules h ON h.id = s.schedule_id CROSS JOIN global_switch g
WHERE s.id = $2 OR EXISTS (SELECT FROM sequence_mailboxes m WHERE m.sequence_id = s.id AND m.mailbox_id = ANY ($1::text[]))

-- name: senders
SELECT id, definition, state, not_before FROM mailboxes WHERE id = ANY ($1::text[])

-- name: members
-- The enrollments of these sequences and mailboxes that may still send by themselves, and the one asked for; with what
-- the guards look at.
SELECT e.id, e.state, e.overrides, e.admitted_stage, e.admitted_account_stage,
       c.id AS contact_id, c.first_name, c.last_name, c.email, c.email_status, c.stage, c.stage_set_by, c.consent,
       c.changed_job, c.zone, c.country, c.fields AS contact_fields,
       a.id AS account_id, a.name AS account_name, a.stage AS account_stage, a.fields AS account_fields,
       x.reason AS suppressed,
       (SELECT k.message FROM stop_marks k WHERE k.enrollment_id = e.id AND k.adopted_at IS NULL
        ORDER BY k.recorded_at LIMIT 1) AS stopped,
       (SELECT array_agg(t.step_id) FROM send_ledger t
        WHERE t.enrollment_id = e.id AND t.state IN ('sent', 'rejected', 'unknown')) AS done
FROM enrollments e
JOIN contacts c ON c.id = e.contact_id
LEFT JOIN accounts a ON a.id = c.account_id
LEFT JOIN suppressions x ON x.address = lower(c.email)
WHERE e.id = $3
   OR (e.sequence_id = ANY ($1::text[]) AND e.status IN ('active', 'paused') AND NOT e.closed
       AND e.mailbox_id = ANY ($2::text[]))
ORDER BY e.id LIMIT $4

-- name: calendars
-- What is booked, and what left since $2.
SELECT mailbox_id, enrollment_id, at, first_touch, jitter, used FROM slots
WHERE mailbox_id = ANY ($1::text[]) AND (NOT used OR at > $2)

-- name: touches
-- Emails to these contacts: what left since $2, and what is booked in mailboxes other than $3.
SELECT contact_id, coalesce(slot_at, sending_at) AS at FROM send_ledger
WHERE contact_id = ANY ($1::text[]) AND coalesce(slot_at, sending_at) > $2 AND state IN ('sending', 'sent', 'unknown')
UNION ALL
SELECT e.contact_id, s.at FROM enrollments e JOIN slots s ON s.enrollment_id = e.id AND NOT s.used
WHERE e.contact_id = ANY ($1::text[]) AND NOT s.mailbox_id = ANY ($3::text[])
