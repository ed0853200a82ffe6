-- name: switches
SELECT s.switched_on AND g.switched_on FROM sequences s CROSS JOIN global_switch g WHERE s.id = $1

-- name: page
-- One ordered index scan per own status, each stopped after a page; what is sorted is never more than those pages.
-- {key}, {direction} and {after} come from the closed tables in listing.py.
SELECT found.id, found.contact_id, c.first_name, c.last_name, c.email, c.account_id, a.name AS account_name,
       found.mailbox_id, found.status, found.reason, found.state, found.next_at, found.last_event_at,
       found.step_number, found.contact_name,
       ARRAY (SELECT m.message FROM stop_marks m WHERE m.enrollment_id = found.id AND m.adopted_at IS NULL
              ORDER BY m.recorded_at, m.id) AS pending
FROM (
    SELECT ordered.* FROM unnest($2::text[]) AS own (status) CROSS JOIN LATERAL (
        SELECT e.*, {key} AS key FROM enrollments e
        WHERE e.sequence_id = $1 AND e.status = own.status AND ($4::text IS NULL OR coalesce(e.reason, $5) = $4) {after}
        ORDER BY {key} {direction}, e.id {direction} LIMIT $3
    ) ordered
    ORDER BY ordered.key {direction}, ordered.id {direction} LIMIT $3
) found
JOIN contacts c ON c.id = found.contact_id
LEFT JOIN accounts a ON a.id = c.account_id
ORDER BY found.key {direction}, found.id {direction}
