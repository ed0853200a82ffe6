-- Who may call, who is signed in, and who has done what.

-- A key's secret is 32 random bytes, so one SHA-256 of the key's text is enough at rest: nobody can try 2^256 of them, and a
-- slow hash would only slow every request down.
CREATE TABLE api_keys (
    id            text PRIMARY KEY,             -- the public part of its text
    name          text NOT NULL,
    hash          bytea NOT NULL,
    scopes        text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'operate', 'admin', 'inbound']),
    actor         text NOT NULL,                -- whom its commands are by, where they name nobody else
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL,
    expires_at    timestamptz,
    last_used_at  timestamptz,                  -- to the minute
    revoked_at    timestamptz,
    revoked_by    text
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;

-- Browsers that are signed in to the console. A session lives as long as its key, at most.
CREATE TABLE sessions (
    id          text PRIMARY KEY,               -- no secret: for the audit
    hash        bytea NOT NULL UNIQUE,          -- of the token in the cookie
    key_id      text NOT NULL,                  -- of api_keys, or `token`: the key from the settings
    proof       bytea,                          -- for that one: a MAC of it, so that the session ends when it is changed
    created_at  timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL            -- to the minute
);
CREATE INDEX sessions_seen ON sessions (seen_at);

-- Links that sign a browser in, once.
CREATE TABLE sign_in_links (
    hash        bytea PRIMARY KEY,
    key_id      text NOT NULL REFERENCES api_keys (id),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);

-- Tries to sign in that did not succeed (or are still under way), by address.
CREATE TABLE sign_in_tries (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    address  text NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX sign_in_tries_address ON sign_in_tries (address, at);
CREATE INDEX sign_in_tries_at ON sign_in_tries (at);

-- The audit. An entry is written before its command runs, what came of it after: an entry without a result was cut off.
CREATE TABLE audit_entries (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    key_id      text,                           -- null: nobody was known, as when a sign-in fails; `cli` for the command line
    actor       text,
    session_id  text,
    action      text NOT NULL,
    kind        text,                           -- on whom: enrollment, sequence, contact, ...
    target      text,
    origin      text NOT NULL,                  -- the caller's address, or `cli`
    request     text NOT NULL                   -- X-Request-ID, or the command's run: the same for all entries of one
);
CREATE INDEX audit_entries_actor ON audit_entries (actor, id);
CREATE INDEX audit_entries_key ON audit_entries (key_id, id);
CREATE INDEX audit_entries_target ON audit_entries (target, id);
CREATE INDEX audit_entries_action ON audit_entries (action, id);

CREATE TABLE audit_results (
    entry   bigint PRIMARY KEY REFERENCES audit_entries (id),
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    result  text NOT NULL CHECK (result IN ('done', 'refused', 'failed')),
    status  integer,                            -- of HTTP
    code    text,                               -- of the problem
    by      text                                -- whom the command names, where that is not the key's own actor
);

CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entries_not_emptied BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_results_append_only BEFORE UPDATE OR DELETE ON audit_results
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_results_not_emptied BEFORE TRUNCATE ON audit_results
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
