-- Mail that came in: one row per mail, whatever way and however often it came.
CREATE TABLE inbound_messages (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    fingerprint    bytea NOT NULL UNIQUE,       -- of what the mail says, without the headers that its way adds
    source         text NOT NULL CHECK (source IN ('imap', 'http')),
    mailbox_id     text REFERENCES mailboxes (id),
    folder         text,
    received_at    timestamptz NOT NULL,
    taken_at       timestamptz NOT NULL DEFAULT now(),
    message_id     text,
    sender         text NOT NULL DEFAULT '',
    subject        text NOT NULL DEFAULT '',
    size           integer NOT NULL,
    raw            bytea,                       -- null for lists and our own mail: they are nobody's business here
    kind           text NOT NULL,
    rule           text NOT NULL,
    reading        jsonb NOT NULL,              -- the whole classification, evidence included
    matched_by     text CHECK (matched_by IN ('answers', 'original', 'token', 'address', 'person')),
    enrollment_id  uuid REFERENCES enrollments (id),
    contact_id     text REFERENCES contacts (id),
    told           jsonb NOT NULL DEFAULT '[]', -- what enrollments were told because of it: enrollment, message, id
    needs          text,                        -- why a person should look at it; null when nobody needs to
    settled_at     timestamptz,                 -- since when somebody has
    settled_by     text,
    correction     jsonb,                       -- what a person said it is instead
    CHECK (enrollment_id IS NULL OR matched_by IS NOT NULL)
);
CREATE INDEX inbound_messages_newest ON inbound_messages (received_at DESC, id DESC);
CREATE INDEX inbound_messages_needs ON inbound_messages (received_at DESC, id DESC) WHERE needs IS NOT NULL AND settled_at IS NULL;
CREATE INDEX inbound_messages_enrollment ON inbound_messages (enrollment_id, received_at) WHERE enrollment_id IS NOT NULL;

-- An email that came back after its server had taken it: what the bounce said of it.
ALTER TABLE send_ledger ADD COLUMN bounced_at timestamptz, ADD COLUMN bounce_class text;
CREATE INDEX send_ledger_bounced ON send_ledger (mailbox_id, bounced_at) WHERE bounced_at IS NOT NULL;
CREATE INDEX send_ledger_recipient ON send_ledger (lower(recipient), bounced_at);
