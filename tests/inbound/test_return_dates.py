"""Return dates in English automatic replies: cue classes, order of numbers, weekdays, what is no date, and what is never guessed."""

from __future__ import annotations

import datetime as dt

import pytest

from mail.inbound.dates import returning

WEDNESDAY = "2026-10-07T09:00:00+00:00"
SUMMER = "2026-08-04T09:00:00+01:00"
DECEMBER = "2026-12-22T09:00:00+00:00"
NEW_YORK = "2026-10-07T09:00:00-04:00"
BERLIN = "2026-10-07T09:00:00+02:00"


def read(text: str, received: str = WEDNESDAY, subject: str = "", **hints: str) -> str:
    """The date, or the status where there is none."""
    answer = returning(text, subject, dt.datetime.fromisoformat(received), **hints)
    assert (answer.date is not None) == (answer.status == "date")
    return answer.date.isoformat() if answer.date else answer.status


# (received, text, date or status)
BACK = [
    (WEDNESDAY, "I am currently out of the office and will be back on Monday, October 19.", "2026-10-19"),
    (
        WEDNESDAY,
        "I'm out of the office with no access to email. I will return on Monday 19th October 2026.",
        "2026-10-19",
    ),
    (WEDNESDAY, "Thanks for your message. I'll be returning to the office on 19 October.", "2026-10-19"),
    (WEDNESDAY, "On annual leave, back 19 Oct.", "2026-10-19"),
    (WEDNESDAY, "I'm on PTO, back in the office 10/19.", "2026-10-19"),
    (WEDNESDAY, "I will resume work on the 19th of October.", "2026-10-19"),
    (WEDNESDAY, "Return date: 19-Oct-2026", "2026-10-19"),
    (WEDNESDAY, "I am away from my desk. I return to work on 2026-10-19.", "2026-10-19"),
    (WEDNESDAY, "I will be out of the office starting 10/05/2026 and will not return until 10/19/2026.", "2026-10-19"),
    (WEDNESDAY, "I will not be back in the office until Monday, 19 October.", "2026-10-19"),
    (WEDNESDAY, "I won't be back before 19 October.", "2026-10-19"),
    (WEDNESDAY, "I'm travelling for work at the moment. Normal service resumes 19 October.", "2026-10-19"),
    (WEDNESDAY, "I am on vacation and will be available again from 19 October.", "2026-10-19"),
    (WEDNESDAY, "I'm on leave. As of October 19 I will be back at my desk.", "2026-10-19"),
    (WEDNESDAY, "I'm away, but back the day after tomorrow.", "2026-10-09"),
    (WEDNESDAY, "I'm out sick today. I hope to be back tomorrow, Thursday 8 October.", "2026-10-08"),
    (WEDNESDAY, "Out of office, back tomorrow (8 Oct).", "2026-10-08"),
    (WEDNESDAY, "I'm in a workshop all day and will be back later today.", "2026-10-07"),
    (WEDNESDAY, "I am off this week and back on Monday.", "2026-10-12"),
    (WEDNESDAY, "I'm on leave and back Tuesday.", "2026-10-13"),
    (WEDNESDAY, "I'm at a conference. I'm back next Monday.", "2026-10-12"),
    (WEDNESDAY, "I am on holiday and return on the 20th.", "2026-10-20"),
    (WEDNESDAY, "I'm off and back on Monday the 19th.", "2026-10-19"),
    (WEDNESDAY, "I'll be back in 3 days.", "2026-10-10"),
    (WEDNESDAY, "I'm on leave, returning in two weeks.", "2026-10-21"),
    (WEDNESDAY, "I will be out of the office until Friday 16 October, returning Monday 19 October.", "2026-10-19"),
    (
        WEDNESDAY,
        "I am on annual leave from 5 October to 16 October inclusive. I will be back on Monday 19 October.",
        "2026-10-19",
    ),
    (WEDNESDAY, "When I return from holiday on 19 October I will answer your mail.", "2026-10-19"),
    (WEDNESDAY, "I will be away from 5 October returning 19 October.", "2026-10-19"),
    (WEDNESDAY, "I'm away until Friday 16 October. I'm back in the office the following Monday.", "2026-10-19"),
    (DECEMBER, "We are closed for Christmas and re-open on Monday 4 January.", "2027-01-04"),
    (
        DECEMBER,
        "The office is closed from December 23rd through January 1st. We will reopen on January 4th, 2027.",
        "2027-01-04",
    ),
    (WEDNESDAY, "I am on parental leave and will return to work on March 1st, 2027.", "2027-03-01"),
    (WEDNESDAY, "I am on maternity leave.\nI will be back on 1 March 2027.\nPlease contact Anna.", "2027-03-01"),
    (WEDNESDAY, "Dates of absence: 5 Oct - 16 Oct\nDate of return: 19 Oct", "2026-10-19"),
    (WEDNESDAY, "I'm on leave. I will be back, all being well, on Monday 19 October.", "2026-10-19"),
    (WEDNESDAY, "I am out of the office until further notice, expected back 19 October.", "2026-10-19"),
    (WEDNESDAY, "I WILL BE OUT OF THE OFFICE UNTIL MONDAY OCTOBER 19TH. THANKS.", "2026-10-19"),
    (WEDNESDAY, "I will be away and back at my desk at 9am on Monday 19 October.", "2026-10-19"),
    (WEDNESDAY, "I'm out of office. I'll get back to you when I return on 19 October.", "2026-10-19"),
    (WEDNESDAY, "I am out of the office&nbsp;until <b>19&nbsp;October</b>.", "2026-10-19"),
    (WEDNESDAY, "I am out of the office until \uff11\uff19 October.", "2026-10-19"),
    (WEDNESDAY, "I will be back on October the nineteenth.", "2026-10-19"),
    (WEDNESDAY, "I am back w/c 19 October.", "2026-10-19"),
    (WEDNESDAY, "I'm on leave and will be in the office again from Mon 19/10.", "2026-10-19"),
    (WEDNESDAY, "I'm off work sick. I'll be able to reply from 12 October.", "2026-10-12"),
]

UNTIL = [
    (WEDNESDAY, "I am out of the office until 19 October.", "2026-10-19"),
    (WEDNESDAY, "I'm OOO till Oct 19th.", "2026-10-19"),
    (WEDNESDAY, "I'm on vacation until the 19th.", "2026-10-19"),
    (WEDNESDAY, "I have limited access to email until Monday.", "2026-10-12"),
    (WEDNESDAY, "I'm away until tomorrow.", "2026-10-08"),
    (WEDNESDAY, "Until 19 October I am on leave, so replies may be slow.", "2026-10-19"),
    (WEDNESDAY, "I am out of office until 5pm on Monday 12 October.", "2026-10-12"),
    (WEDNESDAY, "I'm on leave up to 19 October.", "2026-10-19"),
    (WEDNESDAY, "I'm not in the office until 10/19/26.", "2026-10-19"),
    ("2026-10-30T18:00:00-04:00", "I'm off until Monday, November 2.", "2026-11-02"),
    (DECEMBER, "Away until 4 January.", "2027-01-04"),
    (
        WEDNESDAY,
        "I will respond to your email until 9 October only. Then I am on leave until 19 October.",
        "2026-10-19",
    ),
    (WEDNESDAY, "I am away until in two weeks.", "2026-10-21"),
]

INCLUSIVE = [
    (WEDNESDAY, "I will be out through Friday, October 16.", "2026-10-17"),
    (WEDNESDAY, "I'm on leave up to and including 16 October.", "2026-10-17"),
    (WEDNESDAY, "Out of the office thru 10/16.", "2026-10-17"),
    (WEDNESDAY, "I am away until Friday 16 October inclusive.", "2026-10-17"),
    (WEDNESDAY, "I'm away through Sunday.", "2026-10-12"),
]

RANGES = [
    (WEDNESDAY, "I am on leave from 5 to 16 October.", "2026-10-17"),
    (WEDNESDAY, "I'm out of the office 5-16 Oct.", "2026-10-17"),
    (WEDNESDAY, "Out of office: October 5 - October 16", "2026-10-17"),
    (WEDNESDAY, "I'm out Oct 5th – 16th with limited access to email.", "2026-10-17"),
    (WEDNESDAY, "I am away between 5 October and 16 October 2026.", "2026-10-17"),
    (WEDNESDAY, "I will be on vacation from 10/5/26 to 10/16/26.", "2026-10-17"),
    (WEDNESDAY, "I'm travelling from Monday 5 October until Friday 16 October.", "2026-10-17"),
    (WEDNESDAY, "I am on leave 2026-10-05 to 2026-10-16.", "2026-10-17"),
    (WEDNESDAY, "I am out today and tomorrow.", "2026-10-09"),
    (WEDNESDAY, "I'm out of the office from Tuesday to Thursday.", "2026-10-09"),
    (DECEMBER, "Our office is closed from December 24 to January 3.", "2027-01-04"),
    (WEDNESDAY, "I'm on leave from 5 October for two weeks.", "2026-10-19"),
    (WEDNESDAY, "I am on vacation October 5-9. I will check email once, on October 8.", "2026-10-10"),
    (WEDNESDAY, "I am away 5-9 October and again 26-30 October.", "2026-10-10"),
    (SUMMER, "I'm on holiday in week 32 and 33.", "2026-08-17"),
    (SUMMER, "I will be out of the office weeks 32-34.", "2026-08-24"),
    (WEDNESDAY, "Annual leave 5 Oct to 9 Oct and 12 Oct to 16 Oct.", "2026-10-17"),
]

SINGLE_DAYS = [
    (WEDNESDAY, "I am out of the office today.", "2026-10-08"),
    (WEDNESDAY, "I'm out of the office on Wednesday 7 October.", "2026-10-08"),
]

VAGUE = [
    "I'll be back next week.",
    "I'm on leave and back early next week.",
    "I am away until mid-October.",
    "I'm on leave until the end of the month.",
    "I'm out for a couple of weeks.",
    "I am on sabbatical and back in April 2027.",
    "I'm on leave until April.",
    "I will be back around 19 October.",
    "I'm out for the next two weeks.",
    "I am on holiday this week.",
    "I will be back at the beginning of November.",
]

NOTHING = [
    "I am out of the office and will respond as soon as I can.",
    "I am out of the office until further notice.",
    "We launched our new product on 3 March. I am away at the moment.",
    "Invoice 08/09 is attached. I am out of the office.",
    "I am out of the office. Call 020 5550 10/12 or 24/7 support on ext. 3-4.",
    "I am away. Call +44 20 5550 0142 or visit 12 Mar Street, London.",
    "I'm on leave. Join us at the fair, November 3-5, 2026, Booth 412.",
    "I am out of the office. Our opening hours are Monday to Friday, 9:00-17:00.",
    "I'm out of the office. Our summer offer is valid until 31 October.",
    "I work part time and do not work on Fridays.",
    "Thank you for your email of 3 October. I am currently away.",
    "I am away, back at 14:10.",
    "I'm in a meeting until 3pm.",
    "I'm out until 5 o'clock.",
    "I may be slow to answer, as I am travelling.",
    "I will reply within 2 business days.",
    "After 31 years I have retired. This mailbox will be deleted on December 31.",
    "I am no longer with Acme. My last day was 2 October 2026.",
    "I'm away. Registered in England 01/02/1987 no. 2104418.",
    "My colleague Tom can help: he is available until 16 October.",
    "I'll get back to you within 24 hours.",
    "Thank you for contacting us. Your case 10/12 was opened on 7 October.",
    "",
    "   \n\n ",
]

AMBIGUOUS = [
    (WEDNESDAY, "I am returning on Monday, October 20.", "20 October 2026 is a Tuesday"),
    (WEDNESDAY, "I'm out of the office until 11/10/2026.", "no hint which number is the day"),
    (WEDNESDAY, "I'm back on 10/12.", "no hint"),
    (WEDNESDAY, "I'm back on 19 October. My plans changed: I will return on 26 October.", "two returns"),
    (WEDNESDAY, "I'll be back on 19 or 20 October.", "either"),
    (WEDNESDAY, "I'm back on Monday or Tuesday.", "either"),
    ("2026-10-05T09:00:00+00:00", "I'm back next Friday.", "this week's or the next"),
    (WEDNESDAY, "I'm out of the office until 16 October. I am back on 12 October.", "they contradict each other"),
]

PAST = [
    (WEDNESDAY, "I am out of the office until 14 September.", "past"),
    (WEDNESDAY, "I'm on leave from 10 to 21 August 2026.", "past"),
    (WEDNESDAY, "I'll be back on 6 January 2025.", "past"),
    (WEDNESDAY, "I am away from 23 December 2024 until 6 January 2025.", "past"),
]

REFUSED = [
    ("I'll be back on February 30.", "invalid"),
    ("I'll be back on 31 April 2027.", "invalid"),
    ("I'm on leave until 31/31/2026.", "invalid"),
    ("I am on leave until 1 March 2029.", "too_far"),
]


@pytest.mark.parametrize(("received", "text", "expected"), [*BACK, *UNTIL, *INCLUSIVE, *RANGES, *SINGLE_DAYS, *PAST])
def test_english(received: str, text: str, expected: str) -> None:
    assert read(text, received) == expected


@pytest.mark.parametrize("text", VAGUE)
def test_vague_words_give_no_date(text: str) -> None:
    assert read(text) == "vague"


@pytest.mark.parametrize("text", NOTHING)
def test_dates_without_a_cue_are_nothing(text: str) -> None:
    assert read(text) == "none"


@pytest.mark.parametrize(("received", "text", "why"), AMBIGUOUS)
def test_two_readings_are_never_guessed(received: str, text: str, why: str) -> None:
    assert read(text, received) == "ambiguous", why


@pytest.mark.parametrize(("text", "status"), REFUSED)
def test_days_that_cannot_be_a_return_are_refused(text: str, status: str) -> None:
    assert read(text) == status
