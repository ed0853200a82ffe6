"""The store's database for tests that need no servers beside it."""

from tests.store.conftest import connection, shared

__all__ = ["connection", "shared"]
