-- name: lock
-- NO KEY here and wherever these rows are locked: an inbound mail that is kept refers to its enrollment (a key lock) before
-- it locks the row, and two mails of one person would wait crosswise.
SELECT id, run_id, run_epoch, version, state, closed FROM enrollments WHERE id = $1 FOR NO KEY UPDATE

-- name: insert
INSERT INTO enrollments (id, workflow_id, sequence_id, contact_id, mailbox_id, run_id, version, state, status, reason,
                         step_number, next_at, last_event_at, contact_name, overrides, admitted_stage,
                         admitted_account_stage, started_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, c.sort_name, $14, c.stage, a.stage, $13
FROM contacts c LEFT JOIN accounts a ON a.id = c.account_id WHERE c.id = $4

-- name: first_run
INSERT INTO enrollment_runs (enrollment_id, run_id, epoch) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING

-- name: next_run
INSERT INTO enrollment_runs (enrollment_id, run_id, epoch)
SELECT $1, $2, coalesce(max(epoch), 0) + 1 FROM enrollment_runs WHERE enrollment_id = $1
ON CONFLICT (enrollment_id, run_id) DO NOTHING

-- name: run_epoch
SELECT epoch FROM enrollment_runs WHERE enrollment_id = $1 AND run_id = $2

-- name: project
UPDATE enrollments
SET run_id = $2, run_epoch = $3, version = $4, state = $5, status = $6, reason = $7, step_number = $8, next_at = $9,
    -- A raw signal may name a mailbox that does not exist: the guard says so then (mailbox_missing).
    last_event_at = greatest(last_event_at, $10), mailbox_id = (SELECT id FROM mailboxes WHERE id = $11), closed = $12,
    ended_at = CASE WHEN $12 THEN coalesce(ended_at, $10) ELSE NULL END
WHERE id = $1

-- name: log
INSERT INTO enrollment_events (enrollment_id, key, kind, by, at, data)
SELECT $1, e.key, e.kind, e.by, e.at, e.data
FROM jsonb_to_recordset($2) AS e (key text, kind text, by text, at timestamptz, data jsonb)
ON CONFLICT (enrollment_id, key) DO NOTHING

-- name: release_slot
DELETE FROM slots WHERE enrollment_id = $1 AND NOT used

-- name: unpark
DELETE FROM parked WHERE enrollment_id = $1 AND NOT (gate = ANY ($2::text[]))

-- name: get
SELECT e.*, s.switched_on AND g.switched_on AS switched_on, s.epoch AS sequence_epoch,
       EXISTS (SELECT 1 FROM stop_marks m WHERE m.enrollment_id = e.id AND m.adopted_at IS NULL) AS pending
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id CROSS JOIN global_switch g
WHERE e.id = $1

-- name: newest
-- The contact's ID is the last part of the workflow's: so its index serves, and none on workflow_id need be kept.
SELECT id FROM enrollments WHERE contact_id = split_part($1, '/', 3) AND workflow_id = $1
ORDER BY started_at DESC, id DESC LIMIT 1

-- name: of_contact
SELECT id, sequence_id, status, reason, closed, state, ended_at, started_at
FROM enrollments WHERE contact_id = $1 ORDER BY started_at DESC, id DESC

-- name: siblings_of_contact
SELECT id, workflow_id FROM enrollments
WHERE contact_id = $1 AND id <> $2 AND NOT closed ORDER BY id

-- name: siblings_of_account
-- The contact's own other enrollments too: a person who replied is the first of the account to have replied.
SELECT e.id, e.workflow_id FROM enrollments e
JOIN contacts c ON c.id = e.contact_id
WHERE (c.id = $1 OR c.account_id = (SELECT account_id FROM contacts WHERE id = $1)) AND e.id <> $2 AND NOT e.closed
ORDER BY e.id

-- name: siblings_of_address
-- Whoever has the address to which that attempt went, this person in other sequences or another record of them.
SELECT e.id, e.workflow_id FROM send_ledger l
JOIN contacts c ON lower(c.email) = lower(l.recipient)
JOIN enrollments e ON e.contact_id = c.id
WHERE l.enrollment_id = $1 AND l.step_id = $2 AND l.attempt = $3 AND e.id <> $1 AND NOT e.closed
ORDER BY e.id

-- name: story
SELECT kind, by, at, data FROM (
    SELECT id, kind, by, at, data, 0 AS source FROM enrollment_events WHERE enrollment_id = $1
    UNION ALL
    -- The switches of its sequence while it was open are part of its story.
    SELECT w.id, 'switch_' || w.state, w.by, w.at, jsonb_build_object('gate', w.gate, 'key', w.key, 'epoch', w.epoch), 1
    FROM switch_events w JOIN enrollments e ON e.id = $1
    WHERE ((w.gate = 'sequence' AND w.key = e.sequence_id) OR w.gate = 'global')
      AND w.at >= e.started_at AND w.at <= coalesce(e.ended_at, 'infinity')
) told ORDER BY at, source, id

-- name: counts
SELECT status, count(*) AS n FROM enrollments WHERE sequence_id = $1 GROUP BY status

-- name: open_ids
SELECT id, workflow_id FROM enrollments WHERE NOT closed AND id > $1 ORDER BY id LIMIT $2

-- name: refuse
INSERT INTO enrollment_refusals (run_id, sequence_id, contact_id, code, detail, by, at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (run_id) DO NOTHING

-- name: refusal
SELECT code, detail FROM enrollment_refusals WHERE run_id = $1

-- name: abandoned
SELECT id FROM enrollments
WHERE contact_id = split_part($1, '/', 3) AND workflow_id = $1 AND id <> $2 AND NOT closed
