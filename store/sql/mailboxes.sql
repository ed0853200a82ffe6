-- name: all
-- Mailboxes with the state of their gates, who changed it last, how their reading goes, and the zone in which their days
-- count: that of the schedule of the first sequence that sends from them. $1: one mailbox, or all.
SELECT m.id, m.definition, m.state, m.state_code, m.state_at, m.epoch, m.not_before,
       (SELECT e.by FROM switch_events e WHERE e.gate = 'mailbox' AND e.key = m.id ORDER BY e.at DESC, e.id DESC LIMIT 1) AS by,
       w.looked_at, w.read_at, w.failing_since, w.code AS unread_code, w.detail AS unread_detail, coalesce(w.holds, false) AS holds,
       u.sequences, u.names, u.zones
FROM mailboxes m
LEFT JOIN imap_watches w ON w.mailbox_id = m.id
LEFT JOIN LATERAL (
    SELECT array_agg(s.id ORDER BY s.id) AS sequences, array_agg(s.definition ->> 'name' ORDER BY s.id) AS names,
           array_agg(h.definition ->> 'zone' ORDER BY s.id) AS zones
    FROM sequence_mailboxes l JOIN sequences s ON s.id = l.sequence_id JOIN schedules h ON h.id = s.schedule_id
    WHERE l.mailbox_id = m.id) u ON true
WHERE $1::text IS NULL OR m.id = $1
ORDER BY m.id

-- name: used
-- What left from each mailbox on its calendar day of $3 and in the hour before.
SELECT m.id, count(*) FILTER (WHERE s.at >= d.begins) AS today, count(*) FILTER (WHERE s.at > $3 - interval '1 hour') AS hour,
       count(*) FILTER (WHERE s.at >= d.begins AND s.first_touch) AS first_touches
FROM unnest($1::text[], $2::text[]) AS m (id, zone)
CROSS JOIN LATERAL (SELECT date_trunc('day', $3::timestamptz AT TIME ZONE m.zone) AT TIME ZONE m.zone AS begins) d
JOIN slots s ON s.mailbox_id = m.id AND s.used AND s.at >= least(d.begins, $3 - interval '1 hour') AND s.at <= $3
GROUP BY m.id

-- name: reserved
-- What is booked on each coming calendar day, overdue emails today.
SELECT m.id, (greatest(s.at, $3::timestamptz) AT TIME ZONE m.zone)::date AS day, count(*) AS n
FROM unnest($1::text[], $2::text[]) AS m (id, zone)
JOIN slots s ON s.mailbox_id = m.id AND NOT s.used AND s.at < $4
GROUP BY 1, 2

-- name: trouble
-- Emails since $2 that came back for their addresses, and those that were refused or came back for what we send.
SELECT mailbox_id, count(*) FILTER (WHERE NOT ours) AS bounces, count(*) FILTER (WHERE ours) AS spam
FROM (
    SELECT mailbox_id, result ->> 'halt' = 'spam_block' AS ours FROM send_ledger
    WHERE mailbox_id = ANY ($1::text[]) AND state = 'rejected' AND settled_at > $2 AND result ->> 'halt' IS NOT NULL
    UNION ALL
    SELECT mailbox_id, bounce_class = ANY ($3::text[]) FROM send_ledger
    WHERE mailbox_id = ANY ($1::text[]) AND bounced_at > $2 AND bounce_class <> ALL ($4::text[])
) back GROUP BY mailbox_id
