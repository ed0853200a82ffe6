"""The command `onward`: its entry point, and how errors end it."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Sequence

import structlog
import typer

from cli import mail
from cli.output import Code, Failure

_log = structlog.get_logger(__name__)


@functools.cache
def _command(only_mail: bool) -> Callable[..., object]:
    """The whole of the commands, or those of `onward mail`, which need no server: alone they start in a third of the time.

    Made once per process: Typer takes a tenth of a second to make them.
    """
    app = typer.Typer(
        name="onward",
        help="Sales email sequences as durable processes.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    if only_mail:
        mail.add_to(app)
        return typer.main.get_command(app)
    # Heavy: Temporal and the database.
    from cli import check, definitions, demo, enrollments, inbound, keys, people, planning, servers, simulate

    for part in (demo, enrollments, planning, simulate, definitions, people, inbound, mail, keys, check, servers):
        part.add_to(app)
    return typer.main.get_command(app)


def invoke(arguments: Sequence[str]) -> int:
    """Run a command line; the exit code. Errors are printed, never raised."""
    as_json = "--json" in arguments and arguments[0] != "demo"
    try:
        result = _command(list(arguments[:1]) == ["mail"])(list(arguments), prog_name="onward", standalone_mode=False)
        return result if isinstance(result, int) else Code.OK
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        # The reader of our output has gone, as in `onward ... | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return Code.UNEXPECTED
    except Exception as error:
        from cli.failures import failure_of  # heavy, and only needed here

        failure = failure_of(error)
        if failure is None:
            _log.exception("command_failed")
            failure = Failure(Code.UNEXPECTED, "unexpected", f"{type(error).__name__}: {error}")
        _print(failure, as_json=as_json)
        return failure.exit_code


def _print(failure: Failure, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(failure.as_json(), ensure_ascii=False))
    elif failure.message:
        print(failure.as_text(), file=sys.stderr)


def main() -> None:
    """Entry point. Ends by os._exit: the Temporal SDK can crash at interpreter exit (sdk-python #300)."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    code = invoke(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = code or Code.UNEXPECTED
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
