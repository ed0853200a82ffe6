"""The demo's play: load the examples, enroll the cast, watch, let the contacts act, kill the worker, see it through."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import time
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from activities.services import valid_address
from cli import demo_cast as cast
from cli.demo_examples import example, mailbox, prepare
from cli.demo_servers import FOREIGN, Servers
from cli.demo_table import Screen
from cli.demo_verdict import Run, problems, summary
from cli.output import Code, Failure
from client import definitions, reading
from client.connection import connect
from client.enrollments import Enrollments
from embedded.recipients import Received, duplicates
from embedded.server import Progress
from mail.definitions import check_sequence
from store import access, catalog, enrollments, inbound
from store.csv_files import parse_contacts_csv
from store.database import Database
from store.enrollments import EnrollmentUnknown
from store.migrate import migrate

ONCE_SECONDS = 85.0
"""How long the unattended demo plays, so that with stopping it stays under 90 s."""
KILL_AFTER = 8
"""Emails received when the worker is killed: everybody's first one."""
LOOK_EVERY = 0.25
NEWCOMER_SECONDS = 20.0
"""How long the play waits for the newcomer to open the console."""
KEY = "demo"
"""The name of the key that signs the newcomer in."""


def show(home: Path, *, once: bool, json_file: Path | None, console: Console) -> int:
    """Run the demo on the data in `home`; the exit code. Ctrl-C and SIGTERM end it in good order."""
    began = time.monotonic()
    # SIGINT too: it is ignored from the start in what a script began in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    for name in FOREIGN:
        os.environ.pop(name, None)
    say = _progress(console)
    with Servers(home, say) as servers:
        try:
            servers.start_stack()
            say("Bringing the schema up to date")
            asyncio.run(migrate(servers.stack.database_url))
            people = parse_contacts_csv(example("contacts.csv")).rows
            addresses = {row.id: row.email or "" for row in people}
            servers.start_recipients(
                {addresses[member.contact]: member.server for member in cast.CAST if member.server is not None}
            )
            servers.start_imap(mailbox()["imap"]["username"])
            say("Loading examples/")
            asyncio.run(
                prepare(
                    servers.stack.database_url,
                    smtp_port=servers.recipients.port,
                    imap_port=servers.imap.port,
                    imap_password=f"file:{servers.imap_password.absolute()}",
                )
            )
            servers.start_worker()
            servers.start_api()
            screen = Screen(console, {row.id: str(row.fields["plot"]) for row in people})
            play = _Play(servers, screen, addresses, began)
            return asyncio.run(play.run(once=once, json_file=json_file))
        except KeyboardInterrupt:
            return 130 if once else 0
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            say("Stopping everything")


def _progress(console: Console) -> Progress:
    def say(line: str) -> None:
        console.print(f"onward: {line}", style="dim", highlight=False, markup=False)

    return say


@dataclass
class _Play:
    servers: Servers
    screen: Screen
    addresses: Mapping[str, str]
    began: float
    seen: Run = field(default_factory=Run)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    acting: set[str] = field(default_factory=set)
    shown_mail: set[str] = field(default_factory=set)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, *, once: bool, json_file: Path | None) -> int:
        """Play. Unattended: until everybody has settled or waits for a person; else until told to stop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.stop.set)
        async with AsyncExitStack() as stack:
            database = await Database.connect(self.servers.stack.database_url, size=6)
            stack.push_async_callback(database.close)
            client = await connect(self.servers.stack.temporal_address)
            onward = Enrollments(client, database, valid_address)
            self.screen.start()
            stack.callback(self.screen.stop)
            self.shown_mail |= {mail["id"] for mail in await self._came_in(onward)}
            if not once:
                await self._open_console(database)
            await self._enroll(onward)
            if once:
                return await self._once(onward, json_file)
            await self._lasting(onward)
        return 0

    async def _open_console(self, database: Database) -> None:
        """Show the way into the console, and give the newcomer a moment to be there when it begins."""
        token = await sign_in_token(database)
        link = f"{self.servers.api_url}/sign-in/{token}"
        self.screen.say(f"\nThe console, signed in by this link (once, within ten minutes):\n\n  {link}\n")
        if opens_browser():
            await asyncio.to_thread(webbrowser.open, link)
        self.screen.say(f"The play begins when you are there, or in {NEWCOMER_SECONDS:.0f} s.")
        deadline = time.monotonic() + NEWCOMER_SECONDS
        while time.monotonic() < deadline and not self.stop.is_set():
            async with database.read() as connection:
                if await access.link_used(connection, token):
                    break
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), LOOK_EVERY)

    async def _once(self, onward: Enrollments, json_file: Path | None) -> int:
        while not self.stop.is_set() and time.monotonic() - self.began < ONCE_SECONDS:
            shown = await self._round(onward, ())
            if len(shown) == len(cast.CAST) and all(map(_is_at_rest, shown)) and self.seen.killed:
                break
        if self.stop.is_set():
            await self._end_tasks()
            return 130
        await asyncio.gather(*self.tasks, return_exceptions=True)
        shown, mails = await self._look(onward), self.servers.recipients.received()
        came = await self._came_in(onward)
        found = await problems(onward, self.seen, shown, mails, came)
        self.screen.stop()
        self._tell_the_end(shown, mails)
        for problem in found:
            self.screen.say(f"FAILED: {problem}")
        result = summary(self.seen, shown, mails, came, time.monotonic() - self.began)
        self.screen.say(json.dumps(result))
        if json_file is not None:
            await asyncio.to_thread(json_file.write_text, json.dumps(result, indent=2) + "\n", encoding="utf-8")
        return Code.UNEXPECTED if found else Code.OK

    async def _lasting(self, onward: Enrollments) -> None:
        told = False
        while not self.stop.is_set():
            shown = await self._round(onward, self._footer(told))
            if not told and len(shown) == len(cast.CAST) and all(map(_is_at_rest, shown)):
                told = True
                self._tell_the_end(shown, self.servers.recipients.received(), with_table=False)
        await self._end_tasks()
        self.screen.stop()
        self.screen.console.print(self.screen.table(await self._look(onward), datetime.now(UTC)))

    async def _round(self, onward: Enrollments, footer: Sequence[str]) -> list[dict[str, Any]]:
        """Look, let those act who have read enough, show it, and wait a moment."""
        for mail in await self._came_in(onward):
            if mail["id"] not in self.shown_mail:
                self.shown_mail.add(mail["id"])
                self.screen.mail(mail)
        shown = await self._look(onward)
        mails = self.servers.recipients.received()
        for each in shown:
            self.seen.see(each)
            self._direct(onward, each, mails)
        if not self.seen.killed and len(mails) >= KILL_AFTER and any(each["status"] == "active" for each in shown):
            self.seen.killed += 1
            self._begin(self._replace_worker())
        self.screen.update(shown, datetime.now(UTC), footer)
        if not self.tasks:
            await asyncio.to_thread(self.servers.check)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), LOOK_EVERY)
        return shown

    async def _look(self, onward: Enrollments) -> list[dict[str, Any]]:
        """The newest enrollment of each of the cast."""
        now, found = datetime.now(UTC), []
        async with onward.database.read() as connection:
            for member in cast.CAST:
                try:
                    key = await enrollments.find(connection, cast.SEQUENCE, member.contact)
                except EnrollmentUnknown:
                    continue
                shown = await reading.read_enrollment(connection, key, now)
                link = reading.temporal_link(self.servers.stack.ui_url, "default", shown)
                found.append({**shown, "temporal_ui": link})
        return found

    async def _came_in(self, onward: Enrollments) -> list[dict[str, Any]]:
        """The mail that came in, oldest first: the newest 200."""
        async with onward.database.read() as connection:
            rows = await inbound.page(connection, limit=200)
        return [reading.inbound_shown(row) for row in reversed(rows)]

    async def _enroll(self, onward: Enrollments) -> None:
        """Apply the sequence and enroll whoever was never enrolled; the others go on where they were."""
        async with onward.database.read() as connection:
            known = {row.definition.id for row in await catalog.sequences(connection)}
        if cast.SEQUENCE not in known:
            await definitions.apply_sequence(onward, yaml.safe_load(example("sequence.yaml")), check=check_sequence)
        present = {each["contact"] for each in await self._look(onward)}
        absent = [member.contact for member in cast.CAST if member.contact not in present]
        results = [await onward.enroll(cast.SEQUENCE, key, by=cast.DIRECTOR) for key in absent]
        for result in results:
            if result.refused:
                raise Failure(Code.REFUSED, result.refused[0]["code"], f"{result.contact} may not enter")
        said = f"{len(absent)} contacts enrolled in {cast.SEQUENCE}" if absent else "Going on with the data of before"
        self.screen.say(f"\n{said}. Workflows in Temporal UI, and mail:")
        for each in await self._look(onward):
            self.screen.say(f"  {each['contact']:<6} {each['temporal_ui'] or each['workflow_id']}")
        self.screen.say(f"  mail    {self.servers.inboxes}/<address>/*.eml, or `{command()} inbox mara`")
        self.screen.say(f"  console {self.servers.api_url}/ (another way in: `{command()} keys link {KEY}`)\n")

    # -----------------------------------------------------------------------------------------------------------------
    # Directions

    def _direct(self, onward: Enrollments, shown: Mapping[str, Any], mails: Sequence[Received]) -> None:
        """Let a contact act who has read as many emails as it takes, once per enrollment."""
        key = shown["enrollment"]
        if any(hold["kind"] == "delivery_unknown" for hold in shown["holds"]) and f"settle {key}" not in self.acting:
            self.acting.add(f"settle {key}")
            received = {mail.message_id.strip("<>") for mail in mails}
            self._begin(self._settle(onward, shown, received))
        member = next(member for member in cast.CAST if member.contact == shown["contact"])
        if shown["closed"]:
            return
        if member.back_early and shown["reason"] == "out_of_office" and f"resume {key}" not in self.acting:
            self.acting.add(f"resume {key}")
            self._begin(self._resume(onward, shown))
        if not member.acts_on or key in self.acting:
            return
        since, address = datetime.fromisoformat(shown["started_at"]), self.addresses[member.contact]
        has_read = [mail for mail in mails if mail.address == address and mail.received_at >= since]
        if len(has_read) >= member.acts_on:
            self.acting.add(key)
            self._begin(self._act(onward, member, shown, has_read[-1]))

    async def _act(
        self, onward: Enrollments, member: cast.Member, shown: Mapping[str, Any], received: Received
    ) -> None:
        """The contact has read what they received, and writes back or becomes a client."""
        if await cast.has_acted(onward, shown["enrollment"]):
            return
        await asyncio.sleep(cast.READS_FOR)
        if member.answer is not None:
            raw = member.answer.write(received)
            await asyncio.to_thread(self.servers.come_back, raw, member.answer.folder)
        if member.becomes_client:
            await cast.become_client(onward, shown)

    async def _resume(self, onward: Enrollments, shown: Mapping[str, Any]) -> None:
        await asyncio.sleep(cast.BACK_AFTER)
        await cast.resume(onward, shown)
        self.screen.say(f"{shown['contact']} has called, she is back already: resumed by hand")

    async def _settle(self, onward: Enrollments, shown: Mapping[str, Any], received: set[str]) -> None:
        if await cast.settle_unknown(onward, shown, received):
            self.screen.say(f"{shown['contact']}: the worker died in the moment of a send; looked it up in the inbox")

    async def _replace_worker(self) -> None:
        await asyncio.to_thread(self.servers.kill_worker)
        self.screen.say("The worker was killed (SIGKILL), in the middle of its work ...")
        await asyncio.sleep(1.0)
        pid = await asyncio.to_thread(self.servers.start_worker)
        self.screen.say(f"... and another one goes on where it was (process {pid}).")

    def _begin(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.seen.errors.append(f"a stage direction failed: {task.exception()}")

    async def _end_tasks(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    # -----------------------------------------------------------------------------------------------------------------
    # Words

    def _tell_the_end(
        self, shown: Sequence[Mapping[str, Any]], mails: Sequence[Received], *, with_table: bool = True
    ) -> None:
        if with_table:
            self.screen.console.print(self.screen.table(shown, datetime.now(UTC)))
        twice = len(duplicates(mails))
        workers = f"{self.seen.killed} worker{'' if self.seen.killed == 1 else 's'} killed"
        self.screen.say(f"\n{workers}, {len(mails)} emails received, {twice} twice\n")

    def _footer(self, ended: bool) -> list[str]:
        onward, seq = command(), cast.SEQUENCE
        tries = (
            ["inbound list", "resume tomas", f"enroll {seq} ben", "explain chen"]
            if ended
            else ["inbound list", "pause ben --for 10m", f"sequence off {seq}", "explain chen"]
        )
        lines = ["In a second terminal, try:", *(f"  {onward} {words}" for words in tries)]
        return ["", *lines, "Ctrl-C stops it; the data stays (make demo goes on, make demo-clean forgets)."]


async def sign_in_token(database: Database) -> str:
    """The token of a sign-in link of the demo's own key, which may do everything."""
    now = datetime.now(UTC)
    async with database.transaction() as connection:
        try:
            key = await access.find_key(connection, KEY)
        except access.KeyUnknown:
            key, _ = await access.create_key(connection, KEY, ["admin"], actor="person:you", by=cast.DIRECTOR, now=now)
        return await access.create_link(connection, key.id, now)


def opens_browser() -> bool:
    """Whether there is a screen to open a browser on, and somebody at the terminal."""
    if not sys.stdout.isatty():
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _is_at_rest(shown: Mapping[str, Any]) -> bool:
    """Settled for good, or waiting for a person."""
    if shown["closed"]:
        return True
    if shown["pending"] or shown["settling"] or shown["status"] == "active":
        return False
    return shown["wake_at"] is None


def command() -> str:
    """How `onward` is called from the directory we are in."""
    beside = Path(sys.executable).parent / "onward"
    found = shutil.which("onward")
    if found is not None and Path(found).resolve() == beside.resolve():
        return "onward"
    relative = os.path.relpath(beside)
    return str(beside) if relative.startswith("..") else relative
