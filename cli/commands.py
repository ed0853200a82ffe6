"""Every command on an enrollment (`onward pause`, `resume`, ...) and the facts about it (`onward report ...`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import words
from cli.output import emit
from cli.session import (
    AsOption,
    ContactOption,
    IdOption,
    JsonOption,
    WhichArgument,
    actor,
    changing,
    given,
    moment,
    open_enrollments,
    run,
    which,
)
from domain.messages import COMMANDS

PANEL = "Commands on an enrollment"
report = typer.Typer(no_args_is_help=True, help="Report what happened outside: a reply, a bounce, an auto-reply, ...")

UntilOption = Annotated[
    str | None, typer.Option("--until", "--for", help="A date, an instant with offset, or a duration: 10m, 2h, 3d.")
]
MailboxOption = Annotated[
    str | None, typer.Option("--mailbox", help="Send from this mailbox of the sequence from now on.")
]
MessageIdOption = Annotated[str | None, typer.Option("--message-id", help="Our email's Message-ID that it names.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    every = (pause, resume, resume_at, send_now, skip, retry, finish, remove, settle_delivery)
    for command in every:
        app.command(rich_help_panel=PANEL)(command)
    app.add_typer(report, name="report", rich_help_panel=PANEL)


def _tell(name: str, who: list[str] | None, contact: str | None, by: str | None, as_json: bool, **fields: Any) -> None:
    """Give a command or report a fact, and print what it led to."""

    async def work() -> None:
        async with open_enrollments() as enrollments:
            async with enrollments.database.read() as connection:
                key = await which(connection, who, contact)
            give = enrollments.command if name in COMMANDS else enrollments.fact
            async with changing(enrollments.database, name, by, "enrollment", key):
                answer = await give(key, name, {"by": actor(by), **given(**fields)})
        said = answer.model_dump(mode="json")
        # What is at its default is left out on the wire; programs that read this want it there.
        shown = {**said, "accepted": answer.accepted, "adopted": answer.adopted, "reason": answer.reason}
        shown["remaining_holds"] = list(answer.remaining_holds)
        emit(shown, words.answer_lines(answer, datetime.now(UTC)), as_json=as_json)

    run(work())


def pause(
    who: WhichArgument = None,
    until: UntilOption = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold an enrollment, until a time or until resumed."""
    _tell("pause", who, contact, by, as_json, until=moment(until), id=id)


def resume(
    who: WhichArgument = None,
    mailbox: MailboxOption = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Release what a person may release; after a bounce, send the halted step again."""
    _tell("resume", who, contact, by, as_json, mailbox=mailbox, id=id)


def resume_at(
    until: Annotated[
        str, typer.Option("--until", "--for", help="A date, an instant with offset, or a duration: 10m, 2h, 3d.")
    ],
    who: WhichArgument = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set the end of every hold that `resume` could release."""
    _tell("resume_at", who, contact, by, as_json, until=moment(until), id=id)


def send_now(
    who: WhichArgument = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Skip the wait before the current step; never the guards, windows or limits."""
    _tell("send_now", who, contact, by, as_json, id=id)


def skip(
    who: WhichArgument = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Leave the current step out and go on with the next."""
    _tell("skip", who, contact, by, as_json, id=id)


def retry(
    who: WhichArgument = None,
    mailbox: MailboxOption = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try the halted step again."""
    _tell("retry", who, contact, by, as_json, mailbox=mailbox, id=id)


def finish(
    who: WhichArgument = None,
    outcome: Annotated[str | None, typer.Option(help="manual, replied, interested, meeting_booked, ...")] = None,
    disposition: Annotated[str | None, typer.Option(help="A code of your own, such as wrong_person.")] = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """End an enrollment by hand."""
    _tell("finish", who, contact, by, as_json, outcome=outcome, disposition=disposition, id=id)


def remove(
    who: WhichArgument = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the contact out of the sequence; the record and its story stay."""
    _tell("remove", who, contact, by, as_json, id=id)


def settle_delivery(
    verdict: Annotated[str, typer.Option(help="sent: it arrived, go on; not_sent: try the step again.")],
    who: WhichArgument = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what became of an email whose delivery is unknown."""
    _tell("settle_delivery", who, contact, by, as_json, verdict=verdict, id=id)


@report.command("reply")
def report_reply(
    who: WhichArgument = None,
    interest: Annotated[str | None, typer.Option(help="interested or not_interested.")] = None,
    message_id: MessageIdOption = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """The contact answered."""
    _tell("reply", who, contact, by, as_json, interest=interest, message_id=message_id, id=id)


@report.command("out-of-office")
def report_out_of_office(
    who: WhichArgument = None,
    back: Annotated[str | None, typer.Option("--return", help="When the contact is back: a date, or 3d.")] = None,
    corrected: Annotated[
        bool | None, typer.Option("--corrected", help="A person read the mail: no later auto-reply overrides it.")
    ] = None,
    message_id: MessageIdOption = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """An automatic reply said that the contact is away."""
    fields = {"return_date": moment(back), "corrected": corrected, "message_id": message_id}
    _tell("out_of_office", who, contact, by, as_json, **fields, id=id)


@report.command("bounce")
def report_bounce(
    who: WhichArgument = None,
    kind: Annotated[str | None, typer.Option(help="hard_bounce (default), spam_block or soft.")] = None,
    code: Annotated[str | None, typer.Option(help="Enhanced status code, such as 5.1.1.")] = None,
    message_id: MessageIdOption = None,
    step: Annotated[str | None, typer.Option(help="The step's ID, instead of a Message-ID.")] = None,
    attempt: Annotated[int | None, typer.Option(help="The attempt, with --step.")] = None,
    contact: ContactOption = None,
    by: AsOption = None,
    id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """An email came back; the last one, unless it is named."""
    fields = {"kind": kind, "code": code, "message_id": message_id, "step": step, "attempt": attempt}
    _tell("bounce", who, contact, by, as_json, **fields, id=id)


def _plain(name: str, help: str) -> None:
    """A fact that has no fields of its own."""

    @report.command(name.replace("_", "-"), help=help)
    def fact(
        who: WhichArgument = None,
        contact: ContactOption = None,
        by: AsOption = None,
        id: IdOption = None,
        as_json: JsonOption = False,
    ) -> None:
        _tell(name, who, contact, by, as_json, id=id)


_plain("unsubscribe", "The contact opted out.")
_plain("complaint", "The contact reported an email as spam.")
_plain("meeting_booked", "A meeting was booked.")
_plain("contact_gone", "The contact left the company, or the address moved.")
_plain("account_reply", "Somebody else at the account replied; the sequence's policy decides.")
