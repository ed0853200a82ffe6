-- name: add_key
INSERT INTO api_keys (id, name, hash, scopes, actor, created_at, created_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING *

-- name: key
SELECT * FROM api_keys WHERE id = $1

-- name: find_key
-- By ID, or by the name of one that is not revoked.
SELECT * FROM api_keys WHERE id = $1 OR (name = $1 AND revoked_at IS NULL) ORDER BY id = $1 DESC LIMIT 1

-- name: keys
SELECT * FROM api_keys ORDER BY revoked_at IS NOT NULL, name, created_at

-- name: any_live_key
SELECT EXISTS (SELECT 1 FROM api_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1))

-- name: revoke_key
UPDATE api_keys SET revoked_at = $2, revoked_by = $3 WHERE id = $1 AND revoked_at IS NULL RETURNING *

-- name: key_used
UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $2::timestamptz - interval '1 minute')

-- name: add_session
INSERT INTO sessions (id, hash, key_id, proof, created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $5)

-- name: session
SELECT * FROM sessions WHERE hash = $1

-- name: session_seen
UPDATE sessions SET seen_at = $2 WHERE id = $1 AND seen_at <= $2::timestamptz - interval '1 minute'

-- name: end_session
DELETE FROM sessions WHERE id = $1

-- name: end_sessions_of
DELETE FROM sessions WHERE key_id = $1

-- name: expire_sessions
DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE seen_at <= $1 ORDER BY seen_at LIMIT 100 FOR UPDATE SKIP LOCKED
)

-- name: add_link
INSERT INTO sign_in_links (hash, key_id, created_at, expires_at) VALUES ($1, $2, $3, $4)

-- name: use_link
UPDATE sign_in_links SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING key_id

-- name: link
SELECT used_at, expires_at FROM sign_in_links WHERE hash = $1

-- name: expire_links
DELETE FROM sign_in_links WHERE expires_at <= $1

-- name: lock_address
-- One try of an address after the other, in whatever process: else many at once would each see none of the others.
SELECT pg_advisory_xact_lock(hashtextextended('sign_in/' || $1, 0))

-- name: tries
SELECT count(*) AS n, min(at) AS first FROM sign_in_tries WHERE address = $1 AND at > $2

-- name: add_try
INSERT INTO sign_in_tries (address, at) VALUES ($1, $2) RETURNING id

-- name: forget_try
DELETE FROM sign_in_tries WHERE id = $1

-- name: expire_tries
DELETE FROM sign_in_tries WHERE id IN (
    SELECT id FROM sign_in_tries WHERE at <= $1 ORDER BY at LIMIT 100 FOR UPDATE SKIP LOCKED
)
