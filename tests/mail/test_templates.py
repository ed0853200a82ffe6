"""Templates: what they may do, what they miss, and what hostile ones cannot do."""

from __future__ import annotations

from typing import Any

import pytest
from markupsafe import Markup

from mail.errors import TemplateError, VariableMissing
from mail.templates import MAX_OUTPUT, MAX_SOURCE, MAX_VALUE, Rendered, Templates, blank, check, render, variables

VALUES: dict[str, Any] = {
    "contact": {
        "first_name": "Ann",
        "last_name": " ",
        "title": None,
        "age": 0,
        "items": "3 of them",
        "tags": ["a", "b"],
    },
    "account": {"name": "Smith & <Sons>"},
    "custom": {"won": False},
}


def text(source: str, values: dict[str, Any] | None = None) -> str:
    return render(Templates("s", source), VALUES if values is None else values).text


def test_an_email_is_rendered_and_only_html_is_escaped() -> None:
    source = "{{ contact.first_name }} of {{ account['name'] }}"
    assert render(Templates(source, source, source), VALUES) == Rendered(
        "Ann of Smith & <Sons>", "Ann of Smith & <Sons>", "Ann of Smith &amp; &lt;Sons&gt;"
    )


def test_a_value_cannot_declare_itself_safe() -> None:
    assert render(Templates("s", "t", "{{ x }}{{ x ~ x }}"), {"x": Markup("<b>")}).html == "&lt;b&gt;" * 3


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ contact.age }} {{ custom.won }}", "0 False"),
        ("{{ contact.items }} {{ contact.tags }}", "3 of them a, b"),
        ("Hi {{ contact.last_name | default('there') }}", "Hi there"),
        ("Hi {{ contact.last_name | title | d('there') }}", "Hi there"),
        ("Hi {{ nobody.at.all | default('there') }}", "Hi there"),
        ("{% if contact.title %}{{ contact.title }}{% else %}no title{% endif %}", "no title"),
        ("{% if contact.title is defined %}x{% else %}y{% endif %}", "y"),
        ("{{ 'y' if contact.title is none else 'x' }}", "y"),
        ("{{ 'big' if custom.seats > 50 else 'small' }}", "small"),
        ("{{ 'x' if contact.title == 'CEO' or 'C' in contact.title else 'y' }}", "y"),
        ("{{ contact.first_name | upper ~ '!' }}{{ 1 + 2 }}", "ANN!3"),
        ("a\n{% if contact.age == 0 %}\nb\n{% endif %}\nc\n", "a\nb\nc\n"),
        ("{% raw %}{{ x }}{% endraw %}{# note #}", "{{ x }}"),
    ],
)
def test_a_variable_that_is_blank_counts_as_not_there(source: str, expected: str) -> None:
    assert text(source) == expected
    assert blank(Templates("s", source), VALUES) == []


def test_gaps_are_named_in_order_of_use_and_never_sent() -> None:
    templates = Templates(
        "{{ contact.title }}",
        "{{ contact.last_name }} {{ contact.title }} {{ custom.a.b | upper }} {{ 'x' ~ nobody }}",
        "{% if contact.first_name %}{{ custom.deep }}{% else %}{{ custom.not_reached }}{% endif %}",
    )
    gaps = ["contact.title", "contact.last_name", "custom.a.b", "nobody", "custom.deep"]
    assert blank(templates, VALUES) == gaps
    with pytest.raises(VariableMissing) as caught:
        render(templates, VALUES)
    assert (caught.value.code, list(caught.value.paths)) == ("variable_missing", gaps)


def test_variables_are_full_paths() -> None:
    templates = Templates(
        "{{ contact.first_name }}",
        "{% if account.size > 3 %}{{ custom['plan name'] | default(custom.x.y) }}{% endif %}",
        "{{ contact.first_name }} {{ sender }}",
    )
    assert variables(templates) == {"contact.first_name", "account.size", "custom.plan name", "custom.x.y", "sender"}


def test_a_subject_is_one_line() -> None:
    subject = render(Templates(" a\n{{ x }}\u2028\x00 b ", "t"), {"x": "1\r\nBcc: y@z.example"}).subject
    assert subject == "a 1 Bcc: y@z.example b"


@pytest.mark.parametrize(
    ("templates", "field", "line"),
    [
        (Templates("{{ x", "t"), "subject", 1),
        (Templates("s", "a\nb\n{{ x | nope }}"), "text", 3),
        (Templates("s", "t", "\n{% if x %}"), "html", 2),
        (Templates("s", "{{ x is nope }}"), "text", 1),
        (Templates("s", "{{ 1 if }}"), "text", 1),
    ],
)
def test_a_mistake_is_found_with_its_place(templates: Templates, field: str, line: int) -> None:
    with pytest.raises(TemplateError) as caught:
        check(templates)
    assert (caught.value.code, caught.value.field, caught.value.line) == ("template_error", field, line)


HOSTILE = [
    "{{ 'a' * 10**9 }}",
    "{{ 9 ** 999999 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ 'a' | center(1000000000) }}",
    "{{ 1.5 | round(999999999, 'ceil') }}",
    "{{ 'aa' | replace('a', 'aaaaaaaa') }}",
    "{% for i in range(1000000000) %}x{% endfor %}",
    "{% for i in x recursive %}{{ loop(x) }}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% set x = 'a' %}{% set x = x ~ x %}",
    "{% with x = 1 %}{% endwith %}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% import 'os' as os %}",
    "{% block b %}{% endblock %}",
    "{% filter upper %}x{% endfilter %}",
    "{% autoescape false %}{{ x }}{% endautoescape %}",
    "{{ x | safe }}",
    "{{ x | attr('__class__') }}",
    "{{ x | map('upper') | list }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ {'a': 1}.items() }}",
    "{{ self }}",
    "{{ range(3) }}",
    "{{ contact.first_name.upper() }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ x[0] }}",
    "{{ x[y] }}",
    "{{ x | default(*y) }}",
    "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}",
    "{{ " + "9" * 9000 + " }}",
    "{{ 1" + " + 1" * 2000 + " }}",
    "{{ x" + " ~ x" * 2000 + " }}",
    "{% if x %}" * 150 + "{% endif %}" * 150,
    "x" * (MAX_SOURCE + 1),
]


@pytest.mark.parametrize("source", HOSTILE, ids=lambda source: source[:30])
def test_a_hostile_template_is_refused_when_it_is_saved(source: str) -> None:
    with pytest.raises(TemplateError):
        check(Templates("s", source))


@pytest.mark.parametrize(
    "source",
    ["{{ contact.__class__ }}", "{{ contact.items.__call__ }}", "{{ contact.keys }}", "{{ cycler }}", "{{ lipsum }}"],
)
def test_nothing_behind_the_values_can_be_reached(source: str) -> None:
    with pytest.raises((TemplateError, VariableMissing)):
        text(source)


@pytest.mark.parametrize(
    "source",
    ["{{ contact }}", "{{ contact.first_name - 1 }}", "{{ 'x' in contact }}", "{{ contact.first_name > 3 }}"],
)
def test_a_value_of_the_wrong_kind_is_a_template_error(source: str) -> None:
    with pytest.raises(TemplateError):
        text(source)


def test_sizes_are_bounded() -> None:
    with pytest.raises(TemplateError, match=r"contact\.name has 65536 characters"):
        text("{{ contact.name }}", {"contact": {"name": "a" * 65536}})
    with pytest.raises(TemplateError, match="subject: it has 301"):
        render(Templates("{{ x }}", "t"), {"x": "a" * 301})
    with pytest.raises(TemplateError, match=f"longer than {MAX_OUTPUT}"):
        text("{{ x }}" * 30, {"x": "a" * MAX_VALUE})
