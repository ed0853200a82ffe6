-- name: address
SELECT email FROM contacts WHERE id = $1

-- name: suppress
INSERT INTO suppressions (address, reason, by, at) VALUES (lower($1), $2, $3, $4) ON CONFLICT (address) DO NOTHING

-- name: unsuppress
DELETE FROM suppressions WHERE address = lower($1)

-- name: stage_map
SELECT definition -> 'settings' -> 'stage_map' AS map FROM sequences WHERE id = $1

-- name: set_stage
UPDATE contacts SET stage = $2, stage_set_by = $3, stage_before_bounce = NULL, updated_at = now()
WHERE id = $1 AND stage <> $2

-- name: set_stage_by_bounce
UPDATE contacts SET stage_before_bounce = coalesce(stage_before_bounce, stage), stage = $2, stage_set_by = $3,
       updated_at = now()
WHERE id = $1 AND stage <> $2

-- name: set_stage_from
UPDATE contacts SET stage = $2, stage_set_by = $3, updated_at = now() WHERE id = $1 AND stage = $4

-- name: address_bounced
-- Only while it is still the contact's address: a late bounce of the old one says nothing of the new one.
UPDATE contacts c SET email_status = 'bounced', updated_at = now()
FROM send_ledger l
WHERE c.id = $1 AND l.enrollment_id = $2 AND l.step_id = $3 AND l.attempt = $4 AND lower(c.email) = lower(l.recipient)
RETURNING 1

-- name: settle
UPDATE send_ledger SET settled_by = $4, settled_as = $5, settled_at = $6,
       state = CASE WHEN $5 = 'sent' THEN 'sent' ELSE state END
WHERE enrollment_id = $1 AND step_id = $2 AND attempt = $3 AND state = 'unknown'
