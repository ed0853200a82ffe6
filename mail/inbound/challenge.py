"""Challenge-response mail: the sender is asked to prove that he is a person before his mail is delivered."""

from __future__ import annotations

from domain.inbound import Evidence, Kind, Reading
from mail.inbound.folding import Folded
from mail.inbound.phrases import challenging


def read_challenge(sender: str, subject: Folded, text: Folded, *, automatic: bool) -> Reading | None:
    """A challenge, or None: the service's own address, or a demand beside a product's name, beside
    a link, or in mail that is known to be automatic."""
    served = next((part for part in challenging.SENDERS if part in sender), None)
    demand = challenging.DEMANDS.find(text)
    brand = challenging.BRANDS.find(text) or challenging.BRANDS.find(subject, "subject")
    if served and (demand or brand):
        return _reading("challenge:sender", Evidence(where="header:From", text=sender[:200]), demand or brand)
    if demand and (brand or automatic or "://" in text.original):
        return _reading("challenge:text", demand, brand)
    return None


def _reading(rule: str, *evidence: Evidence | None) -> Reading:
    return Reading(kind=Kind.CHALLENGE, rule=rule, evidence=tuple(one for one in evidence if one is not None))
