-- How far each mailbox has been read by IMAP, and how its reading goes.

CREATE TABLE imap_cursors (
    mailbox_id    text NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    folder        text NOT NULL,
    uid_validity  bigint NOT NULL,     -- UIDs mean something within one validity only (RFC 9051 2.3.1.1)
    uid           bigint NOT NULL,     -- everything up to it is taken in; 0: nothing yet
    since         date NOT NULL,       -- mail that the server received before this day is not looked at
    received_at   timestamptz,         -- when the server received the newest mail taken in
    PRIMARY KEY (mailbox_id, folder)
);

CREATE TABLE imap_watches (
    mailbox_id     text PRIMARY KEY REFERENCES mailboxes (id) ON DELETE CASCADE,
    looked_at      timestamptz NOT NULL,     -- the last sign of life of its watcher
    read_at        timestamptz,              -- when all its folders were last read to their ends
    failing_since  timestamptz,
    code           text,                     -- why it fails, as in mailboxes.state_code
    detail         text,                     -- what the server said, for whoever runs the mailbox
    holds          boolean NOT NULL DEFAULT false   -- the failure holds the mailbox: a login by SMTP must not open it
);
