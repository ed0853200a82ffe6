-- name: look
-- What a booking needs to know from $3 on, in one round trip. `start` is $3, or the end of the time from there on that is
-- known to be full; with it, what its day holds (null when that day is not known) and the emails around the time looked at.
SELECT EXISTS (SELECT FROM freed_slots WHERE mailbox_id = $1)
       OR EXISTS (SELECT FROM slots WHERE enrollment_id = $2 AND NOT used) AS stale,
       s.start, lower(s.day) AS day_begin, upper(s.day) AS day_end, d.emails, d.first_touches, n.times, n.jitters
FROM (SELECT f.start, CASE WHEN $5::tstzrange @> f.start THEN $5::tstzrange WHEN f.day @> f.start THEN f.day END AS day
      FROM (SELECT greatest($3, upper(t) - interval '1 microsecond') AS start, k.day
            FROM full_times k, unnest(k.times) t
            WHERE k.mailbox_id = $1 AND k.rule = $4 AND t @> $3::timestamptz AND k.since > now() - interval '1 day'
            UNION ALL SELECT $3, NULL
            ORDER BY 1 DESC, 2 LIMIT 1) f) s
CROSS JOIN LATERAL (
    SELECT count(*) AS emails, count(*) FILTER (WHERE first_touch) AS first_touches
    FROM slots WHERE mailbox_id = $1 AND at >= lower(s.day) AND at < upper(s.day)) d
CROSS JOIN LATERAL (
    SELECT array_agg(at ORDER BY at) AS times, array_agg(jitter ORDER BY at) AS jitters
    FROM slots WHERE mailbox_id = $1 AND at > s.start - $6::interval AND at < s.start + $7::interval + $6::interval) n

-- name: learn
-- Nothing fits from $3 to $4, whose day is $5. What is older than a day is learned anew: holidays and time zones change.
WITH old AS (DELETE FROM full_times WHERE mailbox_id = $1 AND rule <> $2 AND since <= now() - interval '1 day')
INSERT INTO full_times AS k (mailbox_id, rule, times, day, spread)
VALUES ($1, $2, tstzmultirange(tstzrange($3, $4)), $5, $6)
ON CONFLICT (mailbox_id, rule) DO UPDATE SET
    times = CASE WHEN k.since > now() - interval '1 day' THEN k.times + excluded.times ELSE excluded.times END,
    since = CASE WHEN k.since > now() - interval '1 day' THEN k.since ELSE excluded.since END,
    day = excluded.day

-- name: forget
WITH freed AS (DELETE FROM freed_slots WHERE mailbox_id = $1 RETURNING at)
UPDATE full_times k
SET times = k.times - (SELECT range_agg(tstzrange(at - k.spread, at + k.spread)) FROM freed)
WHERE k.mailbox_id = $1 AND EXISTS (SELECT FROM freed)

-- name: release
DELETE FROM slots WHERE enrollment_id = $1 AND NOT used

-- name: book
INSERT INTO slots (mailbox_id, enrollment_id, at, first_touch, jitter) VALUES ($1, $2, $3, $4, $5)

-- name: booked
SELECT at, cause FROM slots WHERE enrollment_id = $1 AND NOT used

-- name: used
-- What really left from the mailbox: in the day that began at $2, and the single emails since $3. Clocks differ a little:
-- until $4. A departure is at most $5 from its place in the calendar.
SELECT count(*) FILTER (WHERE u.at >= $2) AS emails, count(*) FILTER (WHERE u.at >= $2 AND first_touch) AS first_touches,
       array_agg(u.at ORDER BY u.at) FILTER (WHERE u.at > $3) AS times,
       array_agg(jitter ORDER BY u.at) FILTER (WHERE u.at > $3) AS jitters
FROM slots s CROSS JOIN LATERAL (SELECT coalesce(s.left_at, s.at) AS at) u
WHERE s.mailbox_id = $1 AND s.at >= least($2, $3)::timestamptz - $5::interval AND s.at <= $4::timestamptz + $5::interval
  AND used AND u.at <= $4

-- name: use
-- The booking becomes what really happened, but keeps its place where the email left within $6 of it. Without a booking (it
-- was released and not taken again) a used slot is added.
WITH moved AS (
    UPDATE slots SET mailbox_id = $1, first_touch = $4, jitter = $5, used = true, left_at = $3::timestamptz,
                     at = CASE WHEN at BETWEEN $3::timestamptz - $6::interval AND $3::timestamptz + $6::interval
                               THEN at ELSE $3::timestamptz END
    WHERE enrollment_id = $2 AND NOT used RETURNING id, at),
added AS (
    INSERT INTO slots (mailbox_id, enrollment_id, at, first_touch, jitter, used, left_at)
    SELECT $1, $2, $3::timestamptz, $4, $5, true, $3::timestamptz WHERE NOT EXISTS (SELECT FROM moved) RETURNING id, at)
SELECT id, at FROM moved UNION ALL SELECT id, at FROM added

-- name: unuse
-- The email did not leave after all (a refusal before or at the end of DATA): the slot's room is given back.
DELETE FROM slots WHERE id = $1 AND used

-- name: touches
-- Other emails to the contact: those that left since $3, or may have, and those booked for its other enrollments.
SELECT coalesce(slot_at, sending_at) AS at FROM send_ledger
WHERE contact_id = $1 AND coalesce(slot_at, sending_at) > $3 AND state IN ('sending', 'sent', 'unknown')
UNION ALL
SELECT s.at FROM enrollments e JOIN slots s ON s.enrollment_id = e.id AND NOT s.used
WHERE e.contact_id = $1 AND e.id <> $2 AND s.at > $3
ORDER BY at

-- name: last_touch
SELECT max(sending_at) FROM send_ledger WHERE contact_id = $1 AND state IN ('sending', 'sent', 'unknown')

-- name: load
-- How many wait at each mailbox, counted up to $2; and where its queue ends.
SELECT m.id, (SELECT count(*) FROM (SELECT FROM slots WHERE mailbox_id = m.id AND NOT used LIMIT $2) w) AS waiting,
       (SELECT max(at) FROM slots WHERE mailbox_id = m.id) AS last
FROM unnest($1::text[]) AS m (id)
