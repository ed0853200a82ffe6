-- The jitter of an email: the space kept behind it, beside the gap.
ALTER TABLE slots ADD COLUMN jitter interval NOT NULL DEFAULT '0';

-- What is known of calendars: times at which nothing fits, so that a booking need not pass by all who wait (store/slots.py).
CREATE TABLE full_times (
    mailbox_id  text NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    rule        text NOT NULL,              -- domain.capacity.Rule.key: windows, days, limits
    times       tstzmultirange NOT NULL,
    day         tstzrange NOT NULL,         -- the calendar day of the rule in which the last one learned ends
    spread      interval NOT NULL,          -- how far from a slot that is freed something may fit
    since       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mailbox_id, rule)
);

-- Slots that were released or moved since a booking looked last: what is known of the times around them is forgotten then.
CREATE TABLE freed_slots (
    mailbox_id  text NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    at          timestamptz NOT NULL
);
CREATE INDEX freed_slots_mailbox ON freed_slots (mailbox_id);

CREATE FUNCTION note_freed_slot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO freed_slots (mailbox_id, at) VALUES (OLD.mailbox_id, OLD.at);
    RETURN NULL;
END $$;
CREATE TRIGGER slots_released AFTER DELETE ON slots FOR EACH ROW EXECUTE FUNCTION note_freed_slot();
-- An email that leaves after its slot frees nothing but times that are over.
CREATE TRIGGER slots_moved AFTER UPDATE ON slots FOR EACH ROW
    WHEN (OLD.mailbox_id <> NEW.mailbox_id OR OLD.first_touch > NEW.first_touch OR OLD.jitter > NEW.jitter
          OR NEW.at < OLD.at OR (NEW.at > OLD.at AND NOT NEW.used))
    EXECUTE FUNCTION note_freed_slot();
