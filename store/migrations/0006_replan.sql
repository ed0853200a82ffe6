-- Mailboxes whose booked slots an edit of a schedule or of limits has called into question, until they are rewritten.
CREATE TABLE replans (
    mailbox_id  text PRIMARY KEY REFERENCES mailboxes (id) ON DELETE CASCADE,
    wanted      integer NOT NULL DEFAULT 1,     -- how many edits asked for it
    done        integer NOT NULL DEFAULT 0      -- the last of them that the calendar has been rewritten for
);

-- Why a booking that was placed anew is later than due, for its workflow to be told.
ALTER TABLE slots ADD COLUMN cause text;
