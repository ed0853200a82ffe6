"""The page of an enrollment: one timeline of what really happened, and mails as text with their evidence marked."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from client import timeline
from client.inbound import Inbound
from client.timeline import Entry, MailText
from domain.inbound import Kind
from mail.inbound import read as read_mail
from store import gates
from store import timeline as records
from store.enrollments import EnrollmentUnknown
from tests.harness import World, plain_step
from tests.inbound import mails
from tests.inbound.letters import letter, said


async def read(world: World, enrollment: str) -> tuple[Entry, ...]:
    async with world.database.read() as connection:
        found = await timeline.read(connection, enrollment)
    assert not found.cut
    assert list(found.entries) == sorted(found.entries, key=lambda entry: entry.at)
    for entry in found.entries:
        assert entry.by
        assert not re.search(r"\w_\w", entry.title), entry.title
    return found.entries


async def test_everything_that_happened_in_one_line(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="30d"), plain_step(3, wait="30d")])
    enrollment = await world.enroll("anna")
    await world.until_sent(enrollment, 1)
    (received,) = await world.until_mails("anna", 1)
    back = datetime.now(UTC).date() + timedelta(days=20)
    taken = await world.take(mails.absence(received, f"I am out of the office until {back:%d %B %Y}."))
    await world.until_status(enrollment, "paused", "out_of_office")
    way = Inbound(world.clients, world.settings.require_secret())
    await way.correct(taken.id, by="person:ana", return_date=back + timedelta(days=3))
    noted = await world.take(
        mails.answer(received, "We have received your message. Your ticket is #77.", Auto_Submitted="auto-replied")
    )
    assert noted.kind == "acknowledgement"
    async with world.database.transaction() as connection:
        for gate, key, state in (("sequence", world.sequence, "off"), ("mailbox", world.mailbox, "paused")):
            await gates.switch(
                connection,
                gate,
                key,
                state=state,
                by="person:bo",
                now=datetime.now(UTC),  # type: ignore[arg-type]
            )
    await world.set_contact("anna", stage="Warm")
    await world.command(enrollment, "finish", disposition="bought")
    await world.until_state(enrollment, lambda state: state.closed)

    entries = await read(world, enrollment)
    told = [(entry.kind, entry.code) for entry in entries]
    assert sorted(told) == sorted(
        [
            ("event", "enrolled"),
            ("email", "sent"),
            ("mail", "mail_out_of_office"),
            ("event", "out_of_office"),
            ("event", "out_of_office"),
            ("mail", "mail_acknowledgement"),
            ("switch", "switch_off"),
            ("switch", "mailbox_paused"),
            ("event", "contact_changed"),
            ("event", "finish"),
        ]
    )
    assert told[:2] == [("event", "enrolled"), ("email", "sent")]
    # The mail comes before what follows from it, though both are of the same instant.
    assert told.index(("mail", "mail_out_of_office")) < told.index(("event", "out_of_office"))

    sent = entries[1]
    assert sent.title == "The email of step 1 (step1) was sent"
    assert sent.email is not None
    assert (sent.email.state, sent.email.recipient, sent.email.subject) == ("sent", world.address("anna"), "Subject 1")
    assert dict(sent.details)["Subject"] == "Subject 1"
    assert dict(sent.details)["To"] == world.address("anna")
    assert str(dict(sent.details)["The server said"]).startswith("250")

    (away,) = [entry for entry in entries if entry.code == "mail_out_of_office"]
    assert (away.title, away.by) == ("An out-of-office reply came in", world.address("anna"))
    assert away.mail is not None
    assert (away.mail["id"], away.mail["rule"], away.mail["return"]["date"]) == (taken.id, "absence:header", str(back))
    assert dict(away.details)["Corrected to"] == str(back + timedelta(days=3))
    paused, corrected = [entry for entry in entries if entry.code == "out_of_office"]
    assert (paused.by, paused.mail_id) == (f"the mail from {world.address('anna')}", taken.id)
    assert (corrected.by, corrected.mail_id) == ("ana (a person)", None)
    by = {entry.code: entry.by for entry in entries}
    assert (by["switch_off"], by["mailbox_paused"], by["finish"]) == (
        "bo (a person)",
        "bo (a person)",
        "test (a person)",
    )
    (finish,) = [entry for entry in entries if entry.code == "finish"]
    assert dict(finish.details) == {"Disposition": "bought"}


async def test_each_attempt_is_shown_once_with_what_the_server_said(world: World) -> None:
    await world.add_sequence(steps=1)
    enrollment = await world.enroll("anna")
    await world.until_sent(enrollment, 1)
    async with world.database.transaction() as connection:
        await connection.execute(
            "UPDATE send_ledger SET bounced_at = now(), bounce_class = 'mailbox_full' WHERE enrollment_id = $1",
            enrollment,
        )
        await connection.execute(
            """
            INSERT INTO send_ledger (enrollment_id, step_id, attempt, state, sequence_id, contact_id, mailbox_id, message_id,
                                     recipient, subject, owner, lease_until, tries)
            SELECT enrollment_id, 'gone', 2, 'claimed', sequence_id, contact_id, mailbox_id, 'another', recipient, 'Later', 'w',
                   now(), 3
            FROM send_ledger WHERE enrollment_id = $1
            """,
            enrollment,
        )
    entries = await read(world, enrollment)
    emails = [entry for entry in entries if entry.email is not None]
    assert [entry.title for entry in emails] == [
        "The email of step 1 (step1) was sent",
        "The email of step gone, attempt 2 is being made ready",
    ]
    first, second = (dict(entry.details) for entry in emails)
    assert (first["Because of"], isinstance(first["Came back"], datetime)) == ("mailbox full", True)
    assert (second["Subject"], second["Tries"]) == ("Later", "3")


async def test_the_other_enrollments_of_the_contact(world: World) -> None:
    settings = {"active_elsewhere": "allow"}
    first = await world.add_sequence("first", steps=[plain_step(1, wait="1h")], settings=settings)
    second = await world.add_sequence("second", steps=[plain_step(1, wait="1h")], settings=settings)
    enrollments = [await world.enroll("anna", key) for key in (first, second)]
    await world.enroll("bert", first)
    await world.command(enrollments[1], "pause")
    async with world.database.transaction() as connection:
        await gates.switch(connection, "sequence", first, state="off", by="ann", now=datetime.now(UTC))
    async with world.database.read() as connection:
        (one,) = await records.others(connection, enrollments[0])
        (two,) = await records.others(connection, enrollments[1])
    assert (one.enrollment, one.sequence, one.sequence_name) == (enrollments[1], second, "second")
    assert (one.status, one.label, one.reason, one.closed) == ("paused", "Paused", "manual", False)
    assert (two.status, two.label, two.reason) == ("paused", "Paused", "sequence_off")


async def test_of_nobody_there_is_no_timeline(workerless: World) -> None:
    async with workerless.database.read() as connection:
        for key in (str(uuid4()), "nobody"):
            with pytest.raises(EnrollmentUnknown):
                await timeline.read(connection, key)
            with pytest.raises(EnrollmentUnknown):
                await records.others(connection, key)


async def test_a_long_story_is_cut_at_its_old_end(workerless: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = workerless
    await world.add_sequence()
    async with world.worker():
        enrollment = await world.enroll("anna")
    async with world.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO enrollment_events (enrollment_id, key, kind, by, at)"
            " SELECT $1, 'k' || n, 'unknown_signal', 'unknown', now() + n * interval '1 s' FROM generate_series(1, 9) n",
            enrollment,
        )
    monkeypatch.setattr(records, "MOST", 5)
    async with world.database.read() as connection:
        found = await timeline.read(connection, enrollment)
    assert found.cut
    assert [entry.code for entry in found.entries if entry.kind == "event"] == ["unknown_signal"] * 5


def shown(raw: bytes, kind: Kind) -> MailText:
    reading = said_of(raw)
    assert reading["kind"] == kind.value
    return timeline._text(raw, reading)


def said_of(raw: bytes) -> dict[str, object]:
    return read_mail(raw).model_dump(mode="json")


def test_evidence_is_marked_in_the_text() -> None:
    raw = letter(
        "Hi Sam,\n\nplease note that I am out of\nthe office and I am out of the office until Monday 21 September 2026.\n\n"
        "On Mon, 2 Mar 2026 at 09:00, Sam wrote:\n> I am out of the office until 5 March.\n",
        subject="Automatic reply: Hello",
        Auto_Submitted="auto-replied",
    )
    assert said("I am away until 21 September 2026", Auto_Submitted="auto-replied").return_.date == date(2026, 9, 21)
    found = shown(raw, Kind.OUT_OF_OFFICE)
    assert found.text.startswith("Hi Sam,\n\nplease note")
    marked = [found.text[start:end] for start, end in found.marks]
    assert any("out of\nthe office" in one for one in marked), marked
    assert any("21 September" in one for one in marked), marked
    assert all(end <= found.text.index("On Mon") for _, end in found.marks)
    assert (found.cut, found.kept) == (False, True)


def test_what_cannot_be_seen_or_is_html_is_not_shown() -> None:
    raw = letter("Stop \u202ewriting\u202c to me\x07, please unsubscribe me.")
    assert "\u202e" not in timeline._text(raw, said_of(raw)).text
    assert "\x07" not in timeline._text(raw, said_of(raw)).text
    html = (
        b"From: a@b.test\r\nSubject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        b"<script>alert(1)</script><p>Please <b>unsubscribe</b> me &lt;now&gt;</p>"
    )
    found = timeline._text(html, said_of(html))
    assert "alert" not in found.text
    assert "unsubscribe" in found.text
    assert "<now>" in found.text
    long = letter("word " * 10_000)
    cut = timeline._text(long, said_of(long))
    assert (len(cut.text), cut.cut) == (timeline.MOST_TEXT, True)
    assert timeline._text(b"", {}).text == ""


async def test_a_mail_that_was_not_kept_has_no_text(workerless: World) -> None:
    bulk = await workerless.take(letter("News", List_Id="<news.example>"))
    kept = await workerless.take(letter("Please unsubscribe me."))
    async with workerless.database.read() as connection:
        assert await timeline.mail_text(connection, bulk.id) == MailText("", (), False, False)
        found = await timeline.mail_text(connection, kept.id)
    assert found.kept
    assert "unsubscribe me" in "|".join(found.text[start:end] for start, end in found.marks)
