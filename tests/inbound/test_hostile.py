"""Mail made to hurt: nothing raises, and what is kept is bounded however much there is.

Bounds, not seconds, are asserted; the time limit of a test is far above what linear work takes and far below what quadratic
work would.
"""

from __future__ import annotations

import base64
import random
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mail.inbound import Context
from mail.inbound import read as read_mail
from mail.inbound.mime import MOST_FIELDS, MOST_PARTS, MOST_VALUE
from mail.inbound.names import MOST, names_of
from mail.inbound.parsing import MOST_BLOCKS, MOST_DEPTH, MOST_ORIGINALS, MOST_TEXT, Parsed, parse
from mail.inbound.text import MOST_LINES, new_text
from tests.inbound.seeds import SEEDS

MEGABYTE = 1024 * 1024
SENT = "Hi Ann,\nwe sell shovels to people who dig for gold.\nReply STOP and we will not write again."
CONTEXT = Context(own_message_ids=frozenset({"m1@example.org"}), sent=(SENT,))


def read(raw: bytes) -> Parsed:
    """Everything that happens to a mail's bytes here, with its bounds checked."""
    parsed = parse(raw)
    names = names_of(parsed)
    text = new_text(parsed, [SENT])
    assert len(parsed.parts) <= MOST_PARTS
    assert len(parsed.originals) == len(parsed.original_texts) <= MOST_ORIGINALS
    assert len(parsed.status) <= MOST_BLOCKS
    assert sum(len(part.text) for part in parsed.parts) <= 5 * MOST_TEXT
    assert len(parsed.text) <= 2 * MOST_TEXT  # HTML may be a little longer as text ("> " before each line of a quote)
    for headers in (parsed.headers, *parsed.originals, *parsed.status):
        assert len(headers.fields) <= MOST_FIELDS
        assert all(len(value) <= 2 * MOST_VALUE for _, value in headers.fields)
    assert max(len(names.answers), len(names.originals), len(names.recipients), len(names.concerned)) <= MOST
    assert len(text.text) + len(text.quoted) + len(text.signature) <= len(parsed.text)
    # PostgreSQL stores no NUL, and JSON no half of a surrogate pair.
    everything = [
        parsed.text,
        *parsed.original_texts,
        *(value for _, value in parsed.headers.fields),
        text.text,
        text.doubtful,
    ]
    for one in everything:
        assert "\0" not in one
        one.encode()
    names.model_dump_json()
    reading = read_mail(raw, context=CONTEXT)
    assert len(reading.model_dump_json()) <= MEGABYTE
    assert all(len(evidence.text) <= 200 for evidence in reading.evidence)
    return parsed


def many_parts(count: int) -> bytes:
    return (
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"--b\nContent-Type: text/plain\n\nHello\n" * count
        + b"--b--\n"
    )


def nested_mails(depth: int) -> bytes:
    return b"Subject: x\nContent-Type: message/rfc822\n\n" * depth + b"Subject: innermost\n\nHello"


def nested_multiparts(depth: int) -> bytes:
    opened = (f"Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n" for level in range(depth))
    return ("".join(opened) + "\nHello\n" + "".join(f"--b{level}--\n" for level in reversed(range(depth)))).encode()


def bomb(depth: int, width: int) -> bytes:
    """Parts in parts, each many times: width ** depth leaves, had they been written out; here they share one end."""
    body = b"\nHello\n"
    for level in range(depth):
        part = b"--b%d\n" % level + body
        body = b"Content-Type: multipart/mixed; boundary=b%d\n\n" % level + part * width + b"--b%d--\n" % level
    return body


HOSTILE: dict[str, Callable[[], bytes]] = {
    "10,000 parts": lambda: many_parts(10_000),
    "1,000,000 parts": lambda: many_parts(1_000_000)[: 25 * MEGABYTE],
    "2,000 mails in mails": lambda: nested_mails(2_000),
    "mails in mails, 25 MB": lambda: nested_mails(25 * MEGABYTE // 43),
    "2,000 multiparts in multiparts": lambda: nested_multiparts(2_000),
    "200,000 multiparts in multiparts": lambda: nested_multiparts(200_000),
    "80 long texts": lambda: (
        b"Content-Type: multipart/mixed; boundary=b\n\n" + (b"--b\n\n" + b"a" * 300_000 + b"\n") * 80
    ),
    "a bomb of parts": lambda: bomb(6, 10),
    "encoded mails in encoded mails": lambda: _encoded(12),
    "a line of 25 MB": lambda: b"Subject: x\n\n" + b"a" * 25 * MEGABYTE,
    "25 MB of line ends": lambda: b"Subject: x\n\n" + b"\r\n" * (25 * MEGABYTE // 2),
    "25 MB of carriage returns": lambda: b"Subject: x\r\r" + b"\r" * 25 * MEGABYTE,
    "25 MB of NULs": lambda: b"\0" * 25 * MEGABYTE,
    "25 MB of base64": lambda: b"Content-Transfer-Encoding: base64\n\n" + b"QUJD" * (25 * MEGABYTE // 4),
    "25 MB of quoted-printable": lambda: b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=" * 25 * MEGABYTE,
    "a header of 1 MB": lambda: b"Subject: " + b"a" * MEGABYTE + b"\n\nHello",
    "a folded header of 1 MB": lambda: b"Subject: " + b"a\n " * (MEGABYTE // 3) + b"\n\nHello",
    "a header of 25 MB and nothing else": lambda: b"Subject: " + b"a" * 25 * MEGABYTE,
    "100,000 headers": lambda: b"".join(b"X-%d: y\n" % number for number in range(100_000)) + b"\nHello",
    "100,000 References": lambda: b"References: " + b"<a@example.com>\n " * 100_000 + b"\n\n",
    "brackets without end": lambda: b"References: " + b"<" * MEGABYTE + b"\nTo: " + b"(" * 200_000 + b'"' * 50_000 + b"\n\n",
    "encoded words without end": lambda: b"Subject: " + b"=?a?q?" * 40_000 + b"\n\n",
    "parameters without end": lambda: b"Content-Type: text/plain" + b'; a="' * 40_000 + b"\n\n",
    "200 headers of addresses": lambda: b"".join(b"To: %s\n" % (b"a" * 1_000) for _ in range(200)) + b"\n",
    "lines like a boundary": lambda: b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + b"--bb\n" * 5_000_000,
    "boundary lines inside each other": lambda: _lookalikes(),
    "tags without end": lambda: b"Content-Type: text/html\n\n" + b"<a " * MEGABYTE,
    "comments without end": lambda: b"Content-Type: text/html\n\n" + b"<!--" * MEGABYTE,
    "styles without end": lambda: b"Content-Type: text/html\n\n" + b"<style>" * MEGABYTE,
    "quotes in quotes": lambda: b"Content-Type: text/html\n\n" + b"<blockquote>a<br>" * 100_000,
    "links on one line": lambda: b"Content-Type: text/html\n\n" + b"<a href=mailto:a@b.c>x</a>" * 100_000,
    "entities": lambda: b"Content-Type: text/html\n\n" + b"&#xD800;&#0;&ampampamp" * 100_000,
    "colons": lambda: b"\n" + b"From:\n" * 100_000,
    "attributions": lambda: b"\n" + b"On 2026-10-05 10:00 <a@b.c> wrote\n" * 50_000,
    "closings": lambda: b"\n" + b"Best regards,\n" * 100_000,
    "long closings": lambda: b"\n" + b"Best regards A B C D E F G H I J K L M N O P Q R S T U V\n" * 50_000,
    "rules": lambda: b"\n" + b"- -" * 100_000 + b"\n" + b"________________________________\n" * 50_000,
    "spaces": lambda: b"\n" + b" " * 5 * MEGABYTE,
    "our words again and again": lambda: b"\n" + b"we sell shovels to people who dig for gold\n" * 100_000,
    "report blocks": lambda: b"Content-Type: message/delivery-status\n\n" + b"Action: failed\n\n" * 500_000,
    "utf-7": lambda: b"Content-Type: text/plain; charset=utf-7\n\n+2AA-+3AA- +2AA-",
    "punycode": lambda: b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" + b"z9" * 100_000,
    "half of UTF-16": lambda: b"\xff\xfe" + b"\x00\xd8" * 1_000_000,
}  # fmt: skip


def _encoded(depth: int) -> bytes:
    raw = b"Subject: innermost\n\n" + b"Hello " * 10_000
    for _ in range(depth):
        raw = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(raw)
    return raw


def _lookalikes() -> bytes:
    opened = b"".join(
        b"Content-Type: multipart/mixed; boundary=%s\n\n--%s\n" % (b"a" * level, b"a" * level)
        for level in range(40, 1, -1)
    )
    return opened + b"\nHello\n" + (b"--" + b"a" * 60 + b"\n") * 300_000


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_is_read_within_bounds(name: str) -> None:
    read(HOSTILE[name]())


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["1,000,000 parts", "25 MB of line ends", "25 MB of base64", "a line of 25 MB"])
def test_memory_grows_with_the_mail_and_no_faster(name: str) -> None:
    raw = HOSTILE[name]()
    tracemalloc.start()
    try:
        read_mail(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 2 * len(raw) + 20 * MEGABYTE


def test_what_is_cut_is_said() -> None:
    assert parse(many_parts(10_000)).cut == ("parts",)
    assert parse(nested_multiparts(2_000)).cut == ("depth",)
    assert "depth" in parse(nested_mails(2_000)).cut or "parts" in parse(nested_mails(2_000)).cut
    assert parse(b"Subject: x\n\n" + b"a" * MEGABYTE).cut == ("size",)
    assert parse(b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\n" * MEGABYTE).cut == ("size",)
    assert parse(b"Subject: " + b"a" * MEGABYTE + b"\n\nHello").cut == ("headers",)
    assert "parts" in parse(HOSTILE["lines like a boundary"]()).cut
    digest = b"Content-Type: multipart/digest; boundary=b\n\n" + b"--b\n\nSubject: x\n\nHello\n" * 100
    assert (parse(digest).cut, len(parse(digest).originals)) == (("parts",), MOST_ORIGINALS)
    assert parse(many_parts(10)).cut == ()
    assert new_text(parse(b"\n" + b"a\n" * (MOST_LINES + 10))).cut == ("size",)


def test_the_text_is_found_beside_what_is_cut() -> None:
    assert parse(b"Subject: " + b"a" * MEGABYTE + b"\n\nHello").text == "Hello"
    assert parse(many_parts(10_000)).text.strip() == "Hello"
    beside = (
        b"Content-Type: multipart/mixed; boundary=zz\n\n--zz\n\nHello\n--zz\n" + nested_multiparts(2_000) + b"--zz--"
    )
    assert parse(beside).text == "Hello"


def test_depth_within_the_bound_is_read() -> None:
    assert parse(nested_multiparts(MOST_DEPTH)).text.strip() == "Hello"


def mutated(seed: int) -> bytes:
    """A real-looking mail with a few bytes, lines or stretches changed, doubled, moved or lost."""
    chance = random.Random(seed)
    raw = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 12)):
        at, length = chance.randrange(len(raw) + 1), chance.choice((1, 2, 5, 40, 300))
        piece = bytes(raw[at : at + length])
        match chance.randrange(5):
            case 0:
                del raw[at : at + length]
            case 1:
                raw[at:at] = piece * chance.choice((1, 2, 50))
            case 2:
                raw[at : at + length] = chance.randbytes(length)
            case 3:
                to = chance.randrange(len(raw) + 1)
                raw[to:to] = piece
            case _:
                raw[at:at] = chance.choice(
                    (b"\0", b"\r", b"\n\n", b"\xff", b"--b1", b"=?", b"<", b'"', b"multipart/", b"\x1b$B", b": ")
                )
        if not raw:
            break
    return bytes(raw)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=4_000))
def test_no_bytes_raise(raw: bytes) -> None:
    read(raw)
    read(b"Content-Type: multipart/mixed; boundary=x\n\n--x\n" + raw)
    read(b"Content-Type: text/html\nSubject: " + raw)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_no_damaged_mail_raises(seed: int) -> None:
    read(mutated(seed))
