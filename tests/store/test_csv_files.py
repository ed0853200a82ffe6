"""Reading CSV files of contacts and accounts: what is accepted, and what an error says."""

from __future__ import annotations

import pytest

from store.csv_files import InvalidRows, parse_accounts_csv, parse_contacts_csv


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidRows) as raised:
        parse_contacts_csv(text)
    return str(raised.value).split("\n")


def test_a_file_as_excel_writes_it() -> None:
    file = parse_contacts_csv(
        "\ufeffID;First Name;last_name;Email;Consent;Job Title;notes\r\n"
        'ann;Ann;"O""Hara; Smith";Ann@c.test;yes;CEO;"two\r\nlines"\r\n'
        ";;;;;;\r\n"
        "\r\n"
        " bob ; ;;;no;;\r\n"
    )
    ann, bob = file.rows
    assert (ann.id, ann.first_name, ann.last_name, ann.email) == ("ann", "Ann", 'O"Hara; Smith', "Ann@c.test")
    assert ann.consent is True
    assert ann.fields == {"Job Title": "CEO", "notes": "two\r\nlines"}
    assert (ann.stage, ann.email_status, ann.account, ann.changed_job) == (None, None, None, None)
    assert (bob.id, bob.first_name, bob.consent, bob.fields) == ("bob", None, False, {})
    assert file.lines == (2, 6)


def test_accounts() -> None:
    file = parse_accounts_csv("id,name,stage,size\nacme,Acme,Current Client,12\nb,B,,\n")
    assert [(row.id, row.name, row.stage, row.fields) for row in file.rows] == [
        ("acme", "Acme", "Current Client", {"size": "12"}),
        ("b", "B", None, {}),
    ]


def test_a_place_is_read_and_a_country_stays_as_it_was_written() -> None:
    ann, bob, cid = parse_contacts_csv(
        "id,Country,zone\nann,United States,America/Denver\nbob,de,\ncid,Middle-earth,\n"
    ).rows
    assert (ann.zone, ann.country, ann.fields) == ("America/Denver", "US", {"Country": "United States"})
    assert (bob.zone, bob.country, bob.fields) == (None, "DE", {"Country": "de"})
    assert (cid.country, cid.fields) == (None, {"Country": "Middle-earth"})


def test_a_header_alone_is_no_rows() -> None:
    assert parse_contacts_csv("id,email\n").rows == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the header needs the column id; add it"),
        ("email\na@b.test\n", "line 1: the header needs the column id; add it"),
        ("id,Email,email\n", "line 1, column email: this column comes twice; take one out"),
        ("id,,x\n", "line 1: column 2 has no name; name it or take it out"),
        ("id,email\nann\n", "line 2: 1 cells where the header has 2; put quotes"),
        ("id,email\nann,a@b.test,x\n", "line 2: 3 cells where the header has 2; put quotes"),
        ("id,email\na b,\n", "line 2, column id: 'a b' is not an ID; use 1 to 80 letters"),
        ("id,email\n,a@b.test\n", "line 2, column id: is empty; fill it in"),
        ("id,first_name\na," + "x" * 65536, "line 2, column first_name: longer than 200 characters; shorten it"),
        ("id,n\na," + "x" * 2001, "line 2, column n: longer than 2000 characters; shorten it"),
        ("id,n\na,x\x00y", "line 2, column n: holds a NUL character; remove it"),
        ('id,last_name\na,"x\r\nBcc: all@c.test"', "line 2, column last_name: holds a line end or another control"),
        ("id,zone\na,Berlin", "line 2, column zone: 'Berlin' is not an IANA time zone such as Europe/Berlin"),
        ("id,email\na,a@c\u2028.test", "line 2, column email: holds a line end"),
        ("id,account\na,b c\n", "line 2, column account: 'b c' is not an ID"),
        ("id,consent\na,perhaps\n", "line 2, column consent: neither yes nor no; write yes or no, or leave it empty"),
        ("id,email_status\na,good\n", "line 2, column email_status: write 'unknown', 'verified', 'unverified' or"),
        ('id,x\na,"y\nz\nb,c\n', "line 2: unexpected end of data; a quoted cell ends with a quote"),
        ('id,x\na,"y"z\n', "line 2: ',' expected after '\"'; a quoted cell"),
        ("id,x\na," + "y" * 200_000, "line 2: field larger than field limit"),
        ("id," + ",".join(f"c{n}" for n in range(300)) + "\n", "line 1: more than 200 columns of your own"),
        ("id," + "c" * 101 + "\na,x\n", "line 2, column " + "c" * 100 + ": longer than 100 characters; shorten it"),
    ],
)
def test_an_error_names_the_place_and_the_fix(text: str, message: str) -> None:
    first, *rest = problems(text)
    assert first.startswith(message)
    assert rest == []


def test_all_wrong_cells_are_found_in_one_go_and_the_first_twenty_listed() -> None:
    lines = problems("id,consent,email_status\n" + "".join(f"c{n},perhaps,good\n" for n in range(15)) + "c1,,\n")
    assert lines[0].startswith("line 2, column")
    assert len(lines) == 21
    assert lines[-1] == "and 10 more"


def test_an_id_that_comes_twice_is_refused_on_its_own_line() -> None:
    assert problems('id,note\nann,"two\nlines"\nbob,\nann,\n') == [
        "line 5, column id: ann is on line 2 already; keep one of them"
    ]
