-- name: cursor
SELECT uid_validity, uid, since, received_at FROM imap_cursors WHERE mailbox_id = $1 AND folder = $2

-- name: begin
INSERT INTO imap_cursors (mailbox_id, folder, uid_validity, uid, since) VALUES ($1, $2, $3, 0, $4)
ON CONFLICT (mailbox_id, folder) DO UPDATE SET uid_validity = excluded.uid_validity, uid = 0, since = excluded.since
RETURNING uid_validity, uid, since, received_at

-- name: advance
-- Only ever forward, and only within one validity: a watcher that lost its place may still write.
UPDATE imap_cursors SET uid = $4, received_at = greatest(received_at, $5)
WHERE mailbox_id = $1 AND folder = $2 AND uid_validity = $3 AND uid < $4

-- name: looked
INSERT INTO imap_watches (mailbox_id, looked_at) VALUES ($1, clock_timestamp())
ON CONFLICT (mailbox_id) DO UPDATE SET looked_at = excluded.looked_at

-- name: read
INSERT INTO imap_watches (mailbox_id, looked_at, read_at) VALUES ($1, clock_timestamp(), clock_timestamp())
ON CONFLICT (mailbox_id) DO UPDATE SET looked_at = excluded.looked_at, read_at = excluded.read_at,
    failing_since = NULL, code = NULL, detail = NULL, holds = false

-- name: failed
INSERT INTO imap_watches AS w (mailbox_id, looked_at, failing_since, code, detail, holds)
VALUES ($1, clock_timestamp(), clock_timestamp(), $2, $3, $4 OR $5::interval <= interval '0')
ON CONFLICT (mailbox_id) DO UPDATE SET looked_at = excluded.looked_at,
    failing_since = coalesce(w.failing_since, excluded.failing_since), code = excluded.code, detail = excluded.detail,
    holds = $4 OR excluded.looked_at - coalesce(w.read_at, w.failing_since, excluded.failing_since) >= $5::interval
RETURNING holds

-- name: forget
DELETE FROM imap_watches WHERE mailbox_id = $1

-- name: watch
SELECT looked_at, read_at, failing_since, code, detail, holds FROM imap_watches WHERE mailbox_id = $1

-- name: unwatched
-- Mailboxes whose watcher gave no sign for a while, or has not looked since the mailbox was changed.
SELECT m.id, coalesce(w.looked_at < m.updated_at, false) AS changed
FROM mailboxes m LEFT JOIN imap_watches w ON w.mailbox_id = m.id
WHERE m.definition ? 'imap'
  AND (w.looked_at IS NULL OR w.looked_at < m.updated_at OR w.looked_at < clock_timestamp() - $1::interval)
ORDER BY m.id
