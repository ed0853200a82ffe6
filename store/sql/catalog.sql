-- name: apply_schedule
INSERT INTO schedules (id, definition) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, revision = schedules.revision + 1, updated_at = now()
WHERE schedules.definition <> excluded.definition
RETURNING revision

-- name: apply_mailbox
INSERT INTO mailboxes (id, definition) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, updated_at = now()
WHERE mailboxes.definition <> excluded.definition
RETURNING 1

-- name: apply_sequence
INSERT INTO sequences (id, definition, schedule_id) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, schedule_id = excluded.schedule_id,
    revision = sequences.revision + 1, updated_at = now()
WHERE sequences.definition <> excluded.definition
RETURNING revision

-- name: missing_mailboxes
SELECT named.id FROM unnest($1::text[]) WITH ORDINALITY AS named (id, position)
WHERE NOT EXISTS (SELECT 1 FROM mailboxes m WHERE m.id = named.id) ORDER BY named.position

-- name: unlist_mailboxes
DELETE FROM sequence_mailboxes WHERE sequence_id = $1 AND mailbox_id <> ALL ($2::text[])

-- name: list_mailboxes
INSERT INTO sequence_mailboxes (sequence_id, mailbox_id, position)
SELECT $1, named.id, named.position FROM unnest($2::text[]) WITH ORDINALITY AS named (id, position)
ON CONFLICT (sequence_id, mailbox_id) DO UPDATE SET position = excluded.position

-- name: schedule
SELECT definition, revision FROM schedules WHERE id = $1

-- name: schedules
SELECT definition, revision FROM schedules WHERE id > $1 ORDER BY id LIMIT $2

-- name: mailbox
SELECT definition, state, state_code, epoch, not_before FROM mailboxes WHERE id = $1

-- name: mailbox_known
SELECT true FROM mailboxes WHERE id = $1

-- name: mailboxes
SELECT definition, state, state_code, epoch, not_before FROM mailboxes WHERE id > $1 ORDER BY id LIMIT $2

-- name: sequence
SELECT definition, revision, switched_on, epoch, switched_at, switched_by FROM sequences WHERE id = $1

-- name: sequences
SELECT definition, revision, switched_on, epoch, switched_at, switched_by FROM sequences
WHERE id > $1 ORDER BY id LIMIT $2

-- name: account
SELECT id, name, stage, fields FROM accounts WHERE id = $1

-- name: accounts
SELECT id, name, stage, fields FROM accounts WHERE id > $1 ORDER BY id LIMIT $2

-- name: lock_account
SELECT id, name, stage, fields FROM accounts WHERE id = $1 FOR NO KEY UPDATE

-- name: set_account
UPDATE accounts SET name = $2, stage = $3, fields = $4, updated_at = now() WHERE id = $1

-- name: insert_accounts
INSERT INTO accounts (id, name, stage, fields)
SELECT r.id, r.name, coalesce(r.stage, 'Cold'), r.fields
FROM jsonb_to_recordset($1) AS r (id text, name text, stage text, fields jsonb)
ORDER BY r.id
ON CONFLICT (id) DO NOTHING
RETURNING id

-- name: update_accounts
WITH changed AS (
    SELECT a.id, r.name, coalesce(r.stage, a.stage) AS stage, a.fields || r.fields AS fields
    FROM accounts a JOIN jsonb_to_recordset($1) AS r (id text, name text, stage text, fields jsonb) ON r.id = a.id
    ORDER BY a.id FOR NO KEY UPDATE OF a
)
UPDATE accounts a SET name = n.name, stage = n.stage, fields = n.fields, updated_at = now()
FROM changed n WHERE a.id = n.id AND (a.name, a.stage, a.fields) IS DISTINCT FROM (n.name, n.stage, n.fields)
RETURNING a.id

-- name: contact
SELECT c.id, c.account_id, a.name AS account_name, a.stage AS account_stage, c.first_name, c.last_name, c.email,
       c.email_status, c.stage, c.stage_set_by, c.stage_before_bounce, c.consent, c.changed_job, c.zone, c.country,
       c.fields, x.reason AS suppressed
FROM contacts c LEFT JOIN accounts a ON a.id = c.account_id LEFT JOIN suppressions x ON x.address = lower(c.email)
WHERE c.id = $1

-- name: contacts
SELECT c.id, c.account_id, a.name AS account_name, a.stage AS account_stage, c.first_name, c.last_name, c.email,
       c.email_status, c.stage, c.stage_set_by, c.stage_before_bounce, c.consent, c.changed_job, c.zone, c.country,
       c.fields, x.reason AS suppressed
FROM contacts c LEFT JOIN accounts a ON a.id = c.account_id LEFT JOIN suppressions x ON x.address = lower(c.email)
WHERE c.id > $1 ORDER BY c.id LIMIT $2

-- name: contacts_of_account
SELECT c.id, c.account_id, a.name AS account_name, a.stage AS account_stage, c.first_name, c.last_name, c.email,
       c.email_status, c.stage, c.stage_set_by, c.stage_before_bounce, c.consent, c.changed_job, c.zone, c.country,
       c.fields, x.reason AS suppressed
FROM contacts c LEFT JOIN accounts a ON a.id = c.account_id LEFT JOIN suppressions x ON x.address = lower(c.email)
WHERE c.account_id = $3 AND c.id > $1 ORDER BY c.id LIMIT $2

-- name: lock_contact
SELECT 1 FROM contacts WHERE id = $1 FOR NO KEY UPDATE

-- name: lock_enrollments
-- Before the contact's row: whoever records an event of an enrollment locks them in this order, too.
SELECT id, closed FROM enrollments WHERE contact_id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE

-- name: set_contact
UPDATE contacts
SET account_id = $2, first_name = $3, last_name = $4, email = $5, email_status = $6, stage = $7, stage_set_by = $8,
    stage_before_bounce = $9, consent = $10, changed_job = $11, zone = $12, country = $13,
    fields = $14, updated_at = now()
WHERE id = $1

-- name: unknown_accounts
SELECT named.id FROM unnest($1::text[]) AS named (id)
WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = named.id)

-- name: replaced_addresses
SELECT c.id, c.email AS old, r.email AS new
FROM contacts c JOIN jsonb_to_recordset($1) AS r (id text, email text) ON r.id = c.id
WHERE r.email IS NOT NULL AND lower(r.email) IS DISTINCT FROM lower(c.email)

-- name: renamed_contacts
SELECT c.id FROM contacts c JOIN jsonb_to_recordset($1) AS r (id text, first_name text, last_name text) ON r.id = c.id
WHERE (coalesce(r.first_name, c.first_name), coalesce(r.last_name, c.last_name)) <> (c.first_name, c.last_name)

-- name: insert_contacts
INSERT INTO contacts (id, account_id, first_name, last_name, email, email_status, stage, consent, changed_job, zone,
                      country, fields)
SELECT r.id, r.account, coalesce(r.first_name, ''), coalesce(r.last_name, ''), r.email,
       coalesce(r.email_status, 'unknown'), coalesce(r.stage, 'Cold'), r.consent, coalesce(r.changed_job, false), r.zone,
       r.country, r.fields
FROM jsonb_to_recordset($1) AS r (id text, account text, first_name text, last_name text, email text,
                                  email_status text, stage text, consent boolean, changed_job boolean, zone text,
                                  country text, fields jsonb)
ORDER BY r.id
ON CONFLICT (id) DO NOTHING
RETURNING id

-- name: update_contacts
WITH given AS (
    SELECT c.id AS contact, c.email AS old_email, c.email_status AS old_status, c.stage AS old_stage, c.stage_set_by,
           c.stage_before_bounce AS before, r.*,
           r.email IS NOT NULL AND lower(r.email) IS DISTINCT FROM lower(c.email) AS replaced,
           coalesce(r.account, c.account_id) AS new_account, coalesce(r.first_name, c.first_name) AS new_first,
           coalesce(r.last_name, c.last_name) AS new_last, coalesce(r.consent, c.consent) AS new_consent,
           coalesce(r.changed_job, c.changed_job) AS new_job, coalesce(r.zone, c.zone) AS new_zone,
           coalesce(r.country, c.country) AS new_country, c.fields || r.fields AS new_fields
    FROM contacts c
    JOIN jsonb_to_recordset($1) AS r (id text, account text, first_name text, last_name text, email text,
                                      email_status text, stage text, consent boolean, changed_job boolean, zone text,
                                      country text, fields jsonb)
      ON r.id = c.id
    ORDER BY c.id FOR NO KEY UPDATE OF c
), changed AS (
    SELECT contact AS id, new_account, new_first, new_last, new_consent, new_job, new_zone, new_country,
           new_fields, coalesce(email, old_email) AS email,
           -- A list does not bring a dead address back to life: it is older than the bounce.
           CASE WHEN replaced THEN coalesce(email_status, 'unknown') WHEN old_status = 'bounced' THEN old_status
                ELSE coalesce(email_status, old_status) END AS email_status,
           -- A new address undoes the stage that the bounce of the old one set.
           CASE WHEN stage IS NOT NULL THEN stage WHEN replaced THEN coalesce(before, old_stage)
                ELSE old_stage END AS stage,
           CASE WHEN stage <> old_stage OR (replaced AND before IS NOT NULL) THEN NULL ELSE stage_set_by END AS set_by,
           CASE WHEN stage <> old_stage OR replaced THEN NULL ELSE before END AS before
    FROM given
)
UPDATE contacts c
SET account_id = n.new_account, first_name = n.new_first, last_name = n.new_last, email = n.email,
    email_status = n.email_status, stage = n.stage, stage_set_by = n.set_by, stage_before_bounce = n.before,
    consent = n.new_consent, changed_job = n.new_job, zone = n.new_zone, country = n.new_country, fields = n.new_fields,
    updated_at = now()
FROM changed n
WHERE c.id = n.id
  AND (c.account_id, c.first_name, c.last_name, c.email, c.email_status, c.stage, c.stage_set_by, c.stage_before_bounce,
       c.consent, c.changed_job, c.zone, c.country, c.fields)
      IS DISTINCT FROM (n.new_account, n.new_first, n.new_last, n.email, n.email_status, n.stage, n.set_by, n.before,
                        n.new_consent, n.new_job, n.new_zone, n.new_country, n.new_fields)
RETURNING c.id

-- name: tell_of_contact
INSERT INTO enrollment_events (enrollment_id, key, kind, by, at, data)
SELECT id, 'contact_changed:' || $2, 'contact_changed', $3, $4, $5 FROM enrollments
WHERE contact_id = $1 AND NOT closed ORDER BY id

-- name: tell_of_account
INSERT INTO enrollment_events (enrollment_id, key, kind, by, at, data)
SELECT e.id, 'account_changed:' || $2, 'account_changed', $3, $4, $5
FROM enrollments e JOIN contacts c ON c.id = e.contact_id
WHERE c.account_id = $1 AND NOT e.closed ORDER BY e.id

-- name: rename_contacts
UPDATE enrollments e SET contact_name = c.sort_name FROM contacts c
WHERE c.id = ANY ($1::text[]) AND e.contact_id = c.id AND e.contact_name <> c.sort_name

-- name: suppress
INSERT INTO suppressions (address, reason, by, at) VALUES (lower($1), $2, $3, $4)
ON CONFLICT (address) DO NOTHING RETURNING 1

-- name: unsuppress
DELETE FROM suppressions WHERE address = lower($1) RETURNING 1

-- name: contact_stages
SELECT DISTINCT stage FROM contacts ORDER BY stage LIMIT 500

-- name: account_stages
SELECT DISTINCT stage FROM accounts ORDER BY stage LIMIT 500
