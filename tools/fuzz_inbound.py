"""Fuzzes the reading of inbound mail with Atheris: no input may raise, make a reading without bound, or take long.

    pip install atheris==3.0.0          # or the extra `fuzz`
    python tools/fuzz_inbound.py --seconds 600 [--findings DIR] [--corpus DIR]

Starts from the mails of tests/inbound/seeds.py, or goes on from a corpus of an earlier run. The exit status is 0 when
nothing was found; a finding is printed with its traceback and its input kept in `--findings`. To run one again:
`python tools/fuzz_inbound.py --again FILE`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

BUDGET = 2.0
"""CPU seconds for one input of at most `LONGEST` bytes, instrumented: a hundred times what an ordinary mail takes."""
LONGEST = 64 * 1024
MOST_JSON = 1_000_000
"""Characters of a reading: what an input of `LONGEST` bytes could make of itself, with room."""
_RECEIVED_AT = datetime(2026, 10, 5, 13, 4, tzinfo=UTC)

WORDS = (
    "Content-Type: ", "multipart/report; report-type=delivery-status; boundary=b", "\\n--b\\n", "\\n--b--\\n", "message/rfc822", "message/delivery-status",
    "message/feedback-report", "message/disposition-notification", "text/html", "text/calendar; method=REPLY", "base64", "quoted-printable",
    "charset=utf-7", "charset=iso-2022-jp", "=?utf-8?B?", "=?utf-8?Q?", "?=", "Auto-Submitted: auto-replied", "Return-Path: <>", "mailer-daemon@", "Precedence: bulk",
    "List-Id: ", "X-Failed-Recipients: ", "Final-Recipient: rfc822;", "Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 ", "550 5.1.1 ", "\\n> ",
    "From: ", "Sent: ", "Subject: Automatic reply: ", "Subject: Undelivered Mail", "out of office until ", "back on ", "from 1 to 5 October", "31/02/2026", "KW 42",
    "2026-10-05", "05.10.", "10月5日", "unsubscribe", "no longer with", "wrote:", "Best regards,", "<blockquote>", "</div>", "<!--", "&nbsp;", "\\n-- \\n", "BEGIN:VCALENDAR\\nPARTSTAT=DECLINED",
)  # fmt: skip


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--corpus", type=Path, help="kept and grown; without it one is made for this run")
    parser.add_argument("--again", type=Path, metavar="FILE", help="run one input, without Atheris")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given, rest = parser.parse_known_args()
    if given.again is not None:
        one_input(given.again.read_bytes())
        return 0
    if given.inside:
        return _fuzz(rest)
    # libFuzzer ends its process itself, so it gets one of its own.
    given.findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        corpus = given.corpus or Path(home) / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        words = Path(home) / "words"
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS))
        _plant(corpus)
        done = subprocess.run(
            [
                sys.executable,
                __file__,
                "--inside",
                f"-max_total_time={given.seconds}",
                f"-max_len={LONGEST}",
                f"-dict={words}",
                f"-artifact_prefix={given.findings}/",
                "-len_control=20",
                "-rss_limit_mb=2048",
                "-timeout=60",
                "-print_final_stats=1",
                str(corpus),
            ],
            check=False,
        )
    return done.returncode


def _escaped(word: str) -> str:
    """As libFuzzer's dictionaries write bytes."""
    raw = word.replace("\\n", "\n").encode()
    return "".join(f"\\x{byte:02X}" if byte in b'"\\' or not 32 <= byte < 127 else chr(byte) for byte in raw)


def _plant(corpus: Path) -> None:
    from tests.inbound.seeds import SEEDS

    for number, seed in enumerate(SEEDS):
        (corpus / f"seed-{number}").write_bytes(seed)


def _fuzz(arguments: list[str]) -> int:
    import atheris

    with atheris.instrument_imports(include=["mail", "domain"]):
        import mail.inbound  # noqa: F401
    atheris.Setup([sys.argv[0], *arguments], one_input)
    atheris.Fuzz()
    return 0


def one_input(raw: bytes) -> None:
    """Read one input. Raises for whatever is a finding."""
    from mail.inbound import Context, names_of, parse, read

    context = Context(
        own_addresses=frozenset({"bob@example.org"}),
        own_message_ids=frozenset({"m1@example.org"}),
        sent=("Hi Ann,\nwe sell shovels to people who dig for gold.\nReply STOP and we will not write again.",),
    )
    began = time.process_time()
    reading = read(raw, None if raw[:1] < b"M" else _RECEIVED_AT, context)
    took = time.process_time() - began
    written = reading.model_dump_json() + names_of(parse(raw)).model_dump_json()
    assert len(written) < MOST_JSON, f"a reading of {len(written)} characters"
    assert "\\u0000" not in written, "a NUL, which PostgreSQL cannot store"
    assert all(len(one.text) <= 200 for one in reading.evidence), "evidence that is too long"
    assert took < BUDGET, f"{took:.1f} s of CPU for {len(raw)} bytes"


if __name__ == "__main__":
    sys.exit(main())
