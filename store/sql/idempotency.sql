-- name: begin
-- A new key, one that has expired, or one whose request was lost with its process.
INSERT INTO idempotency_keys (key, route, request_hash) VALUES ($1, $2, $3)
ON CONFLICT (key) DO UPDATE
SET route = excluded.route, request_hash = excluded.request_hash, status = NULL, body = NULL, created_at = now()
WHERE idempotency_keys.created_at <= now() - $4::interval
   OR (idempotency_keys.status IS NULL AND idempotency_keys.route = excluded.route
       AND idempotency_keys.request_hash = excluded.request_hash
       AND idempotency_keys.created_at <= now() - $5::interval)
RETURNING 1

-- name: read
SELECT route, request_hash, status, body FROM idempotency_keys WHERE key = $1

-- name: finish
UPDATE idempotency_keys SET status = $2, body = $3 WHERE key = $1 AND status IS NULL

-- name: abandon
DELETE FROM idempotency_keys WHERE key = $1 AND status IS NULL

-- name: expire
DELETE FROM idempotency_keys WHERE key IN (
    SELECT key FROM idempotency_keys WHERE created_at <= now() - $1::interval
    ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED
)
