"""Opt-outs: found where somebody asks, in twenty languages, and nowhere else."""

from __future__ import annotations

from domain.inbound import Kind
from tests.inbound.human_texts import REQUESTS
from tests.inbound.letters import in_context, letter, said, said_by_machine
from tests.inbound.stopping_texts import FOR_GOOD, NOT_FOR_GOOD

QUOTED = """Sure, Thursday works.

On Tue, Sep 8, 2026 at 10:12 AM Sam Ortega <sam@ours.example> wrote:
> Please remove me from your list is what you would write.
> To stop hearing from me, reply STOP or unsubscribe.
"""


def test_a_request() -> None:
    for text in REQUESTS:
        reading = said(text)
        assert reading.kind is Kind.UNSUBSCRIBE, text
        (evidence,) = reading.evidence
        assert evidence.text in text


def test_a_request_with_its_reason() -> None:
    for text in FOR_GOOD:
        assert said(text).kind is Kind.UNSUBSCRIBE, text


def test_what_is_not_for_good_or_not_for_everything_a_person_reads() -> None:
    for text in NOT_FOR_GOOD:
        assert said(text).kind is Kind.HUMAN_REPLY, text


def test_it_outranks_an_absence_in_the_same_mail() -> None:
    reading = said_by_machine("Please remove me from your mailing list. I am out of the office until 21 September.")
    assert reading.kind is Kind.UNSUBSCRIBE


def test_quoted_text_our_own_text_and_signatures_ask_nothing() -> None:
    assert said(QUOTED).kind is Kind.HUMAN_REPLY
    footer = "If this is not for you, tell me.\nUnsubscribe me from this list by answering STOP to this email."
    answer = f"Thanks!\n\n{footer}"
    assert in_context(letter(answer), sent=(footer,)).kind is Kind.HUMAN_REPLY
    assert said("Thursday works.\n\n-- \nDana Whitfield\nUnsubscribe").kind is Kind.HUMAN_REPLY
    assert said("Thursday works.\n\nUnsubscribe | View in browser").kind is Kind.HUMAN_REPLY


def test_the_subject_alone() -> None:
    assert said("", "unsubscribe").rule == "optout:subject"
    assert said("Dana Whitfield\nNorthgate", "Unsubscribe").kind is Kind.UNSUBSCRIBE
    assert said("", "Re: Unsubscribe rates in your industry").kind is Kind.HUMAN_REPLY
    assert said("The invoice for August is attached and open since Monday.", "Remove").kind is Kind.HUMAN_REPLY


def test_mail_to_our_unsubscribe_address_needs_no_words() -> None:
    reading = in_context(letter("", ""), to_unsubscribe=True)
    assert (reading.kind, reading.rule) == (Kind.UNSUBSCRIBE, "optout:address")


def test_a_newsletters_own_link_is_none() -> None:
    body = (
        "Unsubscribe from this list, if you like.\n\nOur autumn offers: 20 % on everything, in all our shops and online.\n"
        * 3
    )
    assert said(body, "Autumn offers", List_Unsubscribe="<https://news.example/u>").kind is Kind.LIST
