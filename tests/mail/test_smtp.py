"""Sending by phases, against servers on real sockets: what each failure says about the email."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mail.errors import SmtpLost, SmtpMisconfigured, SmtpRefused, SmtpUnavailable, SmtpUnsupported
from mail.smtp import Connection, Pool, Server, check, transparent
from tests.mail.servers import Inbox, Scripted, certificate, scripted, serving

MESSAGE = b"Subject: hello\r\n\r\nHello.\r\n"


def server(port: int, **settings: Any) -> Server:
    return Server(
        **{"host": "localhost", "port": port, "security": "none", "local_hostname": "test.example", **settings}
    )


@asynccontextmanager
async def opened(port: int, **settings: Any) -> AsyncIterator[Connection]:
    connection = await Connection.open(server(port, **settings))
    try:
        yield connection
    finally:
        await connection.quit()


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (the server's side has no event to wait for)
            await asyncio.sleep(0.005)


async def send(connection: Connection, message: bytes = MESSAGE) -> str:
    await connection.envelope("me@acme.example", "bob@other.example")
    return await connection.data(message)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


async def test_an_email_arrives_and_the_final_reply_is_returned() -> None:
    inbox = Inbox()
    async with serving(inbox) as port, opened(port) as connection:
        assert await send(connection) == "2.0.0 kept"
    assert (inbox.received[0].mail_from, inbox.received[0].rcpt_tos) == ("me@acme.example", ["bob@other.example"])
    assert inbox.received[0].content == MESSAGE


# Refusals


@pytest.mark.parametrize(
    ("script", "phase", "code"),
    [
        (Scripted(greeting="554 5.7.1 no service for you"), "greeting", 554),
        (Scripted(greeting="421 busy"), "greeting", 421),
        (Scripted(answers={"EHLO": "550 who are you", "HELO": "550 who are you"}), "ehlo", 550),
        (Scripted(answers={"EHLO": "421 leave"}), "ehlo", 421),
        (Scripted(answers={"MAIL": "550 5.7.1 not you"}), "mail", 550),
        (Scripted(answers={"MAIL": "421 4.3.2 shutting down"}), "mail", 421),
        (Scripted(answers={"RCPT": "550-5.1.1 no such\r\n550 5.1.1 user"}), "rcpt", 550),
        (Scripted(answers={"RCPT": "421 4.3.2 shutting down"}), "rcpt", 421),
        (Scripted(answers={"DATA": "554 no valid recipients"}), "data", 554),
        (Scripted(answers={"DATA": "421 shutting down"}), "data", 421),
        (Scripted(final="554 5.7.1 spam"), "final", 554),
        (Scripted(final="451 4.3.0 later"), "final", 451),
        (Scripted(final="421 4.7.28 slow down"), "final", 421),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_refusal_names_its_phase_and_reply(script: Scripted, phase: str, code: int) -> None:
    async with scripted(script) as port:
        pool = Pool()
        with pytest.raises(SmtpRefused) as caught:
            async with pool.connection("m", server(port)) as connection:
                await send(connection)
        if phase not in ("greeting", "ehlo"):
            assert connection.usable == (code != 421 and phase != "final")
        await pool.close()
    assert (caught.value.phase, caught.value.reply_code, caught.value.code) == (phase, code, "smtp_refused")
    if phase == "rcpt" and code == 550:
        assert caught.value.text == "5.1.1 no such\n5.1.1 user"


async def test_after_a_refused_recipient_the_next_one_goes_through() -> None:
    inbox = Inbox(replies={"RCPT": "550 5.1.1 no such user"})
    async with serving(inbox) as port, opened(port) as connection:
        with pytest.raises(SmtpRefused):
            await send(connection)
        del inbox.replies["RCPT"]
        await send(connection)
    assert len(inbox.received) == 1


# Connections that break


@pytest.mark.parametrize(
    ("script", "phase"),
    [
        (Scripted(greeting=None), "connect"),
        (Scripted(greeting="250 what"), "greeting"),
        (Scripted(greeting="gibberish"), "greeting"),
        (Scripted(answers={"EHLO": None}), "ehlo"),
        (Scripted(answers={"MAIL": None}), "mail"),
        (Scripted(answers={"RCPT": None}), "rcpt"),
        (Scripted(answers={"DATA": None}), "data"),
        (Scripted(answers={"DATA": "250 no 354"}), "data"),
        (Scripted(answers={"MAIL": "gibberish"}), "mail"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_before_the_body_a_broken_connection_is_safe_to_retry(script: Scripted, phase: str) -> None:
    async with scripted(script) as port:
        with pytest.raises(SmtpUnavailable) as caught:
            async with opened(port) as connection:
                await send(connection)
    assert caught.value.phase == phase
    assert script.bodies == []


@pytest.mark.parametrize("final", [None, "gibberish", "354 again"])
async def test_after_the_final_dot_a_missing_reply_is_ambiguous(final: str | None) -> None:
    script = Scripted(final=final)
    async with scripted(script) as port, opened(port) as connection:
        with pytest.raises(SmtpLost):
            await send(connection)
        assert not connection.usable
    assert len(script.bodies) == 1


async def test_a_connection_lost_in_the_middle_of_the_body_is_ambiguous() -> None:
    async def vanish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (b"220 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            writer.write(reply)
            await reader.readline()
        writer.transport.abort()

    listener = await asyncio.start_server(vanish, "127.0.0.1", 0)
    async with listener:
        connection = await Connection.open(server(listener.sockets[0].getsockname()[1]))
        with pytest.raises(SmtpLost):
            await send(connection, b"x" * 8_000_000)


async def test_a_server_that_refuses_in_the_middle_of_the_body_is_heard() -> None:
    async def impatient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (b"220 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            writer.write(reply)
            await reader.readline()
        writer.write(b"552 5.3.4 too big\r\n")
        await reader.read()  # until the client leaves
        writer.transport.abort()

    listener = await asyncio.start_server(impatient, "127.0.0.1", 0, limit=2**24)
    async with listener:
        connection = await Connection.open(server(listener.sockets[0].getsockname()[1]))
        with pytest.raises(SmtpRefused) as caught:
            await send(connection, b"x" * 8_000_000)
        assert (caught.value.phase, connection.usable) == ("final", False)


async def test_a_silent_server_runs_into_the_time_out_of_its_phase() -> None:
    async def silence() -> str:
        await asyncio.sleep(30)
        return "250 late"

    for word, phase in (("EHLO", "ehlo"), ("MAIL", "mail"), ("RCPT", "rcpt"), ("DATA", "data")):
        async with scripted(Scripted(answers={word: silence})) as port:
            with pytest.raises(SmtpUnavailable) as caught:
                async with opened(port, command_seconds=0.2) as connection:
                    await send(connection)
            assert caught.value.phase == phase
    async with scripted(Scripted(greeting=silence)) as port:
        with pytest.raises(SmtpUnavailable):
            await Connection.open(server(port, connect_seconds=0.2))
    async with scripted(Scripted(final=silence)) as port, opened(port, final_seconds=0.2) as connection:
        with pytest.raises(SmtpLost):
            await send(connection)
        assert not connection.usable


async def test_a_slow_final_reply_within_its_time_is_success() -> None:
    async def slow() -> str:
        await asyncio.sleep(0.4)
        return "250 at last"

    async with scripted(Scripted(final=slow)) as port, opened(port, command_seconds=0.1) as connection:
        assert await send(connection) == "at last"


async def test_nobody_listens() -> None:
    listener = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    with pytest.raises(SmtpUnavailable) as caught:
        await check(server(port))
    assert caught.value.phase == "connect"


async def test_a_host_name_that_cannot_exist_is_a_wrong_setting() -> None:
    with pytest.raises(SmtpMisconfigured) as caught:
        await check(server(25, host="x" * 80 + ".example"))
    assert caught.value.code == "smtp_host_invalid"


@pytest.mark.parametrize("code", [250, 550])
async def test_a_reply_in_strange_bytes_becomes_text_that_can_be_stored(code: int) -> None:
    async with scripted(Scripted(final=f"{code} \x00gr\udcfcn\x1b")) as port, opened(port) as connection:
        try:
            text = await send(connection)
        except SmtpRefused as refused:
            text = refused.text
    assert text == "gr\ufffdn"


async def test_a_farewell_that_fails_after_the_250_is_success() -> None:
    script = Scripted(answers={"QUIT": None})
    async with scripted(script) as port, opened(port) as connection:
        await send(connection)
    assert len(script.bodies) == 1


async def test_a_cancelled_send_closes_the_connection() -> None:
    waiting = asyncio.Event()

    async def never() -> str:
        waiting.set()
        await asyncio.Event().wait()
        return ""

    script = Scripted(final=never)
    async with scripted(script) as port:
        pool = Pool()
        used: list[Connection] = []

        async def job() -> None:
            async with pool.connection("m", server(port)) as connection:
                used.append(connection)
                await send(connection)

        task = asyncio.create_task(job())
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not used[0].usable
        await pool.close()


# TLS and login


async def test_starttls_with_login(certified: tuple[Path, ssl.SSLContext]) -> None:
    cert, context = certified
    inbox = Inbox()
    login: dict[str, Any] = {"authenticator": inbox.login, "auth_required": True}
    async with serving(inbox, tls_context=context, require_starttls=True, **login) as port:
        settings = {"security": "starttls", "ca_file": str(cert), "username": "me", "password": "right"}
        async with opened(port, **settings) as connection:
            await send(connection)
    assert inbox.logins == [("PLAIN", "me")]
    assert len(inbox.received) == 1


async def test_implicit_tls(certified: tuple[Path, ssl.SSLContext]) -> None:
    cert, context = certified
    inbox = Inbox()
    async with serving(inbox, tls=context) as port:
        async with opened(port, security="tls", ca_file=str(cert)) as connection:
            await send(connection, b"x\r\n" * 200_000)
        async with opened(port, security="tls", tls_verify=False) as connection:
            await send(connection)
    assert [len(envelope.content or b"") for envelope in inbox.received] == [600_000, len(MESSAGE)]


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_certificate_that_nobody_vouches_for(security: str, certified: tuple[Path, ssl.SSLContext]) -> None:
    _, context = certified
    options: dict[str, Any] = {"tls": context} if security == "tls" else {"tls_context": context}
    async with serving(Inbox(), **options) as port:
        with pytest.raises(SmtpMisconfigured) as caught:
            await check(server(port, security=security))
    assert caught.value.code == "smtp_tls_untrusted"


async def test_starttls_that_is_not_offered_is_not_skipped() -> None:
    async with serving(Inbox()) as port:
        with pytest.raises(SmtpMisconfigured) as caught:
            await check(server(port, security="starttls", username="me", password="right"))
    assert caught.value.code == "smtp_starttls_missing"


async def test_a_wrong_password_is_tried_once_and_never_shown() -> None:
    inbox = Inbox()
    async with serving(inbox, authenticator=inbox.login, auth_require_tls=False) as port:
        settings = server(port, username="me", password="wrong-secret")
        with pytest.raises(SmtpRefused) as caught:
            await check(settings)
        await check(server(port, username="me", password="right"))
    assert (caught.value.phase, caught.value.reply_code) == ("auth", 535)
    assert [name for _, name in inbox.logins] == ["me", "me"]
    assert "wrong-secret" not in f"{caught.value!r} {caught.value} {settings!r}"


async def test_a_server_without_login_is_a_wrong_setting() -> None:
    async with serving(Inbox()) as port:
        with pytest.raises(SmtpMisconfigured) as caught:
            await check(server(port, username="me", password="right"))
    assert caught.value.code == "smtp_auth_missing"


async def test_a_server_from_before_ehlo() -> None:
    script = Scripted(answers={"EHLO": "502 not known"})
    async with scripted(script) as port, opened(port) as connection:
        await send(connection)
    assert script.commands[:2] == ["EHLO", "HELO"]


# What the server offers


async def test_the_size_limit_is_respected() -> None:
    inbox = Inbox()
    async with serving(inbox, data_size_limit=1000) as port, opened(port) as connection:
        with pytest.raises(SmtpUnsupported) as caught:
            await connection.envelope("me@acme.example", "bob@other.example", size=1001)
        await connection.envelope("me@acme.example", "bob@other.example", size=1000)
    assert caught.value.code == "smtp_message_too_large"
    assert inbox.commands == ["MAIL SIZE=1000", "RCPT"]


async def test_an_address_beyond_ascii_needs_smtputf8() -> None:
    inbox = Inbox()
    async with serving(inbox) as port, opened(port) as connection:
        await connection.envelope("me@acme.example", "jörg@other.example")
        await connection.data(MESSAGE)
    assert inbox.received[0].rcpt_tos == ["jörg@other.example"]
    async with serving(Inbox(), enable_SMTPUTF8=False) as port, opened(port) as connection:
        with pytest.raises(SmtpUnsupported) as caught:
            await connection.envelope("me@acme.example", "jörg@other.example")
        assert caught.value.code == "smtp_utf8_missing"
        await connection.envelope("me@acme.example", "bob@other.example")


@pytest.mark.parametrize(
    "address", ["bob@other.example\r\nDATA", "bob\0@other.example", "a@x.example,b@x.example", "bob", ""]
)
async def test_an_address_cannot_smuggle_a_command(address: str) -> None:
    script = Scripted()
    async with scripted(script) as port, opened(port) as connection:
        with pytest.raises(SmtpUnsupported) as caught:
            await connection.envelope("me@acme.example", address)
    assert caught.value.code == "email_invalid"
    assert script.commands == ["EHLO", "QUIT"]


# The body


LINES = st.lists(st.sampled_from([b"", b".", b"..", b".x", b"x", b"x.", b"\xc3\xa9", b"a" * 200]), max_size=30)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, min_size=1, max_size=4), end=ENDS)
def test_every_body_arrives_as_it_was(lines: list[list[bytes]], end: bytes) -> None:
    bodies = [end.join(one) + end for one in lines]

    async def run() -> list[Any]:
        inbox = Inbox()
        async with serving(inbox) as port, opened(port) as connection:
            for body in bodies:
                await send(connection, body)
        return [envelope.content for envelope in inbox.received]

    assert asyncio.run(run()) == [body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n") for body in bodies]  # fmt: skip


@given(st.binary(max_size=200))
def test_no_body_can_hold_an_early_end(message: bytes) -> None:
    wire = transparent(message)
    assert wire.endswith(b"\r\n.\r\n") or wire == b".\r\n"
    assert (b"\r\n" + wire).index(b"\r\n.\r\n") == len(wire) - 3
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert b"\r" not in wire.replace(b"\r\n", b"")


# The pool


async def test_a_burst_shares_one_connection() -> None:
    inbox = Inbox()
    async with serving(inbox) as port:
        pool = Pool()
        for _ in range(5):
            async with pool.connection("m", server(port)) as connection:
                await send(connection)
        await pool.close()
    assert (inbox.connections, len(inbox.received)) == (1, 5)


async def test_mailboxes_and_changed_settings_do_not_share() -> None:
    inbox = Inbox()
    async with serving(inbox) as port:
        pool = Pool()
        for key, settings in (("a", {}), ("b", {}), ("a", {"command_seconds": 9.0}), ("a", {})):
            async with pool.connection(key, server(port, **settings)) as connection:
                await send(connection)
        await pool.close()
    assert inbox.connections == 3


async def test_after_a_refusal_the_connection_is_reset_and_used_again() -> None:
    inbox = Inbox(replies={"RCPT": "550 5.1.1 no such user"})
    async with serving(inbox) as port:
        pool = Pool()
        with pytest.raises(SmtpRefused):
            async with pool.connection("m", server(port)) as connection:
                await send(connection)
        del inbox.replies["RCPT"]
        async with pool.connection("m", server(port)) as connection:
            await send(connection)
        await pool.close()
    assert (inbox.connections, inbox.commands) == (1, ["MAIL", "RCPT", "RSET", "MAIL", "RCPT"])


async def test_an_envelope_left_behind_is_not_sent_by_the_next_user() -> None:
    inbox = Inbox()
    async with serving(inbox) as port:
        pool = Pool()
        async with pool.connection("m", server(port)) as connection:
            await connection.envelope("me@acme.example", "wrong@other.example")  # stopped at the point of no return
        async with pool.connection("m", server(port)) as connection:
            await send(connection)
        await pool.close()
    assert (inbox.connections, [one.rcpt_tos for one in inbox.received]) == (1, [["bob@other.example"]])


async def test_a_dead_idle_connection_is_replaced() -> None:
    script = Scripted(answers={"RSET": None})
    async with scripted(script) as port:
        pool = Pool(check_after_seconds=0.0)
        for _ in range(2):
            async with pool.connection("m", server(port)) as connection:
                await send(connection)
        await pool.close()
    assert (script.sessions, len(script.bodies)) == (2, 2)


async def test_a_lost_connection_never_comes_back() -> None:
    script = Scripted(final=None)
    async with scripted(script) as port:
        pool = Pool()
        with pytest.raises(SmtpLost):
            async with pool.connection("m", server(port)) as connection:
                await send(connection)
        script.final = "250 kept"
        async with pool.connection("m", server(port)) as connection:
            await send(connection)
        await pool.close()
    assert script.sessions == 2


async def test_idle_and_worn_connections_are_closed() -> None:
    script = Scripted(answers={"QUIT": "221 bye"})
    async with scripted(script) as port:
        pool = Pool(idle_seconds=0.05, max_messages=1)
        async with pool.connection("m", server(port)) as connection:
            await send(connection)  # worn after one message
        await until(lambda: script.closed == 1)
        async with pool.connection("m", server(port)):
            pass  # unused: closed when idle for too long
        await until(lambda: script.closed == 2)
        await pool.close()
    assert script.commands.count("QUIT") == 2


async def test_a_closed_pool_keeps_nothing() -> None:
    script = Scripted()
    async with scripted(script) as port:
        pool = Pool()
        async with pool.connection("m", server(port)):
            await pool.close()
        await until(lambda: script.closed == 1)
        await pool.close()


async def test_many_at_once_each_have_their_own() -> None:
    inbox = Inbox()
    async with serving(inbox) as port:
        pool = Pool(max_idle_per_key=3)

        async def one() -> None:
            async with pool.connection("m", server(port)) as connection:
                await send(connection)

        await asyncio.gather(*(one() for _ in range(20)))
        await pool.close()
    assert len(inbox.received) == 20
