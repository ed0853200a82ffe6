"""The bytes that leave."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.compose import compose, message_id, reply_subject
from mail.errors import ContentError
from mail.templates import Rendered

LONG_ID = f"<s.{'a' * 26}@{'b' * 60}.{'c' * 60}.example>"
LONG_URL = f"https://mail.example/u/{'A' * 180}?x=1&y=2"


def composed(**changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "rendered": Rendered("Hello Bob", "Hi Bob,\nhow are you?\n"),
        "from_name": "Ann Seller",
        "from_address": "ann@acme.example",
        "to_name": "Bob Buyer",
        "to_address": "bob@other.example",
        "message_id": "<s.abc@acme.example>",
        "date": datetime(2027, 3, 4, 9, 30, tzinfo=UTC),
    }
    return compose(**{**arguments, **changes})


def parsed(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def content(part: Any) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


def header_lines(data: bytes) -> list[bytes]:
    return data.partition(b"\r\n\r\n")[0].split(b"\r\n")


def assert_well_formed(data: bytes) -> None:
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    for word in re.findall(rb"=\?[^ ?]+\?[bq]\?[^ ?]*\?=", data.partition(b"\r\n\r\n")[0], re.IGNORECASE):
        assert len(word) <= 75


def test_a_plain_email() -> None:
    data = composed()
    assert data == (
        b"From: Ann Seller <ann@acme.example>\r\n"
        b"To: Bob Buyer <bob@other.example>\r\n"
        b"Subject: Hello Bob\r\n"
        b"Date: Thu, 04 Mar 2027 09:30:00 +0000\r\n"
        b"Message-ID: <s.abc@acme.example>\r\n"
        b'Content-Type: text/plain; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"MIME-Version: 1.0\r\n"
        b"\r\n"
        b"Hi Bob,\r\nhow are you?\r\n"
    )


def test_what_machines_match_leaves_byte_for_byte() -> None:
    data = composed(
        message_id=LONG_ID,
        in_reply_to=LONG_ID,
        references=[LONG_ID, LONG_ID],
        unsubscribe_url=LONG_URL,
        unsubscribe_mailto="unsubscribe+token@acme.example",
        reply_to="ann+r@acme.example",
    )
    lines = header_lines(data)
    for expected in (
        f"Message-ID: {LONG_ID}",
        f"In-Reply-To: {LONG_ID}",
        f"References: {LONG_ID} {LONG_ID}",
        f"List-Unsubscribe: <{LONG_URL}>, <mailto:unsubscribe+token@acme.example>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Reply-To: ann+r@acme.example",
    ):
        assert expected.encode() in lines
    assert_well_formed(data)


def test_nothing_asks_responders_to_stay_silent() -> None:
    names = {line.split(b":")[0].lower() for line in header_lines(composed(unsubscribe_url=LONG_URL))}
    assert not names & {b"precedence", b"auto-submitted", b"x-auto-response-suppress"}


def test_the_same_email_is_the_same_bytes() -> None:
    rendered = Rendered("s", "text", "<p>html</p>")
    assert composed(rendered=rendered) == composed(rendered=rendered)


NAMES = [
    "Doe, John, " * 15,
    'The "Big" \\ One',
    "Müller, Jörg (Vertrieb)",
    "山田太郎" * 40,
    "a" * 65536,
    "=?utf-8?q?evil?=",
    "bob@other.example",
    "  ",
    "x\r\nBcc: victim@other.example",
    "a\u2028b\x00c\x85d\te",
    "<evil@other.example>",
    "Ünï, <evil@other.example>" * 5,
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:12])
def test_a_display_name_stays_a_display_name(name: str) -> None:
    data = composed(to_name=name, from_name=name)
    assert_well_formed(data)
    message = parsed(data)
    assert [address.addr_spec for address in message["To"].addresses] == ["bob@other.example"]
    assert [address.addr_spec for address in message["From"].addresses] == ["ann@acme.example"]
    assert "Bcc" not in message
    # Not the parser's display_name: Python 3.11 puts spaces between adjacent encoded words (RFC 2047 6.2 drops them).
    raw = email.message_from_bytes(data)["To"]
    shown = str(make_header(decode_header(raw))).removesuffix("bob@other.example").strip(" \r\n")
    shown = shown.removesuffix("<>").removesuffix("<bob@other.example>").strip()
    if shown.startswith('"'):
        shown = re.sub(r"\\(.)", r"\1", shown[1:-1]).strip()
    assert shown == re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", name).strip()[:200].strip()


@given(st.text(), st.text(max_size=300), st.text())
def test_no_text_breaks_out_of_its_place(name: str, subject: str, body: str) -> None:
    data = composed(to_name=name, rendered=Rendered(subject, body, body), unsubscribe_url=LONG_URL)
    assert_well_formed(data)
    message = parsed(data)
    expected = "From To Subject Date Message-ID List-Unsubscribe List-Unsubscribe-Post MIME-Version Content-Type"
    assert sorted(message.keys()) == sorted(expected.split())
    assert [address.addr_spec for address in message["To"].addresses] == ["bob@other.example"]


@pytest.mark.parametrize("subject", ["Grüße aus Köln " * 15, "Привет, как дела? " * 10, "=?utf-8?q?x?=", "日本語" * 60])
def test_a_subject_beyond_ascii_is_read_as_written(subject: str) -> None:
    data = composed(rendered=Rendered(subject, "x"))
    assert_well_formed(data)
    assert parsed(data)["Subject"] == subject.strip()


@pytest.mark.parametrize(
    "text",
    ["short\n", "Zoë\n", "a" * 5000, "é" * 5000, "x\n.\ny\n", "From me\n", "trailing  \n", "a\rb\r\nc\n", "\x00nul"],
)
def test_bodies_arrive_as_written_on_short_lines(text: str) -> None:
    data = composed(rendered=Rendered("s", text, f"<p>{text}</p>"))
    assert_well_formed(data)
    data.decode("ascii")
    message = parsed(data)
    plain = message.get_body(("plain",))
    html = message.get_body(("html",))
    expected = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    assert content(plain).rstrip("\n") == expected.rstrip("\n")
    assert content(html).rstrip("\n") == f"<p>{expected}</p>"
    assert message.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("subject", ["Hello", "Re: Hello", "RE:re : Re:Hello"])
def test_a_reply_has_exactly_one_re(subject: str) -> None:
    assert reply_subject(subject) == "Re: Hello"
    data = composed(rendered=Rendered(subject, "x"), in_reply_to="<a@b.example>")
    assert parsed(data)["Subject"] == "Re: Hello"


def test_a_reply_without_references_names_the_message_it_answers() -> None:
    assert b"References: <a@b.example>" in header_lines(composed(in_reply_to="<a@b.example>"))


def test_references_keep_the_root_and_the_last_ten() -> None:
    ids = [f"<{n}@b.example>" for n in range(30)]
    (line,) = [line for line in header_lines(composed(references=ids)) if line.startswith(b"References")]
    assert line.decode().split()[1:] == [ids[0], *ids[-10:]]


def test_references_of_monstrous_length_stay_within_a_line() -> None:
    ids = [f"<{n}{'x' * 150}@b.example>" for n in range(30)]
    (line,) = [line for line in header_lines(composed(references=ids)) if line.startswith(b"References")]
    assert line.decode().split()[1] == ids[0]
    assert line.decode().split()[-1] == ids[-1]
    assert len(line) <= 998


def test_an_unsubscribe_link_is_added_only_where_it_is_missing() -> None:
    bare = parsed(
        composed(rendered=Rendered("s", "Hi", "<html><body><p>Hi</p></body></html>"), unsubscribe_url=LONG_URL)
    )
    assert content(bare.get_body(("plain",))).endswith(f"\nUnsubscribe: {LONG_URL}\n")
    html = content(bare.get_body(("html",)))
    assert f'<a href="{LONG_URL.replace("&", "&amp;")}">' in html
    assert html.index("Unsubscribe") < html.index("</body>")
    shown = Rendered("s", f"Hi {LONG_URL}", f'<a href="{LONG_URL.replace("&", "&amp;")}">stop</a>')
    own = parsed(composed(rendered=shown, unsubscribe_url=LONG_URL))
    assert content(own.get_body(("plain",))) == f"Hi {LONG_URL}\n"
    assert content(own.get_body(("html",))).count("<a ") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": "no brackets"},
        {"message_id": "<a@b>\r\nBcc: x@y.example"},
        {"in_reply_to": "<a@b> <c@d>"},
        {"references": ["<a@b>", "x"]},
        {"unsubscribe_url": "https://x.example/a b"},
        {"unsubscribe_url": "https://x.example/\r\nBcc: x@y.example"},
        {"unsubscribe_url": "https://x.example/" + "a" * 1000},
        {"unsubscribe_mailto": "x@y.example>\r\n"},
        {"to_address": "bob@other.example\r\nBcc: x@y.example"},
        {"to_address": "bob@other.example, x@y.example"},
        {"to_address": "bob@other.example,x@y.example"},
        {"to_address": "bob"},
        {"reply_to": "jörg@other.example"},
        {"rendered": Rendered("s", "lone surrogate \ud800")},
        {"rendered": Rendered("lone surrogate \ud800", "x")},
        {"to_name": "lone surrogate \ud800"},
    ],
)
def test_what_cannot_be_sent_is_a_content_error(changes: dict[str, Any]) -> None:
    with pytest.raises(ContentError) as caught:
        composed(**changes)
    assert caught.value.code == "content_rejected"


def test_a_date_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        composed(date=datetime(2027, 3, 4))  # noqa: DTZ001


def test_an_address_beyond_ascii_stands_as_it_is() -> None:
    assert "To: Bob Buyer <jörg@other.example>".encode() in header_lines(composed(to_address="jörg@other.example"))


def test_a_message_id_is_short_stable_and_different_for_each_attempt() -> None:
    first = message_id(b"k" * 32, "e1", "s1", 1, "acme.example")
    assert first == message_id(b"k" * 32, "e1", "s1", 1, "acme.example")
    assert re.fullmatch(r"<s\.[a-z2-7]{26}@acme\.example>", first)
    assert len(first) < 70
    others = {
        message_id(b"k" * 32, "e1", "s1", 2, "acme.example"),
        message_id(b"k" * 32, "e1", "s2", 1, "acme.example"),
        message_id(b"k" * 32, "e1s", "1", 1, "acme.example"),
        message_id(b"l" * 32, "e1", "s1", 1, "acme.example"),
    }
    assert len(others | {first}) == 5
