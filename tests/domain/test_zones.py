"""Which zone counts for a contact, the zones of countries, and the ways people write countries."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from domain.durations import Duration
from domain.schedule import after, day_bounds, next_open, seen_by, why_closed
from domain.zones import ZoneChoice, check_country, is_zone, read_country, zone_of_country
from tests.domain.calendars import BERLIN, NEW_YORK, at, schedule

THEIRS = schedule(BERLIN, {"mon-fri": ["09:00-17:00"]}, zone_of="contact", holidays=["DE", "contact"])


@pytest.mark.parametrize(
    ("zone", "country", "expected", "source"),
    [
        (None, None, BERLIN, "schedule"),
        (NEW_YORK, None, NEW_YORK, "contact"),
        (NEW_YORK, "JP", NEW_YORK, "contact"),
        (None, "JP", "Asia/Tokyo", "country"),
        (None, "AU", "Australia/Sydney", "country"),
        (None, "AQ", BERLIN, "schedule"),
        (None, "BV", BERLIN, "schedule"),
        ("Mars/Olympus", "JP", "Asia/Tokyo", "country"),
        ("Mars/Olympus", None, BERLIN, "schedule"),
    ],
)
def test_the_zone_of_a_contact(zone: str | None, country: str | None, expected: str, source: str) -> None:
    seen, choice = seen_by(THEIRS, zone, country)
    assert (choice.zone, choice.source, seen.zone) == (expected, source, expected)
    assert next_open(seen, at(expected, "2026-12-02T07:00")) == at(expected, "2026-12-02T09:00")


def test_a_schedule_keeps_its_own_zone_unless_it_says_otherwise() -> None:
    own = schedule(BERLIN, {"all": ["09:00-17:00"]})
    assert seen_by(own, NEW_YORK, "US") == (own, ZoneChoice(BERLIN, "schedule"))


def test_waits_and_days_count_in_the_zone_of_the_contact() -> None:
    seen, _ = seen_by(THEIRS, NEW_YORK, None)
    # New York changes on 2026-03-08, Berlin three weeks later.
    begin = at(NEW_YORK, "2026-03-06T15:00")
    assert after(seen, begin, Duration(days=7)) == at(NEW_YORK, "2026-03-13T15:00")
    assert after(THEIRS, begin, Duration(days=7)) == at(NEW_YORK, "2026-03-13T16:00")
    assert day_bounds(seen, begin)[0] == at(NEW_YORK, "2026-03-06T00:00")


def test_holidays_of_the_contacts_country_count_where_the_schedule_says_so() -> None:
    thanksgiving, unity = date(2026, 11, 26), date(2026, 10, 3)
    american, _ = seen_by(THEIRS, None, "US")
    assert "Thanksgiving" in (why_closed(american, thanksgiving) or "")
    assert why_closed(THEIRS, thanksgiving) is None
    assert why_closed(seen_by(THEIRS, None, "JP")[0], thanksgiving) is None
    everyday = schedule(BERLIN, {"all": ["09:00-17:00"]}, holidays=["DE", "contact"])
    assert why_closed(seen_by(everyday, None, "US")[0], unity) == "holiday German Unity Day"
    # Of a country whose holidays nobody has collected, none count.
    assert why_closed(seen_by(everyday, None, "ZZ")[0], date(2026, 12, 24)) is None


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("US", "America/New_York"),
        ("CA", "America/Toronto"),
        ("BR", "America/Sao_Paulo"),
        ("RU", "Europe/Moscow"),
        ("UA", "Europe/Kyiv"),
        ("KZ", "Asia/Almaty"),
        ("UZ", "Asia/Tashkent"),
        ("FM", "Pacific/Pohnpei"),
        ("DE", "Europe/Berlin"),
        ("ES", "Europe/Madrid"),
        ("PT", "Europe/Lisbon"),
        ("CL", "America/Santiago"),
        ("MX", "America/Mexico_City"),
        ("AR", "America/Argentina/Buenos_Aires"),
        ("CN", "Asia/Shanghai"),
        ("ID", "Asia/Jakarta"),
        ("MN", "Asia/Ulaanbaatar"),
        ("NZ", "Pacific/Auckland"),
        ("GL", "America/Nuuk"),
        ("CD", "Africa/Kinshasa"),
        ("CY", "Asia/Nicosia"),
        ("EC", "America/Guayaquil"),
        ("MY", "Asia/Kuala_Lumpur"),
        ("PG", "Pacific/Port_Moresby"),
        ("PF", "Pacific/Tahiti"),
        ("KI", "Pacific/Tarawa"),
        ("MH", "Pacific/Majuro"),
        ("IN", "Asia/Kolkata"),
        ("AQ", None),
        ("ZZ", None),
    ],
)
def test_a_country_has_the_zone_of_its_capital(country: str, zone: str | None) -> None:
    assert zone_of_country(country) == zone
    assert zone is None or ZoneInfo(zone)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"),
        (" de ", "DE"),
        ("DEU", "DE"),
        ("Germany", "DE"),
        ("USA", "US"),
        ("United States", "US"),
        ("united states of america", "US"),
        ("UK", "GB"),
        ("Great Britain", "GB"),
        ("Czech Republic", "CZ"),
        ("Czechia", "CZ"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("South Korea", "KR"),
        ("Hong Kong", "HK"),
        ("Vietnam", "VN"),
        ("Netherlands", "NL"),
        ("Atlantis", None),
        ("EMEA", None),
        ("", None),
    ],
)
def test_countries_are_read_as_people_write_them(text: str, code: str | None) -> None:
    assert read_country(text) == code


def test_codes_and_zones_are_checked() -> None:
    assert check_country("no") == "NO"
    with pytest.raises(ValueError, match="ISO 3166"):
        check_country("UK")
    assert is_zone("Asia/Kathmandu")
    for name in ("", "Berlin", "../UTC", "/etc/localtime", "Europe"):
        assert not is_zone(name)
