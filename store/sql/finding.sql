-- name: contact_by_id
SELECT id FROM contacts WHERE id = $1

-- name: contacts_by_email
SELECT id FROM contacts WHERE lower(email) = lower($1) ORDER BY id LIMIT 20

-- name: contacts_by_name
-- For people at a terminal: reads the whole table.
SELECT id FROM contacts
WHERE lower($1) IN (lower(id), lower(first_name), lower(btrim(first_name || ' ' || last_name))) ORDER BY id LIMIT 20

-- name: enrollments_of_contact
SELECT id, sequence_id, status, closed FROM enrollments
WHERE contact_id = $1 ORDER BY closed, started_at DESC, id DESC
