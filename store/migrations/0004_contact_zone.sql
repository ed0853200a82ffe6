-- Where a contact is: a schedule may follow its clock and its country's holidays.
ALTER TABLE contacts
    ADD COLUMN zone text,           -- IANA name
    ADD COLUMN country text;        -- ISO 3166-1 alpha-2, in capitals
