-- name: switches
SELECT s.switched_on AND g.switched_on FROM sequences s CROSS JOIN global_switch g WHERE s.id = $1

-- name: shown
-- What a list shows of the enrollments that another statement finds.
SELECT found.id, found.contact_id, c.first_name, c.last_name, c.email, c.account_id, a.name AS account_name,
       found.mailbox_id, found.status, found.reason, found.state, found.next_at, found.last_event_at,
       found.step_number, found.contact_name, found.run_epoch, found.version,
       ARRAY (SELECT m.message FROM stop_marks m WHERE m.enrollment_id = found.id AND m.adopted_at IS NULL
              ORDER BY m.recorded_at, m.id) AS pending,
       (SELECT v.kind FROM enrollment_events v WHERE v.enrollment_id = found.id
        ORDER BY v.at DESC, v.id DESC LIMIT 1) AS last_event
FROM ({found}) found
JOIN contacts c ON c.id = found.contact_id
LEFT JOIN accounts a ON a.id = c.account_id
ORDER BY {order}

-- name: page
-- One ordered index scan per own status, each stopped after a page; what is sorted is never more than those pages.
-- The words in braces come from the closed tables in store/keyset.py.
{with_matching}SELECT ordered.* FROM {own} CROSS JOIN LATERAL (
    SELECT e.*, {key} AS key, {rank} AS rank FROM enrollments e
    WHERE e.sequence_id = $1 AND e.status = own.status {where}
    ORDER BY {key} {direction}, e.id {direction} LIMIT $3
) ordered
ORDER BY {order} LIMIT $3

-- name: some
SELECT e.*, 0 AS key, 0 AS rank FROM enrollments e WHERE e.sequence_id = $1 AND e.id = ANY ($2::uuid[])

-- name: found
-- The same among a few contacts that a search has found: theirs are read, and no others.
WITH e AS MATERIALIZED (SELECT e.* FROM enrollments e WHERE e.contact_id = ANY ({contacts}::text[]))
SELECT e.*, {key} AS key, {rank} AS rank FROM e JOIN {own} ON own.status = e.status
WHERE e.sequence_id = $1 {where}
ORDER BY {order} LIMIT $3

-- name: matching
-- Contacts that a search finds, whatever sequence they are in.
SELECT id FROM contacts WHERE search LIKE lower({words})
UNION ALL SELECT c.id FROM accounts a JOIN contacts c ON c.account_id = a.id WHERE a.search LIKE lower({words})

-- name: few_matching
-- Up to $2 by what they are, and up to $2 by their accounts.
(SELECT id FROM contacts WHERE search LIKE lower($1) LIMIT $2)
UNION ALL
(SELECT c.id FROM accounts a JOIN contacts c ON c.account_id = a.id WHERE a.search LIKE lower($1) LIMIT $2)

-- name: count_matching
SELECT (SELECT count(*) FROM (SELECT 1 FROM contacts WHERE search LIKE lower($1) LIMIT $2) c)
     + (SELECT count(*) FROM (SELECT 1 FROM accounts a JOIN contacts c ON c.account_id = a.id
                              WHERE a.search LIKE lower($1) LIMIT $2) c)

-- name: one_plan_each
-- A plan made for the words at hand: what suits a rare word reads everything for a common one.
SET LOCAL plan_cache_mode = force_custom_plan
