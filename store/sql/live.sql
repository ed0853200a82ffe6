-- name: fingerprints
-- What tells whether a row that is shown is still so, by primary key.
SELECT e.id, e.sequence_id, e.run_epoch, e.version, e.status, e.reason, e.closed, e.last_event_at, e.next_at,
       s.switched_on AND g.switched_on AS switched_on,
       (SELECT count(*) FROM stop_marks m WHERE m.enrollment_id = e.id AND m.adopted_at IS NULL) AS pending
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id CROSS JOIN global_switch g
WHERE e.id = ANY ($1::uuid[])

-- name: counts
-- Of all sequences, from an index alone.
SELECT sequence_id, status, count(*) AS n FROM enrollments GROUP BY sequence_id, status

-- name: global_switch
SELECT switched_on, switched_at, switched_by, epoch FROM global_switch

-- name: switches
SELECT id, switched_on, switched_at, switched_by, epoch FROM sequences ORDER BY id

-- name: mailboxes
SELECT id, state, state_code, state_at, epoch FROM mailboxes ORDER BY id
