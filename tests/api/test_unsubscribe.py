"""The links in the emails themselves: opened by scanners, posted by mail programs and by people."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default

import httpx

from mail.tokens import sign
from tests.api.conftest import services_for
from tests.harness import World, plain_step

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def test_opening_the_link_changes_nothing_and_posting_unsubscribes_the_person_everywhere(
    http: httpx.AsyncClient, world: World
) -> None:
    await world.add_contact("anna")
    steps = [plain_step(1), plain_step(2, wait="1h")]
    first = await world.add_sequence("first", steps)
    second = await world.add_sequence("second", steps, settings={"active_elsewhere": "allow"})
    here, there = await world.enroll("anna", first), await world.enroll("anna", second)
    mails = await world.until_mails("anna", 2)
    links = [
        re.search(r"/u/[A-Za-z0-9_.-]+", str(message_from_bytes(mail.body, policy=default)["List-Unsubscribe"]))
        for mail in mails
    ]
    assert all(links)
    link = next(found[0] for found in links if found is not None)
    await world.until_state(here, lambda state: state.sent == 1)
    before = await world.kinds(here)
    page = await http.get(link)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert 'method="post"' in page.text
    assert "anna" not in page.text.casefold()
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (page.headers["referrer-policy"], page.headers["x-content-type-options"]) == ("no-referrer", "nosniff")
    assert await world.kinds(here) == before
    for _ in range(2):
        done = await http.post(link, data=ONE_CLICK, follow_redirects=False)
        assert done.status_code == 200
        assert "unsubscribed" in done.text
    for enrollment in (here, there):
        await world.until_status(enrollment, "finished", "unsubscribed")
        told = [(line["kind"], line["by"]) for line in await world.story(enrollment)]
        assert told.count(("unsubscribe", "contact")) == 1
    contact = (await http.get("/v1/contacts/anna")).json()
    assert (contact["suppressed"], contact["stage"]) == ("unsubscribed", "Do Not Contact")


async def test_it_holds_with_no_worker_alive_and_after_the_end(idle: httpx.AsyncClient, workerless: World) -> None:
    world = workerless
    await world.add_sequence(wait="1h")
    async with world.worker():
        enrollment = await world.enroll("anna")
    token = sign(world.settings.require_secret(), "unsubscribe", enrollment)
    # RFC 8058 allows multipart/form-data too.
    assert (await idle.post(f"/u/{token}", files={"List-Unsubscribe": (None, "One-Click")})).status_code == 200
    assert (await idle.get("/v1/contacts/anna")).json()["suppressed"] == "unsubscribed"
    async with world.worker():
        await world.until_status(enrollment, "finished", "unsubscribed")
        assert (await idle.post(f"/u/{token}")).status_code == 200
    assert (await world.status(enrollment)) == ("finished", "unsubscribed")


async def test_a_link_that_is_not_ours_is_a_page_that_says_so(idle: httpx.AsyncClient, workerless: World) -> None:
    secret = services_for(workerless).secret
    unknown = sign(secret, "unsubscribe", "00000000-0000-4000-8000-000000000000")
    other = sign(secret, "something else", "00000000-0000-4000-8000-000000000000")
    forged = sign(b"another secret of the same length", "unsubscribe", "x")
    for token in (other, forged, unknown[:-1], "x", "<script>"):
        for response in (await idle.get(f"/u/{token}"), await idle.post(f"/u/{token}", data=ONE_CLICK)):
            assert response.status_code == 404
            assert response.headers["content-type"].startswith("text/html")
            assert "<script>" not in response.text
    assert (await idle.post(f"/u/{unknown}", data=ONE_CLICK)).status_code == 404
