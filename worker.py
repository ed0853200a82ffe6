"""Builds the worker: the composition root. Runs as `python worker.py` and as `onward worker`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from activities.deliver import DeliverActivity
from activities.enrollment import EnrollmentActivities
from activities.replanning import ReplanActivity
from activities.services import Config, Services, valid_address
from activities.upkeep import Upkeep, WakeActivity
from activities.watch import KeepFailed, Take, WatchActivity
from client.connection import connect, ensure_search_attributes
from client.enrollments import Enrollments
from client.inbound import Inbound
from domain.watching import watch_queue
from mail.smtp import Pool
from settings import Settings, SettingsError, configure_logging, load_settings
from store.database import Database
from workflows.enrollment import Enrollment
from workflows.replan import Replan
from workflows.wake import Wake
from workflows.watch import Watch

_log = structlog.get_logger(__name__)

WORKFLOWS = [Enrollment, Replan, Wake, Watch]


def config_of(settings: Settings) -> Config:
    """What the activities need of the settings. Raises SettingsError for a missing signing key."""
    return Config(
        secret=settings.require_secret(),
        public_url=settings.public_url,
        lease=timedelta(seconds=settings.lease_seconds),
        smtp_connect=settings.smtp_connect_seconds,
        smtp_final=settings.smtp_final_seconds,
        defer_base=settings.defer_base_seconds,
        defer_max_tries=settings.defer_max_tries,
        guardrail_refusals=settings.guardrail_refusals,
        mark_grace=timedelta(seconds=settings.mark_grace_seconds),
        wake_per_second=settings.wake_per_second,
        task_queue=settings.task_queue,
        max_watchers=settings.max_watchers,
        imap_poll=settings.imap_poll_seconds,
        imap_timeout=settings.imap_timeout_seconds,
        imap_first_days=settings.imap_first_days,
        imap_retry=timedelta(seconds=settings.imap_retry_seconds),
        imap_fresh=timedelta(seconds=max(300.0, 3 * settings.imap_poll_seconds)),
        imap_patience=timedelta(seconds=settings.imap_unreachable_seconds),
        imap_stretch=settings.imap_stretch_seconds,
        imap_lost=settings.imap_lost_seconds,
    )


def build_worker(services: Services, settings: Settings) -> Worker:
    """A Temporal worker with every workflow and activity of sending."""
    enrollment = EnrollmentActivities(services)
    return Worker(
        services.client,
        task_queue=services.config.task_queue,
        workflows=[Enrollment, Replan, Wake],
        activities=[
            enrollment.admit,
            enrollment.record,
            enrollment.reserve,
            DeliverActivity(services).deliver,
            WakeActivity(services).wake_page,
            ReplanActivity(services).replan_page,
        ],
        max_concurrent_activities=settings.max_concurrent_activities,
        # Many cold replays at once (after a restart) would trip the 2 s deadlock detector on a slow machine.
        max_concurrent_workflow_tasks=10,
        graceful_shutdown_timeout=timedelta(seconds=settings.graceful_shutdown_seconds),
        **_version(settings),
    )


def build_watcher(services: Services, settings: Settings, take: Take, keep_failed: KeepFailed | None = None) -> Worker:
    """A Temporal worker that reads mailboxes. It has a queue of its own: its activities run for as long as there is a mailbox,
    and would take every slot of sending."""
    return Worker(
        services.client,
        task_queue=watch_queue(services.config.task_queue),
        workflows=[Watch],
        activities=[WatchActivity(services, take, keep_failed).watch_mailbox],
        max_concurrent_activities=settings.max_watchers,
        max_concurrent_workflow_tasks=10,
        # They end at once when told; what is being taken in may finish.
        graceful_shutdown_timeout=timedelta(seconds=10),
        **_version(settings),
    )


def inbound(services: Services) -> Inbound:
    """The way of all mail that comes in."""
    config = services.config
    onward = Enrollments(services.client, services.database, valid_address, task_queue=config.task_queue)
    return Inbound(onward, config.secret, config.guardrail_refusals)


def _version(settings: Settings) -> dict[str, Any]:
    """Which release this worker is, in the terms of Worker Deployment Versioning where that is set."""
    name, build = settings.temporal_deployment_name, settings.temporal_worker_build_id
    if not (name and build):
        # Named in every task of every history, so that an engineer sees which release ran it. The SDK's own default is a
        # hash of 32 characters: 135 bytes more a step.
        return {"build_id": version("onward")}
    deployment = WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(name, build),
        use_worker_versioning=True,
        # Here, never on the workflow: an unversioned worker could then complete nothing.
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )
    return {"deployment_config": deployment}


@asynccontextmanager
async def open_services(settings: Settings, client: Client | None = None) -> AsyncIterator[Services]:
    """Connect to PostgreSQL and Temporal; closes what it opened."""
    config = config_of(settings)
    database = await Database.connect(settings.require_database(), settings.database_pool_size)
    pool = Pool()
    try:
        if client is None:
            client = await connect(settings.require_temporal(), settings.temporal_namespace)
        yield Services(database=database, smtp=pool, client=client, config=config)
    finally:
        await pool.close()
        await database.close()


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; then take no new tasks and wait for the emails under way."""
    configure_logging(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with open_services(settings) as services:
        await ensure_search_attributes(services.client)
        upkeep = asyncio.create_task(Upkeep(services, settings.sweep_seconds).run())
        way = inbound(services)
        sender = build_worker(services, settings)
        watcher = build_watcher(services, settings, way.take, way.keep_failed)
        try:
            async with sender, watcher:
                _log.info("worker_started", task_queue=settings.task_queue, pid=os.getpid())
                await stop.wait()
                _log.info("worker_stopping")
                # Together: the last emails may take minutes, and another worker shall read the mailboxes meanwhile.
                await asyncio.gather(sender.shutdown(), watcher.shutdown())
        finally:
            upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await upkeep
    _log.info("worker_stopped")


def main() -> None:
    """Entry point of `python worker.py`. Ends by os._exit: the SDK can crash at interpreter exit (sdk-python #300)."""
    try:
        asyncio.run(run(load_settings()))
        code = 0
    except SettingsError as error:
        print(f"worker: {error}", file=sys.stderr)
        code = 2
    except Exception as error:
        _log.exception("worker_failed", error=str(error))
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
