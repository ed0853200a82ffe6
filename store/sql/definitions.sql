-- name: sequence
SELECT definition, revision FROM sequences WHERE id = $1

-- name: schedule
SELECT definition, revision FROM schedules WHERE id = $1

-- name: mailbox
SELECT definition, state, epoch, not_before FROM mailboxes WHERE id = $1

-- name: of_enrollment
SELECT s.revision, s.schedule_id, h.revision AS schedule_revision, s.switched_on,
       m.definition AS mailbox, m.not_before, c.zone AS contact_zone, c.country AS contact_country,
       EXISTS (SELECT 1 FROM sequence_mailboxes x WHERE x.sequence_id = s.id AND x.mailbox_id = m.id) AS listed
FROM sequences s JOIN schedules h ON h.id = s.schedule_id LEFT JOIN mailboxes m ON m.id = $2
     LEFT JOIN contacts c ON c.id = $3
WHERE s.id = $1
