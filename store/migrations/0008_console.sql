-- What the console shows: search, filters and counts that read no more than they show.

-- Which step an enrollment stands at, by its ID: for the filter, and for counts per step from the index alone.
ALTER TABLE enrollments ADD COLUMN step_id text GENERATED ALWAYS AS (state #>> '{step,id}') STORED;
CREATE INDEX enrollments_by_step_id ON enrollments (sequence_id, status, step_id, last_event_at, id);

-- Reasons of whoever is not Active: the way of those who are sending does not touch these.
CREATE INDEX enrollments_by_reason ON enrollments (sequence_id, status, reason, last_event_at, id) WHERE reason IS NOT NULL;

-- What waits for a person, over all sequences, newest first. Partial, so that whoever advances costs nothing here.
CREATE INDEX enrollments_bounced ON enrollments (last_event_at DESC, id DESC) WHERE status = 'bounced' AND NOT closed;
-- Without what goes on by itself once it is mended.
CREATE INDEX enrollments_not_sent ON enrollments (last_event_at DESC, id DESC)
    WHERE status = 'not_sent' AND NOT closed AND reason NOT IN ('template_error', 'mailbox_missing');
CREATE INDEX enrollments_unknown ON enrollments (last_event_at DESC, id DESC)
    WHERE status = 'paused' AND reason = 'delivery_unknown' AND NOT closed;
CREATE INDEX enrollments_failed ON enrollments (last_event_at DESC, id DESC)
    WHERE status = 'paused' AND reason = 'system_error' AND NOT closed;
CREATE INDEX stop_marks_newest ON stop_marks (recorded_at DESC, enrollment_id DESC, id DESC) WHERE adopted_at IS NULL;
CREATE INDEX inbound_messages_return_date ON inbound_messages (received_at DESC, id DESC)
    WHERE needs = 'return_date' AND settled_at IS NULL;
CREATE INDEX inbound_messages_needs_else ON inbound_messages (received_at DESC, id DESC)
    WHERE needs <> 'return_date' AND settled_at IS NULL;

-- What a search looks through: one text per contact and per account, lower-case, its parts on lines of their own so that no
-- search matches across two of them.
ALTER TABLE contacts ADD COLUMN search text
    GENERATED ALWAYS AS (lower(id || E'\n' || btrim(first_name || ' ' || last_name) || E'\n' || coalesce(email, ''))) STORED;
ALTER TABLE accounts ADD COLUMN search text GENERATED ALWAYS AS (lower(name)) STORED;

-- pg_trgm comes with PostgreSQL and may be created by the owner of the database. Where a server lacks it, or has it in a schema
-- that the search path does not name, a search finds the same, reading more.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX contacts_search ON contacts USING gin (search gin_trgm_ops);
    CREATE INDEX accounts_search ON accounts USING gin (search gin_trgm_ops);
EXCEPTION WHEN feature_not_supported OR undefined_file OR undefined_object OR insufficient_privilege THEN
    RAISE WARNING 'without the extension pg_trgm a search for contacts reads all of them: %', SQLERRM;
END $$;

-- What was sent lately by each sequence, and what became of each step's emails over all time.
CREATE INDEX send_ledger_lately ON send_ledger (sending_at) INCLUDE (sequence_id) WHERE state = 'sent';
CREATE INDEX send_ledger_steps ON send_ledger (sequence_id, step_id) WHERE state = 'sent';
CREATE INDEX send_ledger_back ON send_ledger (sequence_id, step_id) WHERE bounced_at IS NOT NULL OR state = 'rejected';
CREATE INDEX slots_coming ON slots (at) INCLUDE (enrollment_id, mailbox_id) WHERE NOT used;
