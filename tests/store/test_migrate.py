"""Migrations: once each, in order, whoever asks and how often."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from store import migrate as module
from store.migrate import MigrationError, migrate, migrations, pending

ROOT = Path(__file__).parent.parent.parent
NAMES = [name for _, name, _ in migrations()]


async def test_the_second_run_finds_nothing_to_do(empty_url: str) -> None:
    connection = await asyncpg.connect(empty_url)
    assert await pending(connection) == NAMES
    assert await migrate(empty_url) == NAMES
    assert await pending(connection) == []
    assert await migrate(empty_url) == []
    await connection.close()


def test_two_processes_at_once_apply_each_file_once(empty_url: str) -> None:
    program = "import asyncio, sys; from store.migrate import migrate; print(len(asyncio.run(migrate(sys.argv[1]))))"
    both = [
        subprocess.Popen([sys.executable, "-c", program, empty_url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=60)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(answers) == ["0", str(len(NAMES))]


async def test_a_file_changed_after_it_was_applied_is_refused(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate(empty_url)
    changed = [(number, name, text + "\n-- more") for number, name, text in migrations()]
    monkeypatch.setattr(module, "migrations", lambda: changed)
    with pytest.raises(MigrationError, match=r"0001_core\.sql was changed"):
        await migrate(empty_url)


async def test_a_database_of_a_newer_version_is_refused(empty_url: str) -> None:
    await migrate(empty_url)
    connection = await asyncpg.connect(empty_url)
    await connection.execute("INSERT INTO migrations (number, name, digest) VALUES (9999, '9999_later.sql', '')")
    with pytest.raises(MigrationError, match="9999"):
        await migrate(empty_url)
    await connection.close()


async def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [*migrations(), (9000, "9000_broken.sql", "CREATE TABLE half (id int); SELECT nonsense")]
    monkeypatch.setattr(module, "migrations", lambda: broken)
    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrate(empty_url)
    monkeypatch.undo()
    connection = await asyncpg.connect(empty_url)
    assert await connection.fetchval("SELECT to_regclass('half')") is None
    assert await migrate(empty_url) == []
    await connection.close()


async def test_an_extension_out_of_reach_stops_no_migration(empty_url: str) -> None:
    """Where pg_trgm is installed in a schema that the search path does not name, a search goes without it."""
    connection = await asyncpg.connect(empty_url)
    await connection.execute("CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions")
    assert await migrate(empty_url) == NAMES
    assert await connection.fetchval("SELECT to_regclass('contacts_search')") is None
    await connection.close()
