"""Migrations: numbered SQL files, each applied once, in order, in one transaction each."""

from __future__ import annotations

import hashlib
from importlib import resources

import asyncpg

from store.database import Connection

_LOCK = 0x6F6E7764  # "onwd": two processes that migrate at once go one after the other


class MigrationError(Exception):
    """The database holds migrations that this program does not know, or knows otherwise."""

    code = "migration_mismatch"


def migrations() -> list[tuple[int, str, str]]:
    """Number, name and SQL of each migration, in order."""
    folder = resources.files("store") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name[:4]), f.name, f.read_text(encoding="utf-8")) for f in files]


async def migrate(url: str) -> list[str]:
    """Apply what is missing and answer the names applied. Safe to repeat, and from several processes at once.

    Raises MigrationError when an applied file differs from ours: the database belongs to another version.
    """
    connection: Connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (number integer PRIMARY KEY, name text NOT NULL,"
            " digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied = {row["number"]: row for row in await connection.fetch("SELECT number, name, digest FROM migrations")}
        known = migrations()
        unknown = sorted(set(applied) - {number for number, _, _ in known})
        if unknown:
            raise MigrationError(f"the database has migration {unknown[0]}, which this version does not know; upgrade")
        done = []
        for number, name, text in known:
            digest = hashlib.sha256(text.encode()).hexdigest()
            if number in applied:
                if applied[number]["digest"] != digest:
                    raise MigrationError(f"migration {name} was changed after it was applied; restore the file")
                continue
            async with connection.transaction():
                await connection.execute(text)
                await connection.execute(
                    "INSERT INTO migrations (number, name, digest) VALUES ($1, $2, $3)", number, name, digest
                )
            done.append(name)
        return done
    finally:
        await connection.close()


async def pending(connection: Connection) -> list[str]:
    """Names of migrations that the database lacks (for readiness)."""
    exists = await connection.fetchval("SELECT to_regclass('migrations') IS NOT NULL")
    rows = await connection.fetch("SELECT number FROM migrations") if exists else []
    applied = {row["number"] for row in rows}
    return [name for number, name, _ in migrations() if number not in applied]
