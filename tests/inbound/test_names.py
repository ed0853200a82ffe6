"""The Message-IDs and addresses that a mail names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mail.inbound.names import MOST, addresses, ids, names_of, sender_of
from mail.inbound.parsing import parse


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("<a@example.com>", ["a@example.com"]),
        ("<a@example.com> <b@example.com>", ["a@example.com", "b@example.com"]),
        ("<a@example.com><b@example.com>", ["a@example.com", "b@example.com"]),
        ("<a@example.com>,<b@example.com>", ["a@example.com", "b@example.com"]),
        ("< a@example.com >", ["a@example.com"]),
        ("<a-long-left-side @example.com>", ["a-long-left-side@example.com"]),  # folded within
        ("<a@example.com", ["a@example.com"]),
        ("<a@example.com <b@example.com>", ["a@example.com", "b@example.com"]),
        ("a@example.com", ["a@example.com"]),
        ("a@example.com b@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com>", ["a@example.com"]),
        ("no-at-sign-123", ["no-at-sign-123"]),
        ("<no-at-sign-123>", ["no-at-sign-123"]),
        ("Your message of Tuesday <a@example.com>", ["a@example.com"]),
        ("<a@example.com> (Ann's message)", ["a@example.com"]),
        ("(a comment) a@example.com", ["a@example.com"]),
        ("<Mixed.Case@Example.com>", ["Mixed.Case@Example.com"]),
        ("", []),
        ("<>", []),
        ("your message of Tuesday", []),
    ],
)
def test_message_ids(value: str, named: list[str]) -> None:
    assert ids(value) == named


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("Ann@Example.COM", ["ann@example.com"]),
        ("Ann <ann@example.com>, bob@example.com", ["ann@example.com", "bob@example.com"]),
        ('"evil@example.net" <ann@example.com>', ["ann@example.com"]),
        ("evil@example.net <ann@example.com>", ["ann@example.com"]),
        ('"Doe, Ann" <ann@example.com>', ["ann@example.com"]),
        ("Doe, Ann <ann@example.com>", ["ann@example.com"]),
        ("ann@example.com (not bob@example.com)", ["ann@example.com"]),
        ("Team: ann@example.com, bob@example.com;", ["ann@example.com", "bob@example.com"]),
        ("rfc822; ann@example.com", ["ann@example.com"]),
        ("rfc822;<ann@example.com>", ["ann@example.com"]),
        ("sales+t0ken@example.com", ["sales+t0ken@example.com"]),
        ("'ann@example.com'", ["ann@example.com"]),
        ("ann@例え.jp", ["ann@例え.jp"]),
        ("undisclosed-recipients:;", []),
        ("<>", []),
        ("@", []),
    ],
)
def test_addresses(value: str, found: list[str]) -> None:
    assert addresses(value) == found


def test_a_display_name_is_never_the_sender() -> None:
    assert sender_of("=?utf-8?q?x?= a@example.net, Ann <ann@example.com>") == "ann@example.com"
    encoded = b"From: =?utf-8?q?Eve_=3Ceve=40example=2Enet=3E?= <ann@example.com>\n\n"
    assert names_of(parse(encoded)).sender == "ann@example.com"
    assert sender_of("MAILER-DAEMON (Mail Delivery System)") == ""


def test_answers_are_in_reply_to_then_references_newest_first() -> None:
    raw = b"In-Reply-To: <c@x>\nReferences: <a@x>\n <b@x>\n <c@x>\n\n"
    assert names_of(parse(raw)).answers == ("c@x", "b@x", "a@x")


def test_the_newest_references_survive_a_list_without_end() -> None:
    many = "\n ".join(f"<{number}@example.com>" for number in range(5_000))
    answers = names_of(parse(f"References: {many}\n\n".encode())).answers
    assert len(answers) == MOST
    assert answers[0] == "4999@example.com"


def test_a_delivery_report_names_its_original_and_its_recipients() -> None:
    raw = (
        b"From: mailer-daemon@example.net\nTo: sales+bounce@example.org\nX-Failed-Recipients: ann@example.com\n"
        b"Content-Type: multipart/report; boundary=xx\n\n--xx\n\nNo.\n--xx\nContent-Type: message/delivery-status\n\n"
        b"Reporting-MTA: dns; x\n\nOriginal-Recipient: rfc822;Ann.Old@example.com\nFinal-Recipient: rfc822;ann@example.com\n"
        b"--xx\nContent-Type: text/rfc822-headers\n\nMessage-ID: <m1@example.org>\nTo: ann.old@example.com\n--xx--\n"
    )
    names = names_of(parse(raw))
    assert names.originals == ("m1@example.org",)
    assert names.concerned == ("ann.old@example.com", "ann@example.com")
    assert names.sender == "mailer-daemon@example.net"
    assert names.recipients == ("sales+bounce@example.org",)


def test_an_original_that_stands_in_the_text() -> None:
    raw = b"Subject: failure notice\n\nSorry.\n\n--- Below this line is a copy of the message.\n\nMessage-ID: <m1@example.org>\nTo: x@y\n"
    assert names_of(parse(raw)).originals == ("m1@example.org",)


def test_a_receipt_and_a_complaint_name_theirs() -> None:
    receipt = b"Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;ann@example.com\nOriginal-Message-ID: <m1@example.org>\n"
    assert names_of(parse(receipt)).originals == ("m1@example.org",)
    assert names_of(parse(receipt)).concerned == ("ann@example.com",)
    complaint = b"Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: ann@example.com\n"
    assert names_of(parse(complaint)).concerned == ("ann@example.com",)


def test_every_way_of_saying_where_it_was_sent() -> None:
    raw = b"To: a@x.org\nCc: b@x.org\nDelivered-To: c@x.org\nX-Original-To: d@x.org\nEnvelope-To: e@x.org\nTo: A@x.org\n\n"
    assert names_of(parse(raw)).recipients == tuple(f"{name}@x.org" for name in "abcde")


def test_the_sender_without_a_from_is_reply_to() -> None:
    assert names_of(parse(b"Reply-To: ann@example.com\n\n")).sender == "ann@example.com"
    assert names_of(parse(b"From: bob@example.com\nReply-To: ann@example.com\n\n")).sender == "bob@example.com"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Mon, 05 Oct 2026 10:00:00 +0200", datetime(2026, 10, 5, 8, tzinfo=UTC)),
        ("Mon, 05 Oct 2026 10:00:00 -0000", datetime(2026, 10, 5, 10, tzinfo=UTC)),
        ("Mon, 05 Oct 2026 10:00:00 CEST (really)", datetime(2026, 10, 5, 10, tzinfo=UTC)),
        ("Mon, 05 Oct 1066 10:00:00 +0200", None),
        ("Mon, 05 Oct 9999 23:59:59 -2359", None),
        ("Mon, 05 Oct 2026 10:00:00 +99999999999", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(written: str, read: datetime | None) -> None:
    assert names_of(parse(f"Date: {written}\n\n".encode())).date == read
