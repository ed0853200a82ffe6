"""`onward check`: is anything standing still that nobody knows of?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.output import Code, emit
from cli.session import JsonOption, open_database, open_temporal, run
from client import checking
from settings import load_settings


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Processes")(check)


def check(
    patience: Annotated[float, typer.Option(help="Seconds that a workflow may take to answer.")] = 5.0,
    as_json: JsonOption = False,
) -> None:
    """Walk all open enrollments and running workflows and name what is wrong. Exit code 5 when something is.

    Finds enrollments that stand still without a next wake-up or a person or event they wait for, records that differ
    from their workflow, records without workflow and the reverse, and failing workflow tasks.
    """

    async def work() -> None:
        settings = load_settings()
        async with open_database(settings) as database:
            client = await open_temporal(settings)
            report = await checking.check(client, database, now=datetime.now(UTC), query_seconds=patience)
        lines = [
            f"{finding.code}: {finding.workflow_id}"
            + (f" ({finding.enrollment})" if finding.enrollment else "")
            + f"\n  {finding.detail}"
            for finding in report.findings
        ]
        lines.append(f"{report.checked} open enrollments looked at, {len(report.findings)} with problems")
        emit(
            {"checked": report.checked, "findings": [finding.as_json() for finding in report.findings]},
            lines,
            as_json=as_json,
        )
        if report.findings:
            raise typer.Exit(Code.PROBLEMS)

    run(work())
