"""Addresses, tokens and credentials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail import credentials
from mail.addresses import normalize, same_key
from mail.errors import AddressInvalid, CredentialInvalid, CredentialMissing, TokenInvalid
from mail.tokens import plus_address, read_plus_address, sign, verify


@pytest.mark.parametrize(
    ("given_address", "expected"),
    [
        (" Bob.Buyer@Other.EXAMPLE ", "Bob.Buyer@other.example"),
        ("bob@Bücher.example", "bob@xn--bcher-kva.example"),
        ("jörg@other.example", "jörg@other.example"),
        ("bob@mail.test", "bob@mail.test"),
    ],
)
def test_an_address_has_one_spelling(given_address: str, expected: str) -> None:
    assert normalize(given_address) == expected
    assert normalize(expected) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bob",
        "bob@",
        "@x.com",
        "bob@localhost",
        "a b@x.com",
        "bob@x.com\r\nBcc: y@z.com",
        "bob@x.com, ann@x.com",
        '"a b"@x.com',
        "Bob <bob@x.com>",
        "bob@[192.0.2.1]",
        "bob@x..com",
        "a" * 65 + "@x.com",
        "bob@" + "x" * 64 + ".com",
        "bob@x.invalid",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(AddressInvalid) as caught:
        normalize(address)
    assert caught.value.code == "email_invalid"


def test_spellings_meet_under_one_key() -> None:
    assert same_key("Bob@Other.example") == same_key("bob@OTHER.example ")
    assert same_key("not an address ") == "not an address"


SECRET = b"k" * 32


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]))),
)
def test_a_token_gives_back_its_parts_and_fits_a_url(purpose: str, parts: list[str]) -> None:
    token = sign(SECRET, purpose, *parts)
    assert verify(SECRET, purpose, token) == tuple(parts)
    assert all(c.isascii() and (c.isalnum() or c in "-_.") for c in token)


def test_a_token_counts_for_one_secret_and_purpose_only() -> None:
    token = sign(SECRET, "unsubscribe", "e1")
    for secret, purpose in ((b"l" * 32, "unsubscribe"), (SECRET, "other")):
        with pytest.raises(TokenInvalid):
            verify(secret, purpose, token)


def test_any_changed_character_breaks_a_token() -> None:
    token = sign(SECRET, "unsubscribe", "e1")
    for i in range(len(token)):
        for other in ("A", "B", ".", "=", "é"):
            changed = token[:i] + other + token[i + 1 :]
            if changed != token:
                with pytest.raises(TokenInvalid):
                    verify(SECRET, "unsubscribe", changed)


@given(st.text())
def test_garbage_is_no_token(token: str) -> None:
    with pytest.raises(TokenInvalid):
        verify(SECRET, "unsubscribe", token)


def test_credentials_come_from_the_environment_or_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "s3cret")
    assert credentials.resolve("env:SMTP_PASSWORD") == "s3cret"
    file = tmp_path / "password"
    file.write_text(" s3cret \n")
    assert credentials.resolve(f"file:{file}") == " s3cret "


def test_a_missing_credential_names_its_reference_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMPTY", "")
    (tmp_path / "binary").write_bytes(b"s3cret\xff")
    (tmp_path / "empty").write_text("\n")
    for reference in (
        "env:NOT_SET_ANYWHERE",
        "env:EMPTY",
        f"file:{tmp_path / 'absent'}",
        f"file:{tmp_path}",
        f"file:{tmp_path / 'binary'}",
        f"file:{tmp_path / 'empty'}",
    ):
        with pytest.raises(CredentialMissing) as caught:
            credentials.resolve(reference)
        assert caught.value.code == "mailbox_credentials_missing"
        assert reference in str(caught.value)
        assert "s3cret" not in repr(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "reference", ["s3cret", "", "env:", "env:a-b", "env:s3cret!", "file:relative/s3cret", "vault:s3cret"]
)
def test_a_secret_in_clear_text_is_refused_and_not_repeated(reference: str) -> None:
    for function in (credentials.check, credentials.resolve):
        with pytest.raises(CredentialInvalid) as caught:
            function(reference)
        assert "s3cret" not in repr(caught.value)


ENROLLMENT = "0198b3c4-5d6e-7f80-9a1b-2c3d4e5f6071"
KEY = b"0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("fold", [str, str.upper, str.title])
def test_a_plus_address_names_its_enrollment_however_a_mail_system_folds_it(fold: Callable[[str], str]) -> None:
    address = plus_address(KEY, "u", ENROLLMENT, "mara@sender.test")
    assert len(address.partition("@")[0]) <= 64
    assert read_plus_address(KEY, fold(address)) == ("u", ENROLLMENT)


def test_a_plus_address_that_we_did_not_make_names_nothing() -> None:
    made = plus_address(KEY, "b", ENROLLMENT, "mara@sender.test")
    for other in (
        made.replace("+b-", "+u-"),
        made[:10] + ("a" if made[10] != "a" else "b") + made[11:],
        plus_address(b"another key of thirty-two bytes..", "b", ENROLLMENT, "mara@sender.test"),
        "mara+b-@sender.test",
        "mara@sender.test",
        "",
    ):
        assert read_plus_address(KEY, other) is None
