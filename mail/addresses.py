"""Email addresses: one spelling for each, and the key under which suppressions find it."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email

from mail.errors import AddressInvalid

_SAFE = re.compile(r"""[^\s\x00-\x1f\x7f<>()\[\]:;,"\\@]+@[^\s\x00-\x1f\x7f<>()\[\]:;,"\\@]+""")


def is_safe(address: str) -> bool:
    """Whether the text can stand in a header or an SMTP command as exactly one address, without quotes.

    True for everything that `normalize` returns. For the places where bytes are made: they trust nobody.
    """
    return _SAFE.fullmatch(address) is not None


def normalize(address: str) -> str:
    """The one spelling of an address that is stored, put in headers and given to SMTP servers.

    The local part keeps its case (RFC 5321 2.4); the domain is lower-case and in ASCII (IDNA A-labels), so that an
    internationalized domain needs no SMTPUTF8. Whether the domain exists is not asked. `.test` passes: it is reserved
    for trying things out (RFC 6761) and can reach nobody. Raises AddressInvalid.
    """
    try:
        # strict: refuses a local part beyond the 64 bytes of RFC 5321 4.5.3.1.1, which is accepted otherwise.
        valid = validate_email(address.strip(), check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError as error:
        raise AddressInvalid(str(error)) from error
    return f"{valid.local_part}@{valid.ascii_domain}"


def same_key(address: str) -> str:
    """The key under which two spellings of one address meet: for suppressions and for finding a sender's contact.

    Servers may tell `Bob@` from `bob@`, but none in use does; for "never write again" the wider reading is the safe
    one. Works on any text, so that what came in from outside can be looked up without being valid.
    """
    try:
        return normalize(address).casefold()
    except AddressInvalid:
        return address.strip().casefold()
