-- The roles and databases of Temporal and of Onward. Runs at every start of the compose project, so that it also
-- carries changed passwords over; what exists is left alone.
\set ON_ERROR_STOP on
\getenv temporal_password POSTGRES_TEMPORAL_PASSWORD
\getenv onward_password POSTGRES_ONWARD_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', role)
FROM unnest(ARRAY['temporal', 'onward']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec

ALTER ROLE temporal PASSWORD :'temporal_password';
ALTER ROLE onward PASSWORD :'onward_password';

SELECT format('CREATE DATABASE %I OWNER %I', name, owner)
FROM (VALUES ('temporal', 'temporal'), ('temporal_visibility', 'temporal'), ('onward', 'onward')) AS wanted (name, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec

-- Each role reaches its own databases only.
REVOKE CONNECT ON DATABASE temporal, temporal_visibility, onward FROM PUBLIC;
