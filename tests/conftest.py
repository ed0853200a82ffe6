"""One set of servers per run (see `tests.servers`), one database and one task queue per test: servers take seconds to start."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
import pytest_asyncio

from embedded.imap import ImapServer
from embedded.recipients import Recipients
from tests.harness import World, open_world
from tests.servers import Servers, own_database, running_stack, running_time_skipper

RUNNING = pytest.StashKey[ExitStack]()
SHARED = pytest.StashKey[dict[str, str]]()
STATUS = pytest.StashKey[int]()
LONGEST = ("test_forecast", "test_engineers_doc", "test_demo", "test_accessible", "test_hostile", "test_worker_killed")
"""Files whose tests take longest."""


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """The real servers: Temporal's dev server and PostgreSQL."""
    if shared := request.config.stash.get(SHARED, None):
        yield Servers(shared["database_url"], shared["temporal_address"])
    else:
        with running_stack() as servers:
            yield servers


@pytest.fixture(scope="session")
def time_skipping_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a real Temporal server with time skipping switched on."""
    if shared := request.config.stash.get(SHARED, None):
        yield shared["time_skipping_address"]
    else:
        with running_time_skipper() as address:
            yield address


@pytest_asyncio.fixture
async def fresh_database(stack: Servers) -> AsyncIterator[str]:
    """The URL of an empty, migrated database of this test's own."""
    async with own_database(stack) as url:
        yield url


@pytest.fixture
def recipients() -> Iterator[Recipients]:
    """An SMTP server that plays everybody the test writes to."""
    with Recipients() as running:
        yield running


@pytest.fixture
def imap_server() -> Iterator[ImapServer]:
    """An IMAP server with the mailbox of the user mara, whose password is `right`."""
    with ImapServer({"mara": "right"}) as running:
        yield running


@pytest_asyncio.fixture
async def world(stack: Servers, fresh_database: str, recipients: Recipients) -> AsyncIterator[World]:
    """Onward on real servers with a worker in this process."""
    async with open_world(stack.temporal_address, fresh_database, recipients) as opened, opened.worker():
        yield opened


@pytest_asyncio.fixture
async def workerless(stack: Servers, fresh_database: str, recipients: Recipients) -> AsyncIterator[World]:
    """Onward on real servers; the test starts and stops workers itself."""
    async with open_world(stack.temporal_address, fresh_database, recipients) as opened:
        yield opened


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[object]) -> None:
    """In the process that hands the tests out, before it starts its workers: start the servers for all of them."""
    namespaces = [f"tests-{number}" for number in range(len(specs))]
    running = config.stash[RUNNING] = ExitStack()
    servers = running.enter_context(running_stack(namespaces))
    config.stash[SHARED] = {
        "database_url": servers.database_url,
        "temporal_address": servers.temporal_address,
        "time_skipping_address": running.enter_context(running_time_skipper(namespaces)),
    }


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In that process, for each worker: tell it where the servers are and which namespace is its own."""
    number = node.workerinput["workerid"].removeprefix("gw")
    node.workerinput["servers"] = {**node.config.stash[SHARED], "namespace": f"tests-{number}"}


def pytest_configure(config: pytest.Config) -> None:
    """In a worker: take what it was told. The environment names the namespace to clients and to processes of tests."""
    told = getattr(config, "workerinput", {}).get("servers")
    if told:
        config.stash[SHARED] = told
        os.environ["TEMPORAL_NAMESPACE"] = told["namespace"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: at the end they would keep one process busy while the others have nothing left."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def pytest_collection_finish() -> None:
    """The garbage collector need not go through thousands of collected tests again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what is shared, and leave by os._exit with pytest's own status: the Temporal SDK can crash at interpreter exit
    (sdk-python #300)."""
    if running := config.stash.get(RUNNING, None):
        running.close()
    status = config.stash.get(STATUS, None)
    if status is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember the status for `pytest_unconfigure`, which comes after the summary is printed."""
    session.config.stash[STATUS] = int(exitstatus)
