"""Contacts, accounts, stages and suppressions over HTTP."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.conftest import ok, problem
from tests.harness import World

HUGE = "x" * 65_536
CSV = {"Content-Type": "text/csv"}


async def test_a_contact_is_added_changed_and_shown(idle: httpx.AsyncClient) -> None:
    ok(await idle.put("/v1/accounts/acme", json={"name": "Acme"}), 201)
    body = {"account": "acme", "first_name": "Anna", "email": "anna@ACME.test", "fields": {"city": "Oslo", "n": 1}}
    added = ok(await idle.put("/v1/contacts/anna", json=body), 201)
    assert (added["email"], added["account_name"], added["stage"]) == ("anna@acme.test", "Acme", "Cold")
    put = ok(await idle.put("/v1/contacts/anna", json={"last_name": "Brandt"}))
    assert (put["name"], put["email"]) == ("Anna Brandt", "anna@acme.test")
    patched = ok(await idle.patch("/v1/contacts/anna", json={"stage": "Interested", "fields": {"n": None}}))
    assert (patched["stage"], patched["fields"]) == ("Interested", {"city": "Oslo"})
    placed = ok(await idle.patch("/v1/contacts/anna", json={"zone": "Europe/Oslo", "country": "no"}))
    assert (placed["zone"], placed["country"]) == ("Europe/Oslo", "NO")
    assert ok(await idle.patch("/v1/contacts/anna", json={"zone": None}))["zone"] is None
    assert ok(await idle.patch("/v1/contacts/anna", json={"email": None, "account": None}))["email"] is None
    assert ok(await idle.get("/v1/contacts/anna"))["account"] is None
    assert [one["id"] for one in ok(await idle.get("/v1/contacts"))["items"]] == ["anna"]
    assert ok(await idle.get("/v1/contacts", params={"account": "acme"}))["items"] == []


async def test_an_account_is_changed_and_shown(idle: httpx.AsyncClient) -> None:
    problem(await idle.put("/v1/accounts/acme", json={}), 422, "invalid_definition")
    ok(await idle.put("/v1/accounts/acme", json={"name": "Acme"}), 201)
    assert ok(await idle.patch("/v1/accounts/acme", json={"stage": "Current Client"}))["stage"] == "Current Client"
    assert ok(await idle.get("/v1/accounts/acme"))["name"] == "Acme"
    assert [one["id"] for one in ok(await idle.get("/v1/accounts"))["items"]] == ["acme"]
    problem(await idle.patch("/v1/accounts/nobody", json={"stage": "Cold"}), 404, "account_unknown")
    problem(await idle.get("/v1/accounts/nobody"), 404, "account_unknown")


WRONG_CONTACTS: list[tuple[dict[str, Any], str]] = [
    ({"email": "nobody"}, "email"),
    ({"email": "a@b.test\nBcc: c@d.test"}, "email"),
    ({"first_name": "Anna\r\nBcc: everybody@example.com"}, "first_name"),
    ({"first_name": HUGE}, "first_name"),
    ({"fields": {"note": HUGE}}, "fields.note"),
    ({"emial": "a@b.test"}, "emial"),
    ({"account": "nowhere"}, "account"),
    ({"email_status": "great"}, "email_status"),
    ({"stage": ""}, "stage"),
    ({"first_name": 5}, "first_name"),
    ({"zone": "Berlin"}, "zone"),
    ({"country": "Germany"}, "country"),
]


async def test_wrong_contacts_are_refused_and_change_nothing(idle: httpx.AsyncClient) -> None:
    before = ok(await idle.put("/v1/contacts/anna", json={"first_name": "Anna"}), 201)
    for body, field in WRONG_CONTACTS:
        refusal = problem(await idle.patch("/v1/contacts/anna", json=body), 422, "invalid_definition")
        assert (refusal["field"] or "").startswith(field), refusal
        assert (await idle.put("/v1/contacts/ben", json=body)).status_code == 422, body
    assert ok(await idle.get("/v1/contacts/anna")) == before
    problem(await idle.get("/v1/contacts/ben"), 404, "contact_unknown")


async def test_unknown_and_impossible_contacts(idle: httpx.AsyncClient) -> None:
    problem(await idle.patch("/v1/contacts/nobody", json={}), 404, "contact_unknown")
    problem(await idle.get("/v1/contacts/a%00b"), 404, "contact_unknown")
    problem(await idle.get(f"/v1/contacts/{HUGE[:5000]}"), 404, "contact_unknown")
    problem(await idle.put("/v1/contacts/a%00b", json={}), 422, "invalid_definition")
    problem(await idle.put("/v1/contacts/anna", json={"id": "ben"}), 422, "invalid_definition")
    problem(await idle.get("/v1/contacts", params={"account": "\x00"}), 422, "invalid_request")
    problem(await idle.get("/v1/contacts", params={"limit": 0}), 422, "invalid_request")


async def test_csv_is_imported_whole_or_not_at_all(idle: httpx.AsyncClient) -> None:
    accounts = await idle.post("/v1/accounts:import", content="id;name\nacme;Acme\n", headers=CSV)
    assert ok(accounts)["inserted"] == 1
    good = "id,First Name,email,account,city\nanna,Anna,anna@acme.TEST,acme,Oslo\nben,Ben,not an address,,\n"
    done = ok(await idle.post("/v1/contacts:import", content=good, headers=CSV))
    assert done == {"inserted": 2, "updated": 0, "unchanged": 0, "malformed_addresses": ["ben"]}
    assert ok(await idle.get("/v1/contacts/anna"))["email"] == "anna@acme.test"
    assert ok(await idle.post("/v1/contacts:import", content=good, headers=CSV))["unchanged"] == 2
    broken = "id,email\ncara,cara@acme.test\ndora\nemil,e@acme.test,x\n"
    refusal = problem(await idle.post("/v1/contacts:import", content=broken, headers=CSV), 422, "invalid_rows")
    assert [one["line"] for one in refusal["errors"]] == [3, 4]
    problem(await idle.get("/v1/contacts/cara"), 404, "contact_unknown")
    latin = await idle.post("/v1/contacts:import", content="id,first_name\nx,J\xf6rg\n".encode("latin-1"), headers=CSV)
    assert "UTF-8" in problem(latin, 422, "invalid_rows")["detail"]


async def test_json_is_imported_whole_or_not_at_all(idle: httpx.AsyncClient) -> None:
    ok(await idle.post("/v1/accounts:import", json={"accounts": [{"id": "acme", "name": "Acme"}]}))
    rows = [{"id": "anna", "email": "anna@acme.test", "account": "acme"}, {"id": "ben"}]
    assert ok(await idle.post("/v1/contacts:import", json=rows))["inserted"] == 2
    wrong = [{"id": "cara"}, {"id": "dora", "nmae": "Dora"}, {"id": "not an id"}, 5]
    refusal = problem(await idle.post("/v1/contacts:import", json={"contacts": wrong}), 422, "invalid_rows")
    assert [(one["line"], one["column"]) for one in refusal["errors"]] == [(2, "nmae"), (3, "id"), (4, None)]
    problem(await idle.post("/v1/contacts:import", json={"people": []}), 422, "invalid_request")
    twice = problem(await idle.post("/v1/contacts:import", json=[{"id": "eve"}, {"id": "eve"}]), 422, "invalid_rows")
    assert twice["errors"][0]["line"] == 2
    unknown = await idle.post("/v1/contacts:import", json=[{"id": "eve", "account": "nowhere"}])
    problem(unknown, 422, "invalid_rows")
    problem(await idle.get("/v1/contacts/eve"), 404, "contact_unknown")


async def test_stages_in_use_join_the_defaults(idle: httpx.AsyncClient) -> None:
    ok(await idle.put("/v1/contacts/anna", json={"stage": "On Ice"}), 201)
    ok(await idle.put("/v1/accounts/acme", json={"name": "Acme", "stage": "Partner"}), 201)
    stages = ok(await idle.get("/v1/stages"))
    assert stages["contact_stages"][0] == "Cold"
    assert {"On Ice", "Do Not Contact", "Changed Job"} <= set(stages["contact_stages"])
    assert {"Partner", "Current Client"} <= set(stages["account_stages"])


async def test_a_suppressed_address_is_refused_everywhere_until_it_is_allowed(
    http: httpx.AsyncClient, world: World
) -> None:
    await world.add_sequence()
    await world.add_contact("anna")
    address = world.address("anna")
    body = {"address": address.upper(), "reason": "legal_request", "by": "person:ana"}
    assert ok(await http.post("/v1/suppressions", json=body)) == {
        "address": address,
        "suppressed": True,
        "changed": True,
    }
    assert ok(await http.get("/v1/contacts/anna"))["suppressed"] == "legal_request"
    path = f"/v1/sequences/{world.sequence}/enrollments"
    refused = ok(await http.post(path, json={"contact": "anna"}))["results"][0]["refused"]
    assert [one["code"] for one in refused] == ["suppressed"]
    assert ok(await http.delete(f"/v1/suppressions/{address}"))["changed"] is True
    assert ok(await http.delete(f"/v1/suppressions/{address}"))["changed"] is False
    assert ok(await http.post(path, json={"contact": "anna"}))["enrolled"] == 1
    problem(await http.post("/v1/suppressions", json={"address": "nobody"}), 422, "invalid_definition")
    problem(await http.post("/v1/suppressions", json={}), 422, "invalid_request")


async def test_a_change_of_a_contact_is_told_in_its_stories_with_its_actor(
    http: httpx.AsyncClient, world: World
) -> None:
    await world.add_sequence(wait="1h")
    enrollment = await world.enroll("anna")
    ok(await http.patch("/v1/contacts/anna", json={"stage": "Replied"}, headers={"Onward-Actor": "person:ana"}))
    told = ok(await http.get(f"/v1/enrollments/{enrollment}/events"))["items"]
    assert ("contact_changed", "person:ana") in [(line["kind"], line["by"]) for line in told]
