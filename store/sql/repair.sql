-- name: leftovers
-- What a record keeps that its status has no use for: its wake-ups would be for nobody, its slot another's. Marks of closed
-- ones are taken up by the sweeper; those it did not get to within $1 are left over.
SELECT e.id, e.workflow_id, array_agg(l.what ORDER BY l.what) AS what
FROM (
    SELECT p.enrollment_id, 'parked' AS what FROM parked p JOIN enrollments e ON e.id = p.enrollment_id AND e.closed
    UNION
    SELECT s.enrollment_id, 'slot' FROM slots s JOIN enrollments e ON e.id = s.enrollment_id
    WHERE NOT s.used AND (e.closed OR e.status <> 'active')
    UNION
    SELECT m.enrollment_id, 'mark' FROM stop_marks m JOIN enrollments e ON e.id = m.enrollment_id AND e.closed
    WHERE m.adopted_at IS NULL AND m.recorded_at < now() - $1::interval
) l JOIN enrollments e ON e.id = l.enrollment_id
GROUP BY e.id, e.workflow_id ORDER BY e.id

-- name: no_newer_than
-- A record that claims a later version than its workflow has would take no record of it.
UPDATE enrollments SET version = $2 WHERE id = $1 AND version > $2
