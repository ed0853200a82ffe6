-- When an email really left: limits hold for that. `at` stays the slot of one that left right after it, so that what is booked
-- behind it lies where it was forecast, not some moment later.
ALTER TABLE slots ADD COLUMN left_at timestamptz;
-- The same for distances between emails to one contact.
ALTER TABLE send_ledger ADD COLUMN slot_at timestamptz;
