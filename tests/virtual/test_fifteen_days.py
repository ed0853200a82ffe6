from __future__ import annotations
from datetime import timedelta
from tests.virtual.conftest import VirtualWorld
from tests.harness import plain_step

async def test_try(virtual: VirtualWorld) -> None:
    world = virtual.world
    windows = {day: [{"start": "09:00", "end": "17:00"}] for day in ("mon", "tue", "wed", "thu", "fri")}
    await world.add_schedule("office", windows, "Europe/Berlin")
    await world.add_sequence(steps=[plain_step(n, wait="3d" if n > 1 else "0s") for n in range(1, 7)], schedule="office", settings={"settle": "5d"})
    e = await world.enroll("anna")
    print(await virtual.now("anna"), (await world.state(e)).slot)
    import time
    t = time.monotonic()
    await virtual.pass_time("anna", timedelta(days=4))
    print(time.monotonic() - t, await virtual.now("anna"))
    print(await virtual.sendings(e), (await world.state(e)).slot)
    await virtual.pass_time("anna", timedelta(days=20))
    print(time.monotonic() - t, await virtual.now("anna"))
    print(await virtual.sendings(e), await world.status(e), len(await world.until_mails("anna", 1)))
    await virtual.pass_time("anna", timedelta(days=10))
    print(time.monotonic() - t, await world.status(e), await world.story(e))
