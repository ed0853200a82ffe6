"""How fast mail that came in is read: mails per second on one core, and the time beside the standard library's parser."""

from __future__ import annotations

import argparse
import base64
import email
import email.policy
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from statistics import median

from benchmarks import common
from mail.inbound import Context, parse, read

BAR_PER_SECOND = 300.0
BAR_RATIO = 3.0
_RECEIVED_AT = datetime(2026, 10, 5, 13, 4, tzinfo=UTC)

OURS = """Hi Ann,

I saw that your team is moving its reporting to the new platform. We help companies of your size to do that
within a quarter, without a second set of dashboards to keep.

Would a short call next Tuesday or Wednesday suit you?

Best
Bob

If you would rather not hear from me again, reply STOP."""

REPLIES = (
    "Hi Bob,\n\nthanks for reaching out. Tuesday at 14:00 works for me, could you send an invitation?\n\nBest regards,\nAnn Doe\n"
    "Head of Reporting | Example Ltd\n+44 20 5550 0142 | www.example.com",
    "Hallo Bob,\n\ndas Thema ist bei uns gerade nicht aktuell. Bitte melden Sie sich im Frühjahr noch einmal.\n\nMit freundlichen Grüßen\nAnn Doe",
    "Not interested, thanks.\n\nSent from my iPhone",
    "Bonjour Bob,\n\nje transmets à ma collègue qui s'occupe de ces questions.\n\nCordialement,\nAnn",
)
ATTRIBUTIONS = (
    "On Mon, Oct 5, 2026 at 9:00 AM Bob Ray <bob@example.org> wrote:",
    "Am 05.10.2026 um 09:00 schrieb Bob Ray <bob@example.org>:",
    "Le lun. 5 oct. 2026 à 09:00, Bob Ray <bob@example.org> a écrit :",
)
ABSENCES = (
    ("Automatic reply: A question", "I am out of the office until Monday, 19 October 2026 with limited access to email."),
    ("Automatische Antwort: Frage", "Ich bin bis einschließlich 16.10.2026 nicht im Büro. Ihre Nachricht wird nicht weitergeleitet."),
    ("Réponse automatique : Question", "Je suis absente du bureau jusqu'au 19 octobre 2026 inclus."),
    ("Respuesta automática: Pregunta", "Estaré fuera de la oficina hasta el 19 de octubre de 2026."),
    ("Risposta automatica: Domanda", "Sono fuori ufficio e rientrerò il 19 ottobre 2026."),
    ("Resposta automática: Pergunta", "Estou de férias e regresso no dia 19 de outubro de 2026."),
    ("Automatisch antwoord: Vraag", "Ik ben afwezig tot en met 16 oktober 2026."),
    ("Autosvar: Fråga", "Jag är på semester och är tillbaka den 19 oktober 2026."),
    ("Automatyczna odpowiedź: Pytanie", "Jestem na urlopie do 16 października 2026 włącznie."),
    ("Автоматический ответ: вопрос", "Я в отпуске до 19 октября 2026 года."),
    ("自動応答: ご質問", "10月16日まで不在にしております。10月19日より出社いたします。"),
    ("自动回复: 问题", "我目前不在办公室，将于2026年10月19日返回。"),
)  # fmt: skip


def options(parser: argparse.ArgumentParser) -> None:
    """Command line."""
    parser.add_argument("--mails", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)


async def run(given: argparse.Namespace) -> int:
    """Measure: all mails in each of the ways, in turn, so many times."""
    mails = ordinary_mails(given.mails)
    context = Context(
        own_addresses=frozenset({"bob@example.org"}), own_message_ids=frozenset({"m0@example.org"}), sent=(OURS,)
    )

    def ours(raw: bytes) -> None:
        read(raw, _RECEIVED_AT, context)

    ways: tuple[Callable[[bytes], object], ...] = (ours, parse, _standard_library)
    took: list[list[float]] = [[] for _ in ways]
    for _ in range(given.rounds + 1):  # the first warms up
        for way, times in zip(ways, took, strict=True):
            times.append(_seconds(way, mails))
    whole, parsing, standard = (median(times[1:]) for times in took)
    ratio = median(one / other for one, other in zip(took[0][1:], took[2][1:], strict=True))
    figures = {
        "mails_per_second": round(len(mails) / whole),
        "ratio_to_standard_library": round(ratio, 2),
        "parse_alone_per_second": round(len(mails) / parsing),
        "standard_library_per_second": round(len(mails) / standard),
        "mails": len(mails),
        "bytes_per_mail": sum(map(len, mails)) // len(mails),
    }
    common.report(
        "inbound",
        [
            ("mails parsed and classified per second", str(figures["mails_per_second"]), f"≥ {BAR_PER_SECOND:g}"),
            ("time beside the standard library's parsing", f"{ratio:.2f}", f"≤ {BAR_RATIO:g}"),
            ("parsed alone per second", str(figures["parse_alone_per_second"]), ""),
            ("standard library, per second", str(figures["standard_library_per_second"]), ""),
        ],
        figures,
    )
    return 0 if len(mails) / whole >= BAR_PER_SECOND and ratio <= BAR_RATIO else 1


def _seconds(way: Callable[[bytes], object], mails: Sequence[bytes]) -> float:
    """CPU seconds, so that what else the machine does counts less."""
    began = time.process_time()
    for raw in mails:
        way(raw)
    return time.process_time() - began


def _standard_library(raw: bytes) -> None:
    """What the standard library needs to have the texts of a mail."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        if part.get_content_maintype() == "text":
            part.get_content()


def ordinary_mails(count: int, seed: int = 1) -> list[bytes]:
    """Mails as they come in: half of them replies, then absences, delivery reports and newsletters."""
    chance = random.Random(seed)
    return [chance.choice((_reply, _reply, _reply, _absence, _report, _newsletter))(chance, n) for n in range(count)]


def _head(chance: random.Random, number: int, subject: str, *more: str) -> str:
    """The headers of a mail that came through a few servers."""
    sender = f"ann{number}@example.com"
    hops = [
        f"Received: from mx{hop}.example.com (mx{hop}.example.com [203.0.113.{hop}])\r\n\tby mx.example.org (Postfix) with ESMTPS id"
        f" {chance.randrange(16**10):010X}\r\n\tfor <bob@example.org>; Mon,  5 Oct 2026 13:0{hop}:00 +0000 (UTC)"
        for hop in range(4)
    ]
    signature = base64.b64encode(chance.randbytes(256)).decode()
    folded = "\r\n\t".join(signature[at : at + 70] for at in range(0, len(signature), 70))
    encoded = base64.b64encode(subject.encode()).decode()
    lines = [
        f"Return-Path: <{sender}>",
        "Delivered-To: bob@example.org",
        *hops,
        "Authentication-Results: mx.example.org; dkim=pass header.d=example.com;\r\n spf=pass smtp.mailfrom=example.com; dmarc=pass",
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1;\r\n\th=from:to:subject:date; b={folded}",
        f"From: Ann Doe <{sender}>",
        "To: Bob Ray <bob@example.org>",
        f"Subject: {subject if subject.isascii() else f'=?utf-8?B?{encoded}?='}",
        "Date: Mon, 05 Oct 2026 15:04:00 +0200",
        f"Message-ID: <{chance.randrange(16**20):020x}@example.com>",
        "In-Reply-To: <m0@example.org>",
        "References: <m0@example.org>",
        "X-Mailer: A Mailer 16.0",
        "X-Originating-IP: [203.0.113.77]",
        *(f"X-Example-Header-{one}: {chance.randrange(10**30)}" for one in range(12)),
        "MIME-Version: 1.0",
        *more,
    ]
    return "\r\n".join(lines) + "\r\n"


def _bodies(chance: random.Random, text: str, html: str = "") -> tuple[str, str]:
    """A Content-Type header (and its like), and the body: plain, or as alternatives."""
    text = text.replace("\n", "\r\n")
    if not html and chance.random() < 0.4:
        return "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit", text
    html = html or '<html><body><div dir=3D"ltr">' + text.replace("\r\n", "<br>\r\n") + "</div></body></html>"
    encoded = base64.encodebytes(text.encode()).decode().replace("\n", "\r\n")
    body = (
        f"--=_b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n"
        f"--=_b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{html}\r\n--=_b--\r\n"
    )
    return 'Content-Type: multipart/alternative; boundary="=_b"', body


def _reply(chance: random.Random, number: int) -> bytes:
    quoted = "\n".join(f"> {line}" for line in OURS.split("\n"))
    kind, body = _bodies(chance, f"{chance.choice(REPLIES)}\n\n{chance.choice(ATTRIBUTIONS)}\n\n{quoted}\n")
    return f"{_head(chance, number, 'Re: A question', kind)}\r\n{body}".encode()


def _absence(chance: random.Random, number: int) -> bytes:
    subject, text = chance.choice(ABSENCES)
    kind, body = _bodies(chance, f"{text}\n\nAnn Doe\n")
    return f"{_head(chance, number, subject, 'Auto-Submitted: auto-replied', 'X-Auto-Response-Suppress: All', kind)}\r\n{body}".encode()


def _report(chance: random.Random, number: int) -> bytes:
    address = f"ann{number}@example.com"
    body = (
        f"--=_r\r\n\r\nYour message to {address} could not be delivered.\r\n\r\n550 5.1.1 <{address}>: no such user here\r\n"
        "--=_r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        f"Diagnostic-Code: smtp; 550 5.1.1 <{address}>: no such user here\r\n"
        f"--=_r\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <m0@example.org>\r\nTo: {address}\r\nSubject: A question\r\n\r\n"
        + OURS.replace("\n", "\r\n")
        + "\r\n--=_r--\r\n"
    )
    kind = 'Content-Type: multipart/report; report-type=delivery-status; boundary="=_r"'
    return f"{_head(chance, number, 'Undelivered Mail Returned to Sender', kind)}\r\n{body}".encode()


def _newsletter(chance: random.Random, number: int) -> bytes:
    items = [f"Item {one}: {' '.join(chance.choices(OURS.split(), k=40))}" for one in range(20)]
    cells = "\r\n".join(
        f'<tr><td style=3D"padding:4px"><p>{item}</p><a href=3D"https://news.example.com/{one}">Read</a></td></tr>'
        for one, item in enumerate(items)
    )
    kind, body = _bodies(chance, "\n\n".join(items), f"<html><body><table>{cells}</table></body></html>")
    listed = ("List-Id: <news.example.com>", "List-Unsubscribe: <https://news.example.com/u>", "Precedence: bulk")
    return f"{_head(chance, number, 'News of the week', *listed, kind)}\r\n{body}".encode()
