"""Every setting of Onward, read from the environment.

Where the environment names no servers, the program talks to the embedded stack that runs for this user, if one
does: the stack leaves its addresses in `stack.json` in its home (see `embedded/`). Temporal's own connection
settings (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS*`, profiles) are read by
Temporal's environment configuration, not here; `temporal_address` only tells whether one was given.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any, Literal

import structlog
from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """A setting is missing or unusable. `code` is stable, `field` is the environment variable, `fix` says what to do."""

    def __init__(self, code: str, field: str, fix: str) -> None:
        super().__init__(f"{field}: {fix}")
        self.code = code
        self.field = field
        self.fix = fix


def default_home() -> Path:
    """Where the embedded stack keeps its data.

    PostgreSQL refuses to run as root, so for root it runs under an unprivileged user, and the data must lie where
    that user can reach it: `/root` and most homes are closed to others.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/onward")
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "onward"


class Settings(BaseSettings):
    """All settings. Names in the environment are `ONWARD_` plus the upper-case field name."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_", extra="ignore", populate_by_name=True)

    home: Path = Field(default_factory=default_home, description="Data of the embedded stack.")
    database_url: str | None = Field(
        default=None, description="PostgreSQL, as postgresql://user:password@host/database."
    )
    temporal_address: str | None = Field(
        default=None,
        validation_alias=AliasChoices("TEMPORAL_ADDRESS", "temporal_address"),
        description="host:port of the Temporal frontend (Temporal's own variable).",
    )
    temporal_namespace: str = Field(
        default="default",
        validation_alias=AliasChoices("TEMPORAL_NAMESPACE", "temporal_namespace"),
        description="Temporal namespace (Temporal's own variable).",
    )
    temporal_ui_url: str | None = Field(default=None, description="Base URL of Temporal UI, for links.")
    task_queue: str = Field(default="onward", description="Temporal task queue of the worker.")
    secret_key: SecretStr | None = Field(
        default=None,
        description="Signs Message-IDs and unsubscribe links. 32 random bytes or more; never change it while enrollments are open.",
    )

    api_host: str = Field(default="127.0.0.1", description="Address the HTTP API binds.")
    api_port: int = Field(default=8000, ge=0, le=65535, description="Port of the HTTP API; 0 takes a free one.")
    api_token: SecretStr | None = Field(
        default=None,
        description="An API key that may do everything, for the beginning; `onward keys create` makes more.",
    )
    trusted_proxies: str | None = Field(
        default=None,
        description="Addresses or networks, separated by commas, of the reverse proxies whose X-Forwarded-For and X-Forwarded-Proto"
        " are believed; sign-in counts failures by address.",
    )
    public_url: str | None = Field(
        default=None, description="Where recipients reach the unsubscribe links, https://..."
    )

    inbound_secret: SecretStr | None = Field(
        default=None, description="Key of the signatures of POST /inbound/messages; without it that door stays shut."
    )

    database_pool_size: int = Field(default=16, ge=2, description="Connections per process.")
    max_concurrent_activities: int = Field(default=100, ge=1, description="Sends at once per worker process.")
    lease_seconds: float = Field(
        default=30.0, gt=0, description="Lease on a send ledger row; renewed while its owner lives."
    )
    graceful_shutdown_seconds: float = Field(
        default=660.0,
        ge=0,
        description="How long a stopping worker waits for final SMTP replies (600 s by RFC 5321) before it gives up.",
    )
    smtp_connect_seconds: float = Field(
        default=60.0, gt=0, description="Time-out to connect and for the greeting, and for each command."
    )
    smtp_final_seconds: float = Field(
        default=600.0, gt=0, description="Time-out for the reply to the final dot (RFC 5321 4.5.3.2.6)."
    )
    defer_base_seconds: float = Field(
        default=300.0, gt=0, description="First wait after a temporary refusal; doubles each time."
    )
    defer_max_tries: int = Field(default=10, ge=1, description="Temporary refusals before `delivery_failed`.")
    sweep_seconds: float = Field(
        default=30.0, gt=0, description="How often unadopted stop marks are signalled again and mailboxes probed."
    )
    mark_grace_seconds: float = Field(
        default=15.0, ge=0, description="Age from which the sweeper signals an unadopted stop mark again."
    )
    wake_per_second: float = Field(default=50.0, gt=0, description="Enrollments woken per second when a gate opens.")
    guardrail_refusals: int = Field(
        default=3, ge=1, description="Spam refusals of one mailbox within an hour that hold it."
    )

    max_watchers: int = Field(
        default=200, ge=1, description="Mailboxes read by IMAP at once per worker process; more of them take turns."
    )
    imap_poll_seconds: float = Field(
        default=60.0,
        gt=0,
        le=1500,
        description="How often each folder of a mailbox is looked at; new mail in INBOX shows at once where the server offers IDLE.",
    )
    imap_timeout_seconds: float = Field(
        default=60.0, gt=0, description="Time-out to connect to an IMAP server, and for each answer."
    )
    imap_first_days: int = Field(
        default=3, ge=0, le=365, description="A mailbox read for the first time starts with the mail of so many days."
    )
    imap_retry_seconds: float = Field(
        default=60.0,
        gt=0,
        description="First pause after a mailbox could not be read; doubles each time, up to 30 minutes.",
    )
    imap_unreachable_seconds: float = Field(
        default=1800.0,
        ge=0,
        description="A mailbox that could not be read for so long sends nothing: it would mail people who have replied.",
    )
    imap_stretch_seconds: float = Field(
        default=1800.0, gt=0, le=3600, description="How long a worker watches a mailbox before the slot is given back."
    )
    imap_lost_seconds: float = Field(
        default=120.0,
        ge=5,
        description="A worker that watches a mailbox and gives no sign for so long is taken for lost; another one goes on.",
    )

    temporal_deployment_name: str | None = Field(
        default=None,
        validation_alias=AliasChoices("TEMPORAL_DEPLOYMENT_NAME", "temporal_deployment_name"),
        description="Worker Deployment Versioning: the deployment's name.",
    )
    temporal_worker_build_id: str | None = Field(
        default=None,
        validation_alias=AliasChoices("TEMPORAL_WORKER_BUILD_ID", "temporal_worker_build_id"),
        description="Worker Deployment Versioning: this build's ID.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_json: bool = Field(default=False, description="Logs as JSON lines.")

    @property
    def stack_file(self) -> Path:
        """Where a running embedded stack says its addresses."""
        return self.home / "stack.json"

    def require_database(self) -> str:
        """The PostgreSQL URL. Raises SettingsError `database_url_missing`."""
        if not self.database_url:
            raise SettingsError(
                "database_url_missing",
                "ONWARD_DATABASE_URL",
                "no database is named and no embedded stack runs; set it, or start `onward demo` or `onward stack`",
            )
        return self.database_url

    def require_temporal(self) -> str:
        """host:port of Temporal. Raises SettingsError `temporal_address_missing`."""
        if not self.temporal_address:
            raise SettingsError(
                "temporal_address_missing",
                "TEMPORAL_ADDRESS",
                "no Temporal server is named and no embedded stack runs; set it, or start `onward demo` or `onward stack`",
            )
        return self.temporal_address

    def require_secret(self) -> bytes:
        """The signing key. Raises SettingsError `secret_key_missing` or `secret_key_short`."""
        if self.secret_key is None:
            raise SettingsError(
                "secret_key_missing", "ONWARD_SECRET_KEY", "set it to 32 random bytes or more (`openssl rand -hex 32`)"
            )
        key = self.secret_key.get_secret_value().encode()
        if len(key) < 32:
            raise SettingsError(
                "secret_key_short", "ONWARD_SECRET_KEY", "use 32 bytes or more (`openssl rand -hex 32`)"
            )
        return key


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process: overrides, then the environment, then the running embedded stack of this user.

    `stack.json` holds a subset of the field names above and the `pid` of the stack's owner; a file left behind by
    a dead owner is ignored.
    """
    settings = Settings(**overrides)
    if settings.database_url and settings.temporal_address:
        return settings
    stack = read_stack(settings.stack_file)
    if stack is None:
        return settings
    filled = {
        name: stack[name] for name in Settings.model_fields if name in stack and name not in settings.model_fields_set
    }
    return Settings(**{**filled, **overrides})


def configure_logging(settings: Settings) -> None:
    """Logs go to standard error, as lines or as JSON. Tracebacks are plain text: structlog's own rendering shows local
    variables, and with them names, addresses and secrets."""
    render: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if settings.log_json else []),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # The SDK's and the libraries' own records, which use the standard library.
    logging.basicConfig(
        level=settings.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )


def read_stack(path: Path) -> dict[str, Any] | None:
    """What a running embedded stack says of itself, or None when none runs."""
    try:
        stack: dict[str, Any] = json.loads(path.read_text())
        os.kill(int(stack["pid"]), 0)
    except PermissionError:
        return stack
    except (OSError, ValueError, KeyError):
        return None
    return stack
