-- Facts: what people and the world say. PostgreSQL owns these.

CREATE TABLE accounts (
    id          text PRIMARY KEY,
    name        text NOT NULL,
    stage       text NOT NULL DEFAULT 'Cold',
    fields      jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE contacts (
    id            text PRIMARY KEY,
    account_id    text REFERENCES accounts (id),
    first_name    text NOT NULL DEFAULT '',
    last_name     text NOT NULL DEFAULT '',
    sort_name     text GENERATED ALWAYS AS (lower(btrim(last_name || ' ' || first_name))) STORED,
    email         text,
    email_status  text NOT NULL DEFAULT 'unknown'
                  CHECK (email_status IN ('unknown', 'verified', 'unverified', 'bounced')),
    stage         text NOT NULL DEFAULT 'Cold',
    stage_set_by  uuid,             -- the enrollment whose event set the stage, if one did
    stage_before_bounce text,       -- what a new address restores
    consent       boolean,
    changed_job   boolean NOT NULL DEFAULT false,
    fields        jsonb NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX contacts_account ON contacts (account_id);
CREATE INDEX contacts_email ON contacts (lower(email));

CREATE TABLE schedules (
    id          text PRIMARY KEY,
    definition  jsonb NOT NULL,
    revision    integer NOT NULL DEFAULT 1,
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE mailboxes (
    id          text PRIMARY KEY,
    definition  jsonb NOT NULL,     -- credentials are references (env:NAME, file:/path), never secrets
    state       text NOT NULL DEFAULT 'up' CHECK (state IN ('up', 'down', 'guardrail', 'paused')),
    state_code  text,               -- why: a class of refusals, or an SMTP code
    state_at    timestamptz NOT NULL DEFAULT now(),
    epoch       integer NOT NULL DEFAULT 0,   -- rises at each change of state; see gates in docs/terms.md
    not_before  timestamptz,        -- told to slow down: no slot is given before
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sequences (
    id           text PRIMARY KEY,
    definition   jsonb NOT NULL,
    schedule_id  text NOT NULL REFERENCES schedules (id),
    revision     integer NOT NULL DEFAULT 1,
    switched_on  boolean NOT NULL DEFAULT true,
    epoch        integer NOT NULL DEFAULT 0,
    switched_at  timestamptz NOT NULL DEFAULT now(),
    switched_by  text NOT NULL DEFAULT 'system',
    updated_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sequence_mailboxes (
    sequence_id  text NOT NULL REFERENCES sequences (id) ON DELETE CASCADE,
    mailbox_id   text NOT NULL REFERENCES mailboxes (id),
    position     integer NOT NULL,
    PRIMARY KEY (sequence_id, mailbox_id)
);

-- One row: the switch over everything.
CREATE TABLE global_switch (
    singleton    boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    switched_on  boolean NOT NULL DEFAULT true,
    epoch        integer NOT NULL DEFAULT 0,
    switched_at  timestamptz NOT NULL DEFAULT now(),
    switched_by  text NOT NULL DEFAULT 'system'
);
INSERT INTO global_switch DEFAULT VALUES;

CREATE TABLE switch_events (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gate         text NOT NULL CHECK (gate IN ('global', 'sequence', 'mailbox')),
    key          text NOT NULL,
    state        text NOT NULL,
    epoch        integer NOT NULL,
    by           text NOT NULL,
    at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX switch_events_key ON switch_events (gate, key, at);

-- Addresses that get no email from anybody here. `address` is the case-folded address.
CREATE TABLE suppressions (
    address     text PRIMARY KEY,
    reason      text NOT NULL,      -- unsubscribed, complained, or an admin's own
    by          text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now()
);

-- The projection of each enrollment, written only for its workflow. The state is the workflow's own, whole.
CREATE TABLE enrollments (
    id              uuid PRIMARY KEY,           -- first execution run ID of the workflow
    workflow_id     text NOT NULL,
    sequence_id     text NOT NULL REFERENCES sequences (id),
    contact_id      text NOT NULL REFERENCES contacts (id),
    mailbox_id      text REFERENCES mailboxes (id),
    run_id          uuid NOT NULL,              -- the run that wrote last
    run_epoch       integer NOT NULL DEFAULT 1, -- order in which runs of this enrollment were first seen
    version         integer NOT NULL,           -- the workflow's counter; (run_epoch, version) only ever rises
    state           jsonb NOT NULL,
    status          text NOT NULL
                    CHECK (status IN ('active', 'paused', 'bounced', 'not_sent', 'finished', 'removed')),
    reason          text,
    step_number     integer,
    next_at         timestamptz,                -- what it will do next by itself; null: waits for a person or event
    last_event_at   timestamptz NOT NULL,
    contact_name    text NOT NULL DEFAULT '',   -- sort_name of the contact, for keyset pages
    overrides       text[] NOT NULL DEFAULT '{}',
    admitted_stage  text,
    admitted_account_stage text,
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    closed          boolean NOT NULL DEFAULT false,
    CHECK (NOT closed OR ended_at IS NOT NULL)
);
-- One open enrollment per contact and sequence: Temporal guarantees it by workflow ID, this row by itself.
CREATE UNIQUE INDEX enrollments_one_open ON enrollments (sequence_id, contact_id) WHERE NOT closed;
CREATE INDEX enrollments_contact ON enrollments (contact_id);
CREATE INDEX enrollments_by_event ON enrollments (sequence_id, status, last_event_at, id);
CREATE INDEX enrollments_by_next ON enrollments (sequence_id, status, coalesce(next_at, 'infinity'::timestamptz), id);
CREATE INDEX enrollments_by_step ON enrollments (sequence_id, status, coalesce(step_number, 2147483647), id);
CREATE INDEX enrollments_by_name ON enrollments (sequence_id, status, contact_name, id);

-- Runs of an enrollment in the order they first wrote: a reset run comes later and takes over.
CREATE TABLE enrollment_runs (
    enrollment_id  uuid NOT NULL,
    run_id         uuid NOT NULL,
    epoch          integer NOT NULL,
    PRIMARY KEY (enrollment_id, run_id),
    UNIQUE (enrollment_id, epoch)
);

-- The story. Append-only: a trigger refuses changes.
CREATE TABLE enrollment_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enrollment_id  uuid NOT NULL REFERENCES enrollments (id),
    key            text NOT NULL,               -- the same event recorded again is the same row
    kind           text NOT NULL,
    by             text NOT NULL,
    at             timestamptz NOT NULL,
    data           jsonb NOT NULL DEFAULT '{}',
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (enrollment_id, key)
);
CREATE INDEX enrollment_events_story ON enrollment_events (enrollment_id, at, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER enrollment_events_append_only BEFORE UPDATE OR DELETE ON enrollment_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE enrollment_refusals (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id       uuid UNIQUE,                   -- the refused workflow run; null when refused at the door
    sequence_id  text NOT NULL,
    contact_id   text NOT NULL,
    code         text NOT NULL,
    detail       jsonb NOT NULL DEFAULT '{}',
    by           text NOT NULL,
    at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX enrollment_refusals_sequence ON enrollment_refusals (sequence_id, at);

-- Stop marks: committed before the workflow is told. While one is not adopted, no email leaves.
CREATE TABLE stop_marks (
    id             text NOT NULL,               -- the message's id
    enrollment_id  uuid NOT NULL REFERENCES enrollments (id),
    message        text NOT NULL,               -- its name
    payload        jsonb NOT NULL,              -- as it was or will be signalled
    by             text NOT NULL,
    at             timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    signalled_at   timestamptz,
    adopted_at     timestamptz,
    PRIMARY KEY (enrollment_id, id)
);
CREATE INDEX stop_marks_pending ON stop_marks (enrollment_id) WHERE adopted_at IS NULL;
CREATE INDEX stop_marks_sweep ON stop_marks (coalesce(signalled_at, recorded_at)) WHERE adopted_at IS NULL;

-- The send ledger: one row per enrollment, step and attempt.
--   claimed   guards passed; bytes and Message-ID fixed     -> sending | deferred | rejected | withdrawn
--   sending   the point of no return, right before DATA     -> sent | rejected | deferred | unknown
--   deferred  a 4xx; the next try takes it up again          -> claimed
--   withdrawn a stop or a limit came before DATA             -> claimed
--   unknown   nobody knows                                   -> sent | rejected (late evidence, a person)
--   sent, rejected: final.  settled: what a person said of an unknown one.
CREATE TABLE send_ledger (
    enrollment_id  uuid NOT NULL REFERENCES enrollments (id),
    step_id        text NOT NULL,
    attempt        integer NOT NULL CHECK (attempt >= 1),
    state          text NOT NULL
                   CHECK (state IN ('claimed', 'sending', 'sent', 'rejected', 'deferred', 'withdrawn', 'unknown')),
    sequence_id    text NOT NULL,
    contact_id     text NOT NULL,
    mailbox_id     text NOT NULL REFERENCES mailboxes (id),
    message_id     text NOT NULL UNIQUE,
    recipient      text NOT NULL,
    subject        text NOT NULL,
    message        bytea,
    fence          integer NOT NULL DEFAULT 1,
    owner          text NOT NULL,
    lease_until    timestamptz NOT NULL,        -- the database's clock
    tries          integer NOT NULL DEFAULT 1,
    due_at         timestamptz,
    sending_at     timestamptz,                 -- the activity's clock
    settled_at     timestamptz,
    reply_code     integer,
    reply_text     text,
    settled_by     text,
    settled_as     text CHECK (settled_as IN ('sent', 'not_sent')),
    result         jsonb,                       -- the stored answer of `deliver`, next slot included
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (enrollment_id, step_id, attempt),
    CHECK (state NOT IN ('sent', 'unknown') OR sending_at IS NOT NULL),
    CHECK (settled_as IS NULL OR settled_by IS NOT NULL)
);
CREATE INDEX send_ledger_mailbox ON send_ledger (mailbox_id, sending_at) WHERE sending_at IS NOT NULL;
CREATE INDEX send_ledger_open ON send_ledger (lease_until) WHERE state IN ('claimed', 'sending');
CREATE INDEX send_ledger_contact ON send_ledger (contact_id);
CREATE INDEX send_ledger_spam ON send_ledger (mailbox_id, settled_at) WHERE state = 'rejected';

-- A mailbox's calendar: booked sending times ahead, used ones behind.
CREATE TABLE slots (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mailbox_id     text NOT NULL REFERENCES mailboxes (id),
    -- Deferred: the first slot is booked before the record is inserted, in one transaction.
    enrollment_id  uuid NOT NULL REFERENCES enrollments (id) DEFERRABLE INITIALLY DEFERRED,
    at             timestamptz NOT NULL,
    first_touch    boolean NOT NULL,
    used           boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX slots_one_booked ON slots (enrollment_id) WHERE NOT used;
CREATE INDEX slots_calendar ON slots (mailbox_id, at);
CREATE INDEX slots_ahead ON slots (mailbox_id) WHERE NOT used;

-- Enrollments that met a closed gate and wait for it; the row goes when the wake-up is handled.
CREATE TABLE parked (
    enrollment_id  uuid NOT NULL REFERENCES enrollments (id),
    gate           text NOT NULL CHECK (gate IN ('global', 'sequence', 'mailbox', 'template')),
    key            text NOT NULL,
    epoch          integer NOT NULL,
    at             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (enrollment_id, gate)
);
CREATE INDEX parked_gate ON parked (gate, key, enrollment_id);

CREATE TABLE idempotency_keys (
    key           text PRIMARY KEY,
    route         text NOT NULL,
    request_hash  text NOT NULL,
    status        integer,                      -- null while the first request runs
    body          jsonb,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
