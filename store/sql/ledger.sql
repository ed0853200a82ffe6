-- name: context
-- Everything that guards, composing and the ledger need for one attempt, in one round trip.
SELECT e.state, e.version, e.run_id, e.run_epoch, e.closed, e.overrides, e.admitted_stage, e.admitted_account_stage,
       e.sequence_id, e.contact_id, e.mailbox_id,
       s.revision, s.switched_on AS sequence_on, s.epoch AS sequence_epoch, s.schedule_id, h.revision AS schedule_revision,
       g.switched_on AS global_on, g.epoch AS global_epoch,
       c.first_name, c.last_name, c.email, c.email_status, c.stage, c.stage_set_by, c.consent, c.changed_job,
       c.zone AS contact_zone, c.country AS contact_country, c.fields AS contact_fields,
       a.id AS account_id, a.name AS account_name, a.stage AS account_stage, a.fields AS account_fields,
       m.definition AS mailbox, m.state AS mailbox_state, m.state_code AS mailbox_state_code, m.epoch AS mailbox_epoch,
       m.not_before,
       CASE WHEN m.definition ? 'imap' THEN coalesce(extract(epoch FROM now() - w.read_at), 'infinity')::float END AS unread_for,
       w.code AS unread_code,
       (SELECT b.at FROM slots b WHERE b.enrollment_id = e.id AND NOT b.used) AS booked_at,
       EXISTS (SELECT 1 FROM sequence_mailboxes sm WHERE sm.sequence_id = s.id AND sm.mailbox_id = m.id) AS listed,
       x.reason AS suppressed,
       l.state AS ledger_state, l.fence, l.tries, l.result, l.message, l.message_id, l.recipient, l.due_at,
       l.lease_until > now() AS lease_live, greatest(extract(epoch FROM l.lease_until - now()), 0)::float AS lease_left,
       l.settled_as, l.mailbox_id AS ledger_mailbox, l.subject AS ledger_subject,
       (SELECT jsonb_agg(jsonb_build_object('id', k.id, 'message', k.message, 'payload', k.payload) ORDER BY k.recorded_at)
        FROM stop_marks k WHERE k.enrollment_id = e.id AND k.adopted_at IS NULL) AS marks,
       (SELECT jsonb_agg(jsonb_build_object('id', t.message_id, 'subject', t.subject) ORDER BY t.sending_at)
        FROM send_ledger t WHERE t.enrollment_id = e.id AND t.state = 'sent') AS thread,
       (SELECT array_agg(t.step_id) FROM send_ledger t
        WHERE t.enrollment_id = e.id AND t.state IN ('sent', 'rejected', 'unknown')) AS done
FROM enrollments e
JOIN sequences s ON s.id = e.sequence_id
JOIN schedules h ON h.id = s.schedule_id
JOIN contacts c ON c.id = e.contact_id
CROSS JOIN global_switch g
LEFT JOIN accounts a ON a.id = c.account_id
LEFT JOIN mailboxes m ON m.id = e.mailbox_id
LEFT JOIN imap_watches w ON w.mailbox_id = m.id
LEFT JOIN suppressions x ON x.address = lower(c.email)
LEFT JOIN send_ledger l ON l.enrollment_id = e.id AND l.step_id = $2 AND l.attempt = $3
WHERE e.id = $1

-- name: claim
-- A new row, or a row that a try before left: its bytes and Message-ID stay what they were, unless the address or the
-- mailbox was changed since.
INSERT INTO send_ledger (enrollment_id, step_id, attempt, state, sequence_id, contact_id, mailbox_id, message_id,
                         recipient, subject, message, owner, lease_until, due_at)
VALUES ($1, $2, $3, 'claimed', $4, $5, $6, $7, $8, $9, $10, $11, now() + $12::interval, $13)
ON CONFLICT (enrollment_id, step_id, attempt) DO UPDATE
SET state = 'claimed', fence = send_ledger.fence + 1, owner = excluded.owner, lease_until = excluded.lease_until,
    tries = send_ledger.tries + 1, mailbox_id = excluded.mailbox_id, message_id = excluded.message_id,
    recipient = excluded.recipient,
    subject = excluded.subject, message = excluded.message, reply_code = NULL, reply_text = NULL, result = NULL
WHERE send_ledger.fence = $14
  AND (send_ledger.state IN ('deferred', 'withdrawn') OR (send_ledger.state = 'claimed' AND send_ledger.lease_until <= now()))
RETURNING fence, tries

-- name: renew
UPDATE send_ledger SET lease_until = now() + $5::interval
WHERE enrollment_id = $1 AND step_id = $2 AND attempt = $3 AND fence = $4 AND state IN ('claimed', 'sending')

-- name: begin_sending
UPDATE send_ledger SET state = 'sending', sending_at = $5, slot_at = $6
WHERE enrollment_id = $1 AND step_id = $2 AND attempt = $3 AND fence = $4 AND state = 'claimed'
RETURNING 1

-- name: abandon
-- Only an expired claim: its owner may have passed the point of no return since the lease was looked at.
UPDATE send_ledger SET state = 'withdrawn', settled_at = now()
WHERE enrollment_id = $1 AND step_id = $2 AND attempt = $3 AND fence = $4 AND state = 'claimed' AND lease_until <= now()
RETURNING 1

-- name: read
SELECT state, fence, result, sending_at, lease_until > now() AS lease_live FROM send_ledger
WHERE enrollment_id = $1 AND step_id = $2 AND attempt = $3

-- name: newest
-- The step's last attempt up to $3 that has left, may have left, was refused, or is on its way.
SELECT attempt, state, fence, result, message_id, settled_as, lease_until > now() AS lease_live FROM send_ledger
WHERE enrollment_id = $1 AND step_id = $2 AND attempt <= $3 AND state NOT IN ('deferred', 'withdrawn')
ORDER BY attempt DESC LIMIT 1

-- name: settle
-- The outcome of the owner's work. A late reply may still turn `unknown`, unless a person has settled it.
UPDATE send_ledger SET state = $5, reply_code = $6, reply_text = $7, result = $8, settled_at = $9, lease_until = now(),
       sending_at = CASE WHEN $5 IN ('deferred', 'withdrawn') THEN NULL ELSE sending_at END
WHERE enrollment_id = $1 AND step_id = $2 AND attempt = $3
  AND ((fence = $4 AND state IN ('claimed', 'sending')) OR (state = 'unknown' AND fence = $4 AND settled_as IS NULL
       AND $5 IN ('sent', 'rejected')))
RETURNING 1

-- name: expire
-- An owner that died past the point of no return: nobody knows what became of the email.
UPDATE send_ledger SET state = 'unknown', fence = fence, settled_at = $5, result = $6
WHERE enrollment_id = $1 AND step_id = $2 AND attempt = $3 AND fence = $4 AND state = 'sending'
RETURNING 1

-- name: stops
-- What must not be there at the point of no return, read after the locks.
SELECT (SELECT count(*) FROM stop_marks k WHERE k.enrollment_id = e.id AND k.adopted_at IS NULL) AS marks,
       e.status, e.closed, e.run_epoch, e.version, s.switched_on AS sequence_on, g.switched_on AS global_on, m.state AS mailbox_state,
       EXISTS (SELECT 1 FROM suppressions x WHERE x.address = lower($2)) AS suppressed,
       c.email IS NOT DISTINCT FROM $3 AS same_address, c.email_status
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id JOIN contacts c ON c.id = e.contact_id
JOIN mailboxes m ON m.id = $4 CROSS JOIN global_switch g
WHERE e.id = $1 FOR NO KEY UPDATE OF e

-- name: done_steps
SELECT DISTINCT step_id FROM send_ledger WHERE enrollment_id = $1 AND state IN ('sent', 'rejected', 'unknown')

-- name: by_message_id
SELECT enrollment_id, step_id, attempt, state FROM send_ledger WHERE message_id = $1

-- name: of_enrollment
SELECT step_id, attempt, state, mailbox_id, message_id, recipient, subject, tries, due_at, sending_at, settled_at,
       reply_code, reply_text, settled_by, settled_as, bounced_at, bounce_class
FROM send_ledger WHERE enrollment_id = $1 ORDER BY created_at, attempt

-- name: spam_refusals
SELECT count(*) FROM send_ledger
WHERE mailbox_id = $1
  AND ((state = 'rejected' AND settled_at > $2 AND result ->> 'halt' = 'spam_block')
       OR (bounced_at > $2 AND bounce_class = ANY ($3::text[])))

-- name: message_ids
SELECT message_id, state FROM send_ledger
