"""What is read out of a mail's bytes: charsets, transfer encodings, header forms, report parts, embedded mails."""

from __future__ import annotations

import base64

import pytest

from mail.inbound.parsing import parse


def mail(*headers: str, body: str | bytes = "Hello") -> bytes:
    """A mail of these header lines and this body, with the line ends of SMTP."""
    head = "\r\n".join(("From: ann@example.com", *headers)).encode("utf-8")
    return head + b"\r\n\r\n" + (body.encode("utf-8") if isinstance(body, str) else body)


def multipart(kind: str, *parts: str, headers: str = "") -> str:
    """A body with these parts, each its header lines, a blank line and its body; used with `boundary=xx`."""
    return (
        f"Content-Type: multipart/{kind}; boundary=xx{headers}\n\npreamble\n"
        + "".join(f"--xx\n{part}\n" for part in parts)
        + "--xx--\nepilogue\n"
    )


def test_headers_are_unfolded_decoded_and_found_in_any_case() -> None:
    raw = mail(
        "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus?=\r\n =?utf-8?Q?_K=C3=B6ln?= am\r\n Rhein",
        "RECEIVED: one",
        "Received: two",
    )
    parsed = parse(raw)
    assert parsed.headers.get("SUBJECT") == "Grüße aus Köln am Rhein"
    assert parsed.headers.all("received") == ("one", "two")
    assert "Subject" in parsed.headers
    assert "bcc" not in parsed.headers
    assert parsed.text == "Hello"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("=?ISO-2022-JP?B?GyRCSVQ6XyROJCpDTiRpJDsbKEI=?=", "不在のお知らせ"),
        ("=?koi8-r?B?79TT1dTT1NfVwA==?=", "Отсутствую"),
        ("=?gb2312?B?19S2r7vYuLQ=?=", "自动回复"),
        ("=?ks_c_5601-1987?B?us7A58Hf?=", "부재중"),
        ("=?utf-8*de?Q?=C3=9C?=", "Ü"),
        # One character in two words, as Exchange cuts them.
        ("=?utf-8?B?4pyT4p8=?= =?utf-8?B?kw==?=", "✓⟓"),
        ("=?utf-8?Q?Are_you_there??=", "Are you there?"),
        ("=?made-up?Q?caf=C3=A9?=", "café"),
        ("=?utf-8?X?broken?= end", "=?utf-8?X?broken?= end"),
        ("=?utf-8?Q?never ends", "=?utf-8?Q?never ends"),
        ("=?utf-8?B?!!!?=x", "x"),
        ("a\x00b\x07c", "a b c"),
    ],
)
def test_encoded_words(written: str, read: str) -> None:
    assert parse(mail(f"Subject: {written}")).headers.get("subject") == read


def test_headers_with_raw_bytes_are_utf8_or_latin1() -> None:
    assert parse("Subject: Käse\n\nx".encode()).headers.get("subject") == "Käse"
    mixed = parse("Subject: Käse\n".encode("latin-1") + "X-Other: Käse\n\nx".encode())
    assert (mixed.headers.get("subject"), mixed.headers.get("x-other")) == ("Käse", "Käse")


@pytest.mark.parametrize(
    ("charset", "text", "codec"),
    [
        ("utf-8", "Grüße", "utf-8"),
        ("UTF8", "Grüße", "utf-8"),
        ('"iso-8859-1"', "Grüße – “x”", "cp1252"),
        ("windows-1251", "Спасибо", "cp1251"),
        ("koi8-r", "Спасибо", "koi8-r"),
        ("gb2312", "謝謝, 自动回复", "gb18030"),
        ("ks_c_5601-1987", "똠방각하", "cp949"),
        ("shift_jis", "①不在", "cp932"),
        ("iso-2022-jp", "不在のお知らせ", "iso2022_jp"),
        ("utf-16", "Hallo", "utf-16"),
        ("iso-8859-8-i", "שלום", "iso8859_8"),
        # What is declared is not what is there.
        ("us-ascii", "Grüße", "utf-8"),
        ("us-ascii", "Grüße", "latin-1"),
        ("utf-8", "Grüße an Jörg", "latin-1"),
        ("no-such-charset", "Grüße", "utf-8"),
        ("idna", "Grüße", "utf-8"),
        ("zlib", "Grüße", "utf-8"),
        ("punycode", "well-known", "ascii"),
        ("unicode_escape", "C:\\names", "ascii"),
        ("", "Grüße", "latin-1"),
        ("", "不在", "iso2022_jp"),
    ],
)
def test_charsets(charset: str, text: str, codec: str) -> None:
    encoded = base64.encodebytes(text.encode(codec))
    raw = mail(f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: base64", body=encoded)
    assert parse(raw).text == text


@pytest.mark.parametrize(
    ("encoding", "body", "read"),
    [
        ("quoted-printable", "Gr=C3=BC=C3=9Fe =\r\nan alle=", "Grüße an alle"),
        ("Quoted-Printable ", "100=% =XY", "100=% =XY"),
        ("base64", "R3LDvMOfZQ", "Grüße"),
        ("base64", "R3LD\r\nvMOf\r\nZQ==\r\n", "Grüße"),
        ("base64", "not encoded at all", "not encoded at all"),
        ("base64", "UmVwbHkgU1RPUA==\r\n_______\r\nlist footer", "Reply STOP"),
        ("8bit", "Grüße", "Grüße"),
        ("made-up", "Grüße", "Grüße"),
    ],
)
def test_transfer_encodings(encoding: str, body: str, read: str) -> None:
    raw = mail("Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}", body=body)
    assert parse(raw).text.strip() == read


@pytest.mark.parametrize(
    "raw",
    [
        b"From ann@example.com Mon Oct  5 10:00:00 2026\nSubject: x\n\nHello",
        b"\n\nSubject: x\n\nHello",
        b"\xef\xbb\xbfSubject: x\r\n\r\nHello",
        "Subject: x\n\nHello".encode("utf-16"),
        b"Subject: x\r\rHello",
        b"Subject: x\nHello",
        b"Subject : x\n\nHello",
        # A line that lost its leading space is part of the header above it.
        b"X-One: a\nbroken continuation\nSubject: x\n\nHello",
    ],
)
def test_a_head_that_is_not_as_it_should_be(raw: bytes) -> None:
    parsed = parse(raw)
    assert parsed.headers.get("subject") == "x"
    assert parsed.text == "Hello"


def test_a_mail_without_a_body_or_without_a_head() -> None:
    assert parse(b"Subject: x").headers.get("subject") == "x"
    assert parse(b"just words").text == "just words"
    assert parse(b"").text == ""


def test_plain_text_is_preferred_and_html_is_read_where_there_is_nothing_else() -> None:
    both = multipart("alternative", "Content-Type: text/plain\n\nplain", "Content-Type: text/html\n\n<p>html</p>")
    assert parse(both.encode()).text == "plain"
    blank = multipart("alternative", "Content-Type: text/plain\n\n  \n", "Content-Type: text/html\n\n<p>html</p>")
    assert parse(blank.encode()).text == "html"


def test_attachments_are_listed_and_not_read() -> None:
    body = multipart(
        "mixed",
        'Content-Type: text/plain; name="terms.txt"\n\nunsubscribe',
        "Content-Type: text/plain\nContent-Disposition: attachment; filename*=utf-8''gr%C3%BCn.txt\n\nunsubscribe",
        "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0=",
        "Content-Type: text/plain\n\nSee attached.",
    )
    parsed = parse(body.encode())
    assert parsed.text == "See attached."
    assert [(part.content_type, part.attachment, part.text) for part in parsed.parts] == [
        ("text/plain", True, ""),
        ("text/plain", True, ""),
        ("application/pdf", True, ""),
        ("text/plain", False, "See attached."),
    ]


def test_a_text_with_a_files_name_is_read_where_there_is_no_other() -> None:
    named = 'Content-Type: text/plain; name="problems.txt"\n\nNo such user.'
    assert parse(multipart("mixed", named, "Content-Type: image/png\n\nxx").encode()).text == "No such user."
    attached = f"Content-Disposition: attachment\n{named}"
    assert parse(multipart("mixed", attached, "Content-Type: image/png\n\nxx").encode()).text == ""


def test_a_body_with_a_type_that_says_nothing_is_read_as_text() -> None:
    assert parse(mail("Content-Type: text", body="Hello")).text == "Hello"
    assert parse(mail("Content-Type: application/octet-stream", body="Hello")).text == "Hello"
    assert parse(mail("Content-Type: application/octet-stream", body=b"\x00\x01\x02PK")).text == ""
    assert parse(mail("Content-Type: text/plain", body="<html><body>Hello<br>you</body></html>")).text == "Hello\nyou"


def test_parameters_in_pieces_and_encoded() -> None:
    raw = mail(
        "Content-Type: multipart/report; report-type*0=delivery-; report-type*1=status;\r\n"
        " x*=iso-8859-1'de'gr%FC%DFe; X*y=z; boundary=\"a b\""
    )
    parsed = parse(raw)
    assert parsed.content_type == "multipart/report"
    assert dict(parsed.params)["report-type"] == "delivery-status"
    assert dict(parsed.params)["x"].startswith("grüße")


@pytest.mark.parametrize(
    "body",
    [
        "--yy\nContent-Type: text/plain\n\nHello\n--yy--\n",  # another boundary than the declared one
        "--xx\n\nHello",  # no end
        "--xx \nContent-Type: text/plain\n\nHello\n--xx--",
        "--xxlonger\n\nno\n--xx\n\nHello\n--xx--",
        "Hello",  # no part at all
    ],
)
def test_multiparts_with_broken_boundaries(body: str) -> None:
    assert parse(mail("Content-Type: multipart/mixed; boundary=xx", body=body)).text.strip() == "Hello"


def test_a_delivery_report() -> None:
    raw = multipart(
        "report",
        "\nYour mail could not be delivered.",
        "Content-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example.com\n\n"
        "Final-Recipient: rfc822; ann@example.com\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1\n no such user\n \n"
        "Final-Recipient: rfc822; bob@example.com\nAction: delayed\n\n",
        "Content-Type: message/rfc822\n\nSubject: Offer\nMessage-ID: <m1@example.org>\n\nOur words",
        headers="; report-type=delivery-status",
    )
    parsed = parse(raw.encode())
    assert parsed.text == "Your mail could not be delivered."
    assert [block.get("final-recipient") for block in parsed.status] == [
        "",
        "rfc822; ann@example.com",
        "rfc822; bob@example.com",
    ]
    assert parsed.status[1].get("diagnostic-code") == "smtp; 550 5.1.1 no such user"
    assert [original.get("subject") for original in parsed.originals] == ["Offer"]
    assert parsed.original_texts == ("Our words",)
    assert all("Our words" not in part.text for part in parsed.parts)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_report_parts_that_were_encoded_although_they_must_not_be(encoding: str) -> None:
    status = b"Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; ann@example.com\n"
    original = b"Message-ID: <m1@example.org>\n\nOur words"
    if encoding == "base64":
        status, original = base64.encodebytes(status), base64.encodebytes(original)
    raw = multipart(
        "report",
        f"Content-Type: message/delivery-status\nContent-Transfer-Encoding: {encoding}\n\n{status.decode()}",
        f"Content-Type: message/rfc822\nContent-Transfer-Encoding: {encoding}\n\n{original.decode()}",
    )
    parsed = parse(raw.encode())
    assert parsed.status[1].get("final-recipient") == "rfc822; ann@example.com"
    assert parsed.originals[0].get("message-id") == "<m1@example.org>"
    assert parsed.original_texts == ("Our words",)


def test_a_delivery_report_called_a_text() -> None:
    raw = multipart("report", "\nNo.", "Content-Type: text/plain\n\nReporting-MTA: dns; x\n\nAction: failed")
    parsed = parse(raw.encode())
    assert parsed.text == "No."
    assert [block.get("action") for block in parsed.status] == ["", "failed"]


def test_feedback_receipt_calendar_and_headers_of_an_original() -> None:
    raw = multipart(
        "mixed",
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n",
        "Content-Type: message/disposition-notification\n\nOriginal-Message-ID: <m1@example.org>\n",
        "Content-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\n",
        "Content-Type: text/rfc822-headers\n\nMessage-ID: <m2@example.org>\nTo: bob@example.com\n",
    )
    parsed = parse(raw.encode())
    assert parsed.feedback is not None
    assert parsed.feedback.get("feedback-type") == "abuse"
    assert parsed.receipt is not None
    assert parsed.receipt.get("original-message-id") == "<m1@example.org>"
    assert parsed.calendar == "BEGIN:VCALENDAR\n"
    assert ("method", "REPLY") in parsed.parts[2].params
    assert parsed.originals[0].get("to") == "bob@example.com"
    assert parsed.text == ""


def test_nothing_of_an_embedded_mail_is_taken_for_the_mail_itself() -> None:
    inner = multipart(
        "mixed", "Content-Type: message/delivery-status\n\nAction: failed", "\nplease unsubscribe me"
    ).replace("xx", "yy")
    raw = multipart("mixed", "\nSee below.", f"Content-Type: message/rfc822\n\nSubject: inner\n{inner}")
    parsed = parse(raw.encode())
    assert parsed.text == "See below."
    assert parsed.status == ()
    assert [part.text for part in parsed.parts] == ["See below."]
    assert parsed.original_texts == ("please unsubscribe me",)


def test_html_becomes_lines_without_what_is_not_shown() -> None:
    html = (
        "<html><head><title>t</title><style>p {color: red}</style></head><body><!-- hidden --><p>Hi&nbsp;Bob,</p>\n"
        "<div>I&#8217;m away &amp; back\non <b>Monday</b>.<br>Ann</div><script>if (a<b) {}</script>"
        '<p>Ask <a href="mailto:eve@example.com?subject=x">Eve</a> or <a href="mailto:a@example.com">a@example.com</a></p>'
        "<table><tr><td>1</td><td>2</td></tr></table>3 < 4</body></html>"
    )
    text = parse(mail("Content-Type: text/html; charset=utf-8", body=html)).text
    assert text.replace("\xa0", " ").split("\n") == [
        "Hi Bob,",
        "",
        "I’m away & back on Monday.",
        "Ann",
        "",
        "Ask Eve <eve@example.com> or a@example.com",
        "",
        "1 2",
        "",
        "3 < 4",
    ]


def test_html_names_its_own_charset() -> None:
    html = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>Спасибо</p>'.encode("cp1251")
    assert parse(mail("Content-Type: text/html", body=html)).text == "Спасибо"
