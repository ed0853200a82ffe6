"""A mailbox is read by IMAP: everything new once, nothing changed there, and it sends nothing while it cannot be read."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from activities.services import valid_address
from client.reading import explain
from domain.errors import InvalidDefinition
from domain.inbound import Arrival
from domain.sequences import Mailbox, parse_definition
from domain.watching import TROUBLE, back_off, describe, watch_id
from embedded.imap import ImapServer, append
from embedded.recipients import Recipients, self_signed_context
from mail.definitions import check_mailbox
from mail.errors import ImapError
from mail.filling import gap_finder
from mail.imap import MAX_BYTES, Server, Session, chunks, spam_folders
from store import catalog, cursors
from store.cursors import Watched
from tests.harness import World, eventually, open_world, plain_step
from tests.inbound.mails import answer
from tests.servers import Servers
from worker import inbound
from workflows.watch import Watch

NEVER = 1_400.0
"""A poll that no test lives to see: what is read then was told by IDLE."""


def mail(subject: str, body: str = "Hello") -> bytes:
    return f"From: anna@example.com\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()


class Taken:
    """Stands for the one path: notes what it is given. `fail` raises for the mails that a test wants to fail."""

    def __init__(self, fail: Callable[[Arrival], None] = lambda arrival: None) -> None:
        self.arrivals: list[Arrival] = []
        self.fail = fail

    async def __call__(self, arrival: Arrival) -> None:
        self.fail(arrival)
        self.arrivals.append(arrival)

    def subjects(self) -> list[str]:
        return [arrival.raw.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for arrival in self.arrivals]

    async def until(self, *subjects: str) -> None:
        """Wait until exactly these were taken in, in whatever order."""

        async def there() -> bool:
            return Counter(self.subjects()) == Counter(subjects)

        async def describe() -> str:
            return f"taken: {self.subjects()}"

        await eventually(there, describe)


@asynccontextmanager
async def reading(
    stack: Servers, database: str, recipients: Recipients, server: ImapServer, *, poll: float = 0.1, **settings: float
) -> AsyncIterator[World]:
    """Onward with one mailbox that is read from `server`; no worker yet."""
    options = {"imap_poll_seconds": poll, "imap_retry_seconds": 0.1, "imap_timeout_seconds": 5.0, **settings}
    async with open_world(stack.temporal_address, database, recipients, **options) as world:
        world.mailbox = await add_mailbox(world, server.port)
        yield world


async def add_mailbox(world: World, port: int, **changes: object) -> str:
    imap = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "username": "mara",
        "password": "env:ONWARD_TEST_IMAP",
    }
    return await world.add_mailbox(imap={**imap, **changes})


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONWARD_TEST_IMAP", "right")


@pytest_asyncio.fixture
async def told(
    stack: Servers, fresh_database: str, recipients: Recipients, imap_server: ImapServer
) -> AsyncIterator[World]:
    """A mailbox whose server tells of new mail."""
    async with reading(stack, fresh_database, recipients, imap_server, poll=NEVER) as world:
        yield world


@pytest_asyncio.fixture
async def polled(
    stack: Servers, fresh_database: str, recipients: Recipients, imap_server: ImapServer
) -> AsyncIterator[World]:
    """A mailbox that is looked at again and again."""
    async with reading(stack, fresh_database, recipients, imap_server) as world:
        yield world


async def gate(world: World) -> tuple[str, str | None]:
    async with world.database.read() as connection:
        stored = await catalog.mailbox(connection, world.mailbox)
    return stored.state, stored.state_code


async def until_gate(world: World, state: str, code: str | None) -> None:
    async def there() -> bool:
        return await gate(world) == (state, code)

    async def describe() -> str:
        return f"{await gate(world)} {await watched(world)}"

    await eventually(there, describe)


async def watched(world: World) -> Watched | None:
    async with world.database.read() as connection:
        return await cursors.watched(connection, world.mailbox)


async def until_watched(world: World, holds: Callable[[Watched], bool]) -> None:
    async def there() -> bool:
        found = await watched(world)
        return found is not None and holds(found)

    async def describe() -> str:
        return str(await watched(world))

    await eventually(there, describe)


async def until_read(world: World) -> None:
    """Wait until the folders were read to their ends, from now on."""
    now = await watched(world)
    before = now.read_at if now else None
    await until_watched(world, lambda found: found.read_at is not None and found.read_at != before)


def handle(world: World) -> WorkflowHandle[object, object]:
    return world.client.get_workflow_handle(watch_id(world.mailbox))


# ---------------------------------------------------------------------------------------------------------------------
# What is read


async def test_new_mail_is_told_by_the_server_and_taken_in_once(told: World, imap_server: ImapServer) -> None:
    taken = Taken()
    imap_server.deliver("mara", mail("before"))
    async with told.watcher(taken):
        await taken.until("before")
        for subject in ("one", "two", "three"):
            append(imap_server.port, "mara", "right", mail(subject))
            await taken.until("before", *("one", "two", "three")[: ("one", "two", "three").index(subject) + 1])
    first = taken.arrivals[0]
    assert (first.source, first.mailbox, first.folder, first.truncated) == ("imap", told.mailbox, "INBOX", False)
    assert first.raw == mail("before")
    assert imap_server.connections == 4, "one of the watcher, three of those who delivered"


async def test_a_server_without_idle_is_polled(stack: Servers, fresh_database: str, recipients: Recipients) -> None:
    taken = Taken()
    with ImapServer({"mara": "right"}, idle=False) as server:
        async with reading(stack, fresh_database, recipients, server) as world, world.watcher(taken):
            await until_read(world)
            server.deliver("mara", mail("one"))
            await taken.until("one")
            assert server.connections == 1


async def test_a_mailbox_is_read_over_tls(
    stack: Servers, fresh_database: str, recipients: Recipients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Taken()
    context, certificate = self_signed_context(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with ImapServer({"mara": "right"}, tls=context) as server:
        async with reading(stack, fresh_database, recipients, server, poll=NEVER) as world:
            await add_mailbox(world, server.port, security="tls")
            async with world.watcher(taken):
                await until_read(world)
                server.deliver("mara", mail("one"))
                await taken.until("one")


async def test_reading_changes_nothing_in_the_mailbox(polled: World, imap_server: ImapServer) -> None:
    taken = Taken()
    for folder in ("INBOX", "Junk"):
        imap_server.deliver("mara", mail(folder), folder)
    before = [imap_server.messages("mara", folder) for folder in ("INBOX", "Junk")]
    assert before[0][0].recent
    async with polled.watcher(taken):
        await taken.until("INBOX", "Junk")
        await until_read(polled)
    assert [imap_server.messages("mara", folder) for folder in ("INBOX", "Junk")] == before


async def test_the_spam_folder_is_read_too(polled: World, imap_server: ImapServer) -> None:
    taken = Taken()
    async with polled.watcher(taken):
        imap_server.deliver("mara", mail("lost"), "Junk")
        await taken.until("lost")
    assert taken.arrivals[0].folder == "Junk"


async def test_a_new_mailbox_starts_with_the_mail_of_the_last_days(polled: World, imap_server: ImapServer) -> None:
    taken = Taken()
    now = datetime.now(UTC)
    imap_server.deliver("mara", mail("recent"), at=now - timedelta(days=1))
    imap_server.deliver("mara", mail("old"), at=now - timedelta(days=10))
    async with polled.watcher(taken):
        await taken.until("recent")
        imap_server.deliver("mara", mail("moved here"), at=now - timedelta(days=30))
        imap_server.deliver("mara", mail("new"))
        await taken.until("recent", "new")
    assert taken.arrivals[0].received_at == (now - timedelta(days=1)).replace(microsecond=0)


async def test_the_folders_that_a_person_names_are_read_instead(polled: World, imap_server: ImapServer) -> None:
    taken = Taken()
    await add_mailbox(polled, imap_server.port, folders=["Junk"])
    imap_server.deliver("mara", mail("inbox"))
    imap_server.deliver("mara", mail("junk"), "Junk")
    async with polled.watcher(taken):
        await taken.until("junk")
        await add_mailbox(polled, imap_server.port, folders=["Junk", "Nowhere"])
        await until_watched(polled, lambda found: found.code == "imap_folder_missing")


async def test_a_large_mail_is_taken_in_by_its_beginning(polled: World, imap_server: ImapServer) -> None:
    taken = Taken()
    imap_server.deliver("mara", mail("large", "x" * 78 + "\r\n") + b"y" * MAX_BYTES)
    imap_server.deliver("mara", mail("small"))
    async with polled.watcher(taken):
        await taken.until("large", "small")
    large = taken.arrivals[0]
    assert large.truncated
    assert large.raw.startswith(b"From: anna@example.com\r\nSubject: large\r\n\r\nxxx")
    assert len(large.raw) < 2_000_000
    assert not taken.arrivals[1].truncated


# ---------------------------------------------------------------------------------------------------------------------
# Going on


async def test_a_watcher_that_stops_hands_over_at_once_and_nothing_is_repeated(
    told: World, imap_server: ImapServer
) -> None:
    taken, next_taken = Taken(), Taken()
    imap_server.deliver("mara", mail("one"))
    watcher = told.watcher(taken)
    await watcher.__aenter__()
    await taken.until("one")
    await until_watched(told, lambda found: found.read_at is not None)
    # It idles, with nothing to wake it for many minutes.
    async with asyncio.timeout(10):
        await watcher.__aexit__(None, None, None)
    imap_server.deliver("mara", mail("two"))
    async with told.watcher(next_taken):
        await next_taken.until("two")
    assert taken.subjects() == ["one"]


async def test_folders_numbered_anew_are_read_again_from_two_days_back(polled: World, imap_server: ImapServer) -> None:
    """What comes again is known by its content further on (tests of the one path)."""
    taken = Taken()
    now = datetime.now(UTC)
    imap_server.deliver("mara", mail("earlier"), at=now - timedelta(days=3))
    imap_server.deliver("mara", mail("today"))
    async with polled.watcher(taken):
        await taken.until("earlier", "today")
        imap_server.renumber("mara")
        imap_server.deliver("mara", mail("new"))
        await taken.until("earlier", "today", "today", "new")
        digests = Counter(hashlib.sha256(arrival.raw).digest() for arrival in taken.arrivals)
        assert sorted(digests.values()) == [1, 1, 2]
        await until_read(polled)
    assert len(taken.arrivals) == 4


async def test_a_reply_finishes_its_enrollment_once_however_often_it_is_read(
    polled: World, imap_server: ImapServer
) -> None:
    """The whole way: nothing but the mailbox tells the workflow."""
    world = polled
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="30d")], mailboxes=[world.mailbox])
    async with world.worker(), world.watcher(inbound(world.services).take):
        enrollment = await world.enroll("anna")
        [sent] = await world.until_mails("anna", 1)
        await world.until_sent(enrollment, 1)
        imap_server.deliver("mara", answer(sent, "Sounds good, call me on Tuesday."), "Junk")
        await world.until_status(enrollment, "finished", "replied")
        state = await world.state(enrollment)
        imap_server.renumber("mara", "Junk")
        async with world.database.read() as connection:
            before = await cursors.cursor(connection, world.mailbox, "Junk")
        assert before is not None

        async def read_again() -> bool:
            async with world.database.read() as connection:
                now = await cursors.cursor(connection, world.mailbox, "Junk")
            return now is not None and now.uid_validity != before.uid_validity and now.uid == before.uid

        await eventually(read_again)
    assert (await world.kinds(enrollment)).count("reply") == 1
    assert (await world.state(enrollment)).version == state.version


async def test_after_an_outage_the_mailbox_is_read_before_an_email_leaves(
    polled: World, imap_server: ImapServer
) -> None:
    world = polled
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="30d")], mailboxes=[world.mailbox])
    async with world.worker():
        async with world.watcher(inbound(world.services).take):
            enrollment = await world.enroll("anna")
            [sent] = await world.until_mails("anna", 1)
            await world.until_sent(enrollment, 1)
        imap_server.deliver("mara", answer(sent, "Sounds good, call me on Tuesday."))
        async with world.database.transaction() as connection:
            await connection.execute("UPDATE imap_watches SET read_at = read_at - interval '3 days'")
        await world.command(enrollment, "send_now")

        async def waits() -> bool:
            return any((line["data"] or {}).get("cause") == "unread" for line in await world.story(enrollment))

        await eventually(waits)
        async with world.watcher(inbound(world.services).take):
            await world.until_status(enrollment, "finished", "replied")
    assert len(world.recipients.inbox(world.address("anna"))) == 1


async def test_a_mail_that_cannot_be_taken_in_is_set_aside_and_the_others_come(
    polled: World, imap_server: ImapServer
) -> None:
    tried: Counter[str] = Counter()

    def fail(arrival: Arrival) -> None:
        subject = arrival.raw.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
        tried[subject] += 1
        if subject == "poison" or (subject == "shaky" and tried[subject] < 2):
            raise ValueError(subject)
        if subject == "away" and tried[subject] < 2:
            raise ConnectionError("PostgreSQL is away")

    kept: list[tuple[bytes, str]] = []

    async def keep(arrival: Arrival, error: BaseException) -> None:
        kept.append((arrival.raw, str(error)))

    taken = Taken(fail)
    for subject in ("poison", "shaky", "away", "good"):
        imap_server.deliver("mara", mail(subject))
    async with polled.watcher(taken, keep):
        await taken.until("shaky", "away", "good")
    assert kept == [(mail("poison"), "poison")]
    assert taken.subjects() == ["shaky", "away", "good"], "in the order of the mailbox"


async def test_a_mailbox_that_loses_its_imap_is_watched_no_more(polled: World, imap_server: ImapServer) -> None:
    taken = Taken()
    imap_server.deliver("mara", mail("one"))
    async with polled.watcher(taken):
        await taken.until("one")
        await polled.add_mailbox(polled.mailbox)
        assert await handle(polled).result() == 1
        await polled.upkeep().start_watchers()
        assert (await handle(polled).describe()).close_time is not None, "and none is started"
    assert await watched(polled) is None
    await replays(polled)


async def replays(world: World) -> None:
    """The watcher's own history, on the code that made it."""
    replayer = Replayer(workflows=[Watch], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(await handle(world).fetch_history())


# ---------------------------------------------------------------------------------------------------------------------
# Not to be read


async def test_a_refused_login_holds_the_mailbox_until_it_is_mended(
    polled: World, imap_server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = polled
    monkeypatch.setenv("ONWARD_TEST_IMAP", "wrong")
    await world.add_sequence(steps=1, mailboxes=[world.mailbox])
    async with world.worker(), world.watcher(Taken()):
        await until_gate(world, "down", "imap_login")
        enrollment = await world.enroll("anna")
        await world.until_status(enrollment, "paused", "mailbox_down")
        explained = await explain(
            world.database, enrollment, now=datetime.now(UTC), valid=valid_address, gaps=gap_finder(None)
        )
        assert explained["blocked_by"]["inputs"]["why"] == "the mailbox's IMAP login is refused"
        # By SMTP the mailbox is in the best of health.
        await world.upkeep().probe_mailboxes()
        assert await gate(world) == ("down", "imap_login")
        monkeypatch.setenv("ONWARD_TEST_IMAP", "right")
        await until_gate(world, "up", None)
        await world.until_status(enrollment, "finished", "completed")
        events = json.dumps((await handle(world).fetch_history()).to_json_dict())
        await replays(world)
    # The codes, and nothing that a server said: it may name the person.
    history = " ".join(base64.b64decode(data).decode() for data in re.findall(r'"data": "([^"]*)"', events))
    assert "imap_login" in history
    assert "credentials" not in history


async def test_a_refused_login_is_tried_less_and_less_until_the_mailbox_is_changed(
    stack: Servers,
    fresh_database: str,
    recipients: Recipients,
    imap_server: ImapServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONWARD_TEST_IMAP", "wrong")
    monkeypatch.setenv("ONWARD_TEST_OTHER", "right")
    async with (
        reading(stack, fresh_database, recipients, imap_server, imap_retry_seconds=600) as world,
        world.watcher(Taken()),
    ):
        await until_gate(world, "down", "imap_login")
        # For upkeep the watcher has long been silent, and the mailbox was not touched since.
        async with world.database.read() as connection:
            await connection.execute("UPDATE mailboxes SET updated_at = now() - interval '2 hours'")
            await connection.execute("UPDATE imap_watches SET looked_at = now() - interval '1 hour'")
        await world.upkeep().start_watchers()
        history = await handle(world).fetch_history()
        assert not any(event.HasField("workflow_execution_signaled_event_attributes") for event in history.events)
        assert imap_server.connections == 1
        await add_mailbox(world, imap_server.port, password="env:ONWARD_TEST_OTHER")
        await world.upkeep().start_watchers()
        await until_gate(world, "up", None)


async def test_a_server_that_is_away_for_long_holds_the_mailbox_and_comes_back(
    polled: World, imap_server: ImapServer
) -> None:
    taken = Taken()
    async with polled.watcher(taken):
        await until_read(polled)
        imap_server.stop()
        await until_watched(polled, lambda found: found.code == "imap_unreachable")
        assert await gate(polled) == ("up", None), "a short absence is no trouble"
        async with polled.database.read() as connection:
            await connection.execute("UPDATE imap_watches SET read_at = read_at - interval '1 hour'")
        await until_gate(polled, "down", "imap_unreachable")
        imap_server.deliver("mara", mail("meanwhile"))
        imap_server.start()
        await taken.until("meanwhile")
        await until_gate(polled, "up", None)


async def test_trouble_with_reading_outlives_a_look_by_smtp(polled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mailbox was down for another reason when its IMAP login failed."""
    monkeypatch.setenv("ONWARD_TEST_IMAP", "wrong")
    async with polled.database.read() as connection:
        await connection.execute("UPDATE mailboxes SET state = 'down', state_code = 'unreachable', epoch = 1")
    async with polled.watcher(Taken()):
        await until_watched(polled, lambda found: found.holds)
        await polled.upkeep().probe_mailboxes()
        assert await gate(polled) == ("down", "unreachable")
        monkeypatch.setenv("ONWARD_TEST_IMAP", "right")
        await until_watched(polled, lambda found: not found.holds)
    await polled.upkeep().probe_mailboxes()
    assert await gate(polled) == ("up", None)


async def test_a_password_that_is_not_there_is_named(polled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONWARD_TEST_IMAP")
    async with polled.watcher(Taken()):
        await until_gate(polled, "down", "imap_credentials")


# ---------------------------------------------------------------------------------------------------------------------
# What servers say


@contextmanager
def scripted(answer: bytes | None) -> Iterator[int]:
    """A server that greets and gives this answer to LOGIN (None: cuts the connection); its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as stream:
                stream.write(b"* OK ready\r\n")
                stream.flush()
                for line in stream:
                    tag, command = line.split()[:2]
                    if command == b"CAPABILITY":
                        stream.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n" + tag + b" OK done\r\n")
                    elif command == b"IDLE":
                        # In one packet, as for mail that came a moment before.
                        stream.write(b"+ idling\r\n* 1 EXISTS\r\n")
                    elif answer is None:
                        return
                    else:
                        stream.write(tag + b" " + answer + b"\r\n")
                    stream.flush()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"NO [AUTHENTICATIONFAILED] Invalid credentials", "imap_login"),
        (b"NO [ALERT] Application-specific password required", "imap_login"),
        (b"NO LOGIN failed.", "imap_login"),
        (b"NO [UNAVAILABLE] Temporary authentication failure", "imap_unreachable"),
        (b"NO [ALERT] Too many simultaneous connections. (Failure)", "imap_unreachable"),
        (b"BAD User is authenticated but not connected.", "imap_unreachable"),
        (None, "imap_unreachable"),
    ],
)
def test_only_a_refusal_of_the_login_counts_as_one(answer: bytes | None, code: str) -> None:
    with scripted(answer) as port, pytest.raises(ImapError) as raised:
        Session.open(Server("127.0.0.1", port, "mara", "right", "none", 5.0))
    assert raised.value.code == code
    assert "right" not in str(raised.value)


def test_what_the_server_says_along_with_its_go_ahead_is_heard() -> None:
    with scripted(b"OK done") as port:
        session = Session.open(Server("127.0.0.1", port, "mara", "right", "none", 5.0))
        assert session.idle()
        assert session.said()
        session.discard()


def test_an_idling_server_that_says_nothing_has_said_nothing(imap_server: ImapServer) -> None:
    session = Session.open(Server("127.0.0.1", imap_server.port, "mara", "right", "none", 5.0))
    session.examine("INBOX")
    assert session.idle()
    assert not session.said()
    assert not session.idle_done()
    session.close()


def test_a_certificate_that_is_not_trusted_is_refused(tmp_path: Path) -> None:
    context, certificate = self_signed_context(tmp_path)
    with ImapServer({"mara": "right"}, tls=context) as server:
        with pytest.raises(ImapError) as raised:
            Session.open(Server("127.0.0.1", server.port, "mara", "right", "tls", 5.0))
        assert raised.value.code == "imap_tls_untrusted"
        trusting = Server("127.0.0.1", server.port, "mara", "right", "tls", 5.0, ca_file=str(certificate))
        session = Session.open(trusting)
        assert [folder.name for folder in session.folders(None)] == ["Junk", "INBOX"]
        session.close()


def test_the_password_is_never_sent_in_clear_text_where_starttls_is_asked_for(imap_server: ImapServer) -> None:
    with pytest.raises(ImapError) as raised:
        Session.open(Server("127.0.0.1", imap_server.port, "mara", "right", "starttls", 5.0))
    assert raised.value.code == "imap_starttls_missing"


def test_the_last_message_is_not_new_again(imap_server: ImapServer) -> None:
    """RFC 9051 6.4.9: `n:*` holds the last message, also where its UID is below n."""
    uid = imap_server.deliver("mara", mail("one"))
    session = Session.open(Server("127.0.0.1", imap_server.port, "mara", "right", "none", 5.0))
    assert session.examine("INBOX").exists == 1
    assert session.highest() == uid
    assert session.uids(uid - 1, date(2000, 1, 1)) == [uid]
    assert session.uids(uid, date(2000, 1, 1)) == []
    session.close()


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        ([((), b"/", "INBOX"), ((b"\\Junk",), b"/", "Werbung"), ((), b"/", "Spam")], ["Werbung"]),
        ([((b"\\HasNoChildren", b"\\JUNK"), b".", "INBOX.Rest")], ["INBOX.Rest"]),
        ([((), b"/", "INBOX"), ((), b"/", "[Gmail]/Spam")], ["[Gmail]/Spam"]),
        ([((), b".", "INBOX.spam"), ((), b".", "INBOX.clients.spam")], ["INBOX.spam"]),
        ([((), b"/", "Junk Email"), ((b"\\Noselect",), b"/", "Junk")], ["Junk Email"]),
        ([((), b"/", "Courrier indésirable"), ((), None, "迷惑メール")], ["Courrier indésirable", "迷惑メール"]),
        ([((), b"/", "INBOX"), ((), b"/", "Junkyard sales")], []),
    ],
)
def test_the_spam_folder_is_known_by_its_flag_or_its_name(
    listing: list[tuple[tuple[bytes, ...], bytes | None, str]], expected: list[str]
) -> None:
    assert spam_folders(listing) == expected


def test_messages_are_fetched_in_small_lots() -> None:
    assert [list(lot) for lot in chunks({1: 10, 2: 10, 3: 10}, messages=2)] == [[1, 2], [3]]
    assert [list(lot) for lot in chunks({1: 60, 2: 60, 3: 500, 4: 1}, size=100)] == [[1], [2], [3], [4]]
    assert list(chunks({})) == []


# ---------------------------------------------------------------------------------------------------------------------
# Definitions, pauses, words


def test_the_password_is_a_reference() -> None:
    definition = {
        "id": "mara",
        "address": "mara@example.com",
        "smtp": {"host": "smtp.example.com", "port": 587},
        "imap": {"host": "imap.example.com", "username": "mara@example.com", "password": "hunter2"},
    }
    with pytest.raises(InvalidDefinition) as refused:
        parse_definition(Mailbox, definition)
    assert refused.value.field == "imap.password"
    definition["imap"] = {"host": "imap.example.com", "username": "mara@example.com", "password": "env:not a name"}
    with pytest.raises(InvalidDefinition) as refused:
        check_mailbox(parse_definition(Mailbox, definition))
    assert refused.value.field == "imap.password"
    definition["imap"] = {"host": "imap.example.com", "username": "mara@example.com", "password": "env:MARA"}
    imap = check_mailbox(parse_definition(Mailbox, definition)).imap
    assert imap is not None
    assert (imap.port, imap.security, imap.folders) == (993, "tls", None)


def test_pauses_double_up_to_half_an_hour() -> None:
    minutes = [
        back_off(failures, first=timedelta(minutes=1), longest=timedelta(minutes=30)) // timedelta(minutes=1)
        for failures in (1, 2, 3, 4, 5, 6, 7, 10_000)
    ]
    assert minutes == [1, 2, 4, 8, 16, 30, 30, 30]
    assert back_off(0, first=timedelta(minutes=1), longest=timedelta(minutes=30)) == timedelta(seconds=1)


def test_trouble_is_told_in_words() -> None:
    assert describe("imap_login", 1) == TROUBLE["imap_login"] == "the mailbox's IMAP login is refused"
    assert describe("imap_unreachable", 3).endswith("3 times in a row")
