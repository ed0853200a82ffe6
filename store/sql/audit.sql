-- name: begin
INSERT INTO audit_entries (key_id, actor, session_id, action, kind, target, origin, request)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id

-- name: finish
INSERT INTO audit_results (entry, result, status, code, by) VALUES ($1, $2, $3, $4, $5)

-- name: page
SELECT e.*, r.at AS finished_at, r.result, r.status, r.code, r.by
FROM audit_entries e LEFT JOIN audit_results r ON r.entry = e.id
WHERE ($1::bigint IS NULL OR e.id < $1)
  AND ($2::text IS NULL OR e.key_id = $2)
  AND ($3::text IS NULL OR e.actor = $3)
  AND ($4::text IS NULL OR e.action = $4)
  AND ($5::text IS NULL OR e.kind = $5)
  AND ($6::text IS NULL OR e.target = $6)
ORDER BY e.id DESC
LIMIT $7
