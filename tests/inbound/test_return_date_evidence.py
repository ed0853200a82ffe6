"""What surrounds a return date: order of numbers, the subject, headers, two languages, the evidence, and hostile text."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.inbound import Return
from mail.inbound.dates import returning
from tests.inbound.test_return_dates import BERLIN, NEW_YORK, WEDNESDAY, read

# -- which number is the day --

ORDER = [
    ("a part above 12 settles itself", WEDNESDAY, "I'm away until 10/19/2026.", {}, "2026-10-19"),
    ("and the other", WEDNESDAY, "I'm away until 19/10/2026.", {}, "2026-10-19"),
    ("the start of a range settles its end", WEDNESDAY, "I'm away from 28/09 to 09/10.", {}, "2026-10-10"),
    ("the other way round", WEDNESDAY, "I'm away from 9/28 to 10/9.", {}, "2026-10-10"),
    (
        "another date of the mail settles it",
        WEDNESDAY,
        "I'm back on 11/10. Invoices of 28/09 are paid.",
        {},
        "2026-10-11",
    ),
    ("a weekday settles it", WEDNESDAY, "I'm back on Monday 12/10.", {}, "2026-10-12"),
    ("a weekday settles it for the month first", WEDNESDAY, "I'm back on Friday 10/9.", {}, "2026-10-09"),
    ("a dot is day first", WEDNESDAY, "I'm away until 10.12.2026.", {}, "2026-12-10"),
    ("year first is always year, month, day", WEDNESDAY, "I'm away until 2026/10/12.", {}, "2026-10-12"),
    ("the same number twice needs no order", WEDNESDAY, "I'm away until 10/10.", {}, "2026-10-10"),
    ("a language other than English is day first", WEDNESDAY, "Je suis absent jusqu'au 11/10.", {}, "2026-10-11"),
    ("an American offset", NEW_YORK, "I'm away until 10/11.", {}, "2026-10-11"),
    ("a European offset", BERLIN, "I'm away until 11/10.", {}, "2026-10-11"),
    ("UTC says nothing", WEDNESDAY, "I'm away until 10/11.", {}, "ambiguous"),
    ("a British domain", WEDNESDAY, "I'm away until 11/10.", {"tld": "uk"}, "2026-10-11"),
    ("a .com says nothing", WEDNESDAY, "I'm away until 11/10.", {"tld": "com"}, "ambiguous"),
    (
        "an American phone number",
        WEDNESDAY,
        "I'm away until 10/11.",
        {"signature": "Ann\n+1 415 555 0142"},
        "2026-10-11",
    ),
    (
        "a British phone number",
        WEDNESDAY,
        "I'm away until 11/10.",
        {"signature": "Ann\n+44 20 5550 0142"},
        "2026-10-11",
    ),
    ("hints that contradict each other", NEW_YORK, "I'm away until 10/11.", {"tld": "uk"}, "ambiguous"),
    ("numbers that contradict each other", WEDNESDAY, "I'm away 13/09 and 9/28 and back on 10/11.", {}, "ambiguous"),
]


@pytest.mark.parametrize(("why", "received", "text", "hints", "expected"), ORDER)
def test_order_of_numbers(why: str, received: str, text: str, hints: dict[str, str], expected: str) -> None:
    assert read(text, received, **hints) == expected, why


def test_both_readings_are_kept_as_candidates() -> None:
    answer = returning("I'm away until 10/12.", "", dt.datetime.fromisoformat(WEDNESDAY))
    assert answer.status == "ambiguous"
    assert answer.candidates == (dt.date(2026, 10, 12), dt.date(2026, 12, 10))


# -- "today" is the sender's --


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-10-07T23:30:00-07:00", "2026-10-08"),  # already the 8th in UTC
        ("2026-10-08T06:30:00+00:00", "2026-10-09"),  # the same instant, in another zone
        ("2026-10-08T00:30:00+13:00", "2026-10-09"),  # still the 7th in UTC
        ("2026-12-31T12:00:00+01:00", "2027-01-01"),
        ("2028-02-28T12:00:00+01:00", "2028-02-29"),
    ],
)
def test_tomorrow_follows_the_date_in_the_senders_offset(received: str, expected: str) -> None:
    assert read("I'm out today, back tomorrow.", received) == expected


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-12-28T09:00:00+01:00", "2027-01-05"),  # the year turns
        ("2026-01-02T09:00:00+01:00", "2026-01-05"),
        ("2026-01-10T09:00:00+01:00", "past"),  # a forgotten responder, not next year
        ("2026-03-30T09:00:00+02:00", "past"),
        ("2026-06-30T09:00:00+02:00", "2027-01-05"),
    ],
)
def test_a_day_without_a_year(received: str, expected: str) -> None:
    assert read("I'm back on 5 January.", received) == expected


def test_a_weekday_is_the_next_one_after_the_day_of_the_mail() -> None:
    assert read("I'm back on Wednesday.", WEDNESDAY) == "2026-10-14"
    assert read("I'm back on Thursday.", WEDNESDAY) == "2026-10-08"


# -- subject --


@pytest.mark.parametrize(
    ("subject", "text", "expected"),
    [
        ("Out of office until 19 Oct: Packaging line", "I am away at the moment.", "2026-10-19"),
        ("On leave, back 19 October", "Thank you for your mail.", "2026-10-19"),
        ("Abwesend bis 19.10.2026", "Vielen Dank für Ihre Nachricht.", "2026-10-19"),
        (
            "Out of office until 19 Oct",
            "I am away and will be back on 20 October.",
            "2026-10-20",
        ),  # the text comes first
        ("Automatic reply: Site visit on October 30", "I am out of the office.", "none"),
        ("Automatic reply: Offer valid until 30 October", "I am out of the office.", "none"),
        ("Re: Meeting 12 October", "I am out of the office.", "none"),
    ],
)
def test_subject(subject: str, text: str, expected: str) -> None:
    assert read(text, WEDNESDAY, subject) == expected


# -- header of an iCloud responder --


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("startDate=2026-10-05T00:00:00Z; endDate=2026-10-16T21:59:59Z", "2026-10-17"),
        ("endDate: 2026-10-16", "2026-10-17"),
        ("endDate=1792187999", "2026-10-17"),
        ("endDate=1792187999000", "2026-10-17"),
        ("endDate=2026-09-01T21:59:59Z", "past"),
        ("endDate=2026-13-45", "2026-10-12"),  # no date: the text decides
        ("", "2026-10-12"),
    ],
)
def test_header_wins_over_the_text(value: str, expected: str) -> None:
    assert read("I'm back on Monday 12 October.", BERLIN, apple_criteria=value) == expected


def test_the_header_gives_the_instant() -> None:
    answer = returning("", "", dt.datetime.fromisoformat(BERLIN), apple_criteria="endDate=2026-10-16T21:59:59Z")
    assert answer.at == dt.datetime(2026, 10, 16, 21, 59, 59, tzinfo=dt.UTC)


# -- two languages --


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ich bin ab 19.10. wieder im Büro.\n---\nI will be back in the office on October 19.", "2026-10-19"),
        ("Je suis absent jusqu'au 12/10/2026.\n\nI am out of the office until 12/10/2026.", "2026-10-12"),
        ("Bin ab 14.09. wieder da.\n\nI will be back on October 19.", "2026-10-19"),  # one of them forgotten
        ("Ich bin ab 19.10. wieder im Büro.\n\nI will be back on October 26.", "ambiguous"),
        ("Jag är på semester till och med 16 oktober.\n\nI am on vacation through October 16.", "2026-10-17"),
        ("10月19日に復帰いたします。\n\nI will be back in the office on October 19.", "2026-10-19"),
    ],
)
def test_two_languages(text: str, expected: str) -> None:
    assert read(text) == expected


# -- evidence --


def test_evidence_is_the_words_as_they_stand() -> None:
    answer = returning(
        "Grüß Gott!\nIch bin ab Montag, den 19. Oktober wieder für Sie da. Gruß",
        "",
        dt.datetime.fromisoformat(WEDNESDAY),
    )
    assert answer.date == dt.date(2026, 10, 19)
    assert "ab Montag, den 19. Oktober wieder" in answer.evidence


def test_past_and_far_days_are_shown_but_not_given() -> None:
    past = returning("I'm back on 1 September.", "", dt.datetime.fromisoformat(WEDNESDAY))
    assert (past.status, past.date, past.candidates) == ("past", None, (dt.date(2026, 9, 1),))
    far = returning("I'm back on 1 September 2030.", "", dt.datetime.fromisoformat(WEDNESDAY))
    assert (far.status, far.date, far.candidates) == ("too_far", None, (dt.date(2030, 9, 1),))


def test_text_that_is_quoted_after_all_is_not_read() -> None:
    assert read("I'm away.\n> We are closed until 2 November.\n> Back on December 1.") == "none"


# -- any text --

WORDS = st.sampled_from(
    re.findall(
        r"\S+|\n",
        "back until return from to 12 31 2026 10/11 3. Monday Oct May bis zum wieder 月 日 10月5日 jusqu'au - – , . \n ( ) week next tomorrow 10.10. до 5-16 KW 34 33 the 14th "
        "not before after 99/99 0 00.00. 2026-02-30 29 February closed I am out of office",
    )
)


@settings(max_examples=150, deadline=None)
@given(
    text=st.one_of(
        st.text(max_size=300), st.lists(WORDS, max_size=40).map(" ".join), st.lists(WORDS, max_size=40).map("".join)
    ),
    received=st.datetimes(timezones=st.just(dt.timezone(dt.timedelta(hours=-5)))),
    criteria=st.one_of(
        st.just(""),
        st.text(max_size=40).map(lambda rest: f"endDate={rest}"),
        st.integers(0, 10**13).map(lambda n: f"endDate={n}"),
    ),
)
def test_never_raises_and_never_gives_a_day_that_is_past_or_far(
    text: str, received: dt.datetime, criteria: str
) -> None:
    answer = returning(
        text, text[:80], received, tld=text[:3], language=text[:2], signature=text, apple_criteria=criteria
    )
    assert isinstance(answer, Return)
    assert (answer.date is not None) == (answer.status == "date")
    if answer.date:
        assert 0 <= (answer.date - received.date()).days <= 400
    assert len(answer.evidence) <= 200
