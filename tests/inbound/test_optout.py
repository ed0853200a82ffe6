"""Opt-outs: found where somebody asks, in twenty languages, and nowhere else."""

from __future__ import annotations

import pytest

from domain.inbound import Kind
from tests.inbound.letters import in_context, letter, said, said_by_machine

REQUESTS = (
    "Unsubscribe",
    "STOP",
    "Remove me from your list.",
    "Hi Sam,\n\nPlease remove me from your mailing list.\n\nThanks,\nDana",
    "Stop emailing me!",
    "Not interested. Please take me off your list.",
    "unsubscribe me please",
    "Please unsubscribe.",
    "Could you please remove me from your database?",
    "Do not contact me again.",
    "No thanks, please stop sending these emails.",
    "I don't want to receive any more emails from you.",
    "Take me off this list",
    "opt out",
    "Please stop contacting me.",
    "Remove",
    "Hello,\nkindly delete my data from your database.",
    "We are not interested, remove us from your list",
    "Abmelden",
    "Bitte nehmen Sie mich aus Ihrem Verteiler.",
    "Bitte keine weiteren E-Mails.",
    "Guten Tag,\n\nbitte löschen Sie meine Daten.\n\nGruß",
    "Kein Interesse. Bitte schreiben Sie mich nicht mehr an.",
    "Ich möchte keine weiteren Mails von Ihnen erhalten.",
    "Désabonnement",
    "Merci de me retirer de votre liste.",
    "Veuillez me désinscrire.",
    "Bonjour,\nMerci de ne plus me contacter.",
    "Je ne souhaite plus recevoir vos mails.",
    "Baja",
    "Por favor, denme de baja de su lista.",
    "No me escriba más.",
    "Elimine mi correo de su base de datos, por favor.",
    "Cancellami",
    "Vi prego di cancellarmi dalla vostra lista.",
    "Non scrivetemi più.",
    "Per favore rimuovete il mio indirizzo.",
    "Remover",
    "Por favor, remova-me da sua lista.",
    "Não quero mais receber seus e-mails.",
    "Uitschrijven",
    "Gelieve mij van uw lijst te verwijderen.",
    "Graag uitschrijven.",
    "Stuur mij geen mails meer.",
    "Avregistrera mig",
    "Ta bort mig från er lista, tack.",
    "Sluta skicka mejl till mig.",
    "Afmeld",
    "Fjern mig venligst fra jeres liste.",
    "Meld meg av",
    "Vennligst fjern meg fra listen.",
    "Slutt å sende meg e-post.",
    "Poistakaa minut listalta.",
    "Peruuta tilaus",
    "Proszę o usunięcie mojego adresu z bazy.",
    "Wypisz mnie",
    "Proszę nie wysyłać do mnie więcej maili.",
    "Odhlásit",
    "Prosím o vyřazení z databáze.",
    "Neposílejte mi další e-maily.",
    "Beni listenizden çıkarın.",
    "Lütfen bana bir daha mail atmayın.",
    "Leiratkozás",
    "Kérem, töröljenek a listáról.",
    "Vă rog să mă ștergeți din listă.",
    "Отписаться",
    "Удалите меня из рассылки.",
    "Пожалуйста, больше не пишите мне.",
    "Видаліть мене зі списку.",
    "Παρακαλώ διαγράψτε με από τη λίστα σας.",
    "配信停止",
    "今後のメールの送信は不要です。",
    "配信リストから削除してください。",
    "退订",
    "请不要再给我发邮件了。",
    "请把我从名单中删除。",
    "수신거부",
    "더 이상 메일을 보내지 마세요.",
    "Unsubscribe - I never signed up for this.",
    "Stop. I told you twice already.",
)  # fmt: skip

QUOTED = """Sure, Thursday works.

On Tue, Sep 8, 2026 at 10:12 AM Sam Ortega <sam@ours.example> wrote:
> Please remove me from your list is what you would write.
> To stop hearing from me, reply STOP or unsubscribe.
"""


@pytest.mark.parametrize("body", REQUESTS)
def test_a_request(body: str) -> None:
    reading = said(body)
    assert reading.kind is Kind.UNSUBSCRIBE, reading
    (evidence,) = reading.evidence
    assert evidence.text in body


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
