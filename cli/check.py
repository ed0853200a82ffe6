"""`onward check`: is anything standing still that nobody knows of?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.output import Code, emit
from cli.session import AsOption, JsonOption, actor, changing, open_database, open_temporal, run
from client import checking, repairing
from client.checking import Finding
from client.repairing import Repair
from settings import load_settings
from store.audit import Result


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Processes")(check)


def check(
    patience: Annotated[float, typer.Option(help="Seconds that a workflow may take to answer.")] = 5.0,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend the records that differ, and say what was done.")
    ] = False,
    by: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Walk all open enrollments and running workflows and name what is wrong. Exit code 5 when something is.

    Finds enrollments that stand still without a next wake-up or a person or event they wait for, records that differ
    from their workflow, records without workflow and the reverse, what closed ones left behind, and failing workflow tasks.

    With --repair a workflow that runs records itself anew; a record whose workflow is gone is closed, its slot and its
    places at gates are released. Exit code 5 then when something could not be mended.
    """

    async def work() -> None:
        settings = load_settings()
        async with open_database(settings) as database:
            client = await open_temporal(settings)
            now = datetime.now(UTC)
            report = await checking.check(client, database, now=now, query_seconds=patience)
            repairs: tuple[Repair, ...] = ()
            if repair:
                async with changing(database, "repair", by) as trail:
                    repairs = await repairing.repair(
                        client, database, report.findings, by=actor(by), now=now, query_seconds=patience
                    )
                    for one in repairs:
                        done: Result = "done" if one.done else "refused"
                        trail.add("repair", "workflow", one.finding.workflow_id, done, one.finding.code)
        told: dict[str, Any] = {"checked": report.checked, "findings": [one.as_json() for one in report.findings]}
        lines = [line for finding in report.findings for line in _found(finding)]
        lines.append(f"{report.checked} open enrollments looked at, {len(report.findings)} with problems")
        if repair:
            told["repairs"] = [one.as_json() for one in repairs]
            lines += [line for one in repairs for line in _mended(one)]
            lines.append(f"{sum(one.done for one in repairs)} of {len(repairs)} mended")
        emit(told, lines, as_json=as_json)
        if not all(one.done for one in repairs) if repair else report.findings:
            raise typer.Exit(Code.PROBLEMS)

    run(work())


def _found(finding: Finding) -> list[str]:
    who = f" ({finding.enrollment})" if finding.enrollment else ""
    return [f"{finding.code}: {finding.workflow_id}{who}", f"  {finding.detail}"]


def _mended(one: Repair) -> list[str]:
    return [f"{'mended' if one.done else 'not mended'}: {one.finding.workflow_id}", f"  {one.did}"]
