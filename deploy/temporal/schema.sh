#!/bin/sh
# Brings Temporal's two databases to the schema of this admin-tools release. Safe at every start: setup-schema only
# makes the version tables and leaves a database alone whose version is above 0.0, update-schema runs what is missing.
# The databases themselves come from deploy/postgres/databases.sql. The password is read from SQL_PASSWORD.
set -eu

schema() { # DATABASE DIRECTORY
    tool="temporal-sql-tool --plugin postgres12 --ep $SQL_HOST -p $SQL_PORT -u $SQL_USER --db $1"
    $tool setup-schema -v 0.0
    $tool update-schema -d "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

schema temporal temporal
schema temporal_visibility visibility
