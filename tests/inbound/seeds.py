"""Real-looking mails to damage: what the tests and tools/fuzz_inbound.py begin from."""

from __future__ import annotations

SEEDS = (
    b"From: Ann <ann@example.com>\r\nTo: bob@example.com\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?= Re: Offer\r\nDate: Mon, 05 Oct 2026 10:00:00 +0200\r\n"
    b"Message-ID: <r1@example.com>\r\nIn-Reply-To: <m1@example.org>\r\nReferences: <m0@example.org>\r\n <m1@example.org>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Ich bin bis 5. Oktober nicht im B=C3=BCro.\r\n\r\n-- \r\nAnn\r\n\r\nAm 05.10.2026 um 09:00 schrieb Bob <bob@example.com>:\r\n> Hi Ann,\r\n> STOP\r\n"
    b"--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Ich bin <b>weg</b></p><blockquote type=cite>Hi<br></blockquote>\r\n--b1--\r\n",
    b"Return-Path: <>\r\nFrom: mailer-daemon@example.net\r\nTo: bob+t0ken@example.org\r\nX-Failed-Recipients: ann@example.com\r\nAuto-Submitted: auto-replied\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b2\r\n\r\n--b2\r\n\r\nNo such user.\r\n--b2\r\nContent-Type: message/delivery-status\r\n\r\n"
    b"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; ann@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no\r\n\r\n"
    b"--b2\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <m1@example.org>\r\nTo: ann@example.com\r\n\r\nHi Ann\r\n--b2--\r\n",
    "From: 山田 <y@example.jp>\nSubject: 自動応答\nContent-Type: text/html; charset=shift_jis\n\n<div>不在です。<br>From: x<br>Sent: y<br>To: z</div>".encode("cp932"),
)  # fmt: skip
