-- name: place
INSERT INTO stop_marks (id, enrollment_id, message, payload, by, at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (enrollment_id, id) DO NOTHING

-- name: pending
SELECT id, message, payload FROM stop_marks WHERE enrollment_id = $1 AND adopted_at IS NULL ORDER BY recorded_at, id

-- name: adopt
UPDATE stop_marks SET adopted_at = now() WHERE enrollment_id = $1 AND id = ANY ($2::text[]) AND adopted_at IS NULL

-- name: adopted
SELECT adopted_at IS NOT NULL FROM stop_marks WHERE enrollment_id = $1 AND id = $2

-- name: signalled
UPDATE stop_marks SET signalled_at = now() WHERE enrollment_id = $1 AND id = $2 AND adopted_at IS NULL

-- name: sweep
SELECT m.id, m.enrollment_id, m.message, m.payload, e.workflow_id
FROM stop_marks m JOIN enrollments e ON e.id = m.enrollment_id
WHERE m.adopted_at IS NULL AND coalesce(m.signalled_at, m.recorded_at) <= now() - $1::interval
ORDER BY coalesce(m.signalled_at, m.recorded_at) LIMIT $2
