"""The files for a team's own server and the commands of a fresh machine.

No Docker engine is needed: compose file, Dockerfile and scripts are checked by what can be parsed or run without one.
The namespace script runs for real, against a Temporal dev server of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from temporalio.envconfig import ClientConfig

from embedded.temporal import SEARCH_ATTRIBUTES
from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
OURS = ("migrate", "worker", "api")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?P<operator>:?[-?])?[^}]*\}")
SCRIPTS = sorted([ROOT / "tools" / "install.sh", *(ROOT / "deploy").rglob("*.sh")])

COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def example_variables() -> set[str]:
    """What .env.example sets."""
    return set(re.findall(r"(?m)^(\w+)=", (ROOT / ".env.example").read_text()))


def settings_variables() -> set[str]:
    """Every environment variable that Settings reads, in upper case."""
    names = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        choices = [] if alias is None else getattr(alias, "choices", [alias])
        names |= {choice.upper() for choice in choices} or {f"ONWARD_{name}".upper()}
    return names


def known(variable: str) -> bool:
    """Whether our settings or Temporal's own environment configuration read this variable.

    Temporal's names follow the fields of a profile of its configuration file; that each of these is really read is
    asked of the SDK in `test_temporal_reads_the_variables_we_call_its_own`.
    """
    return variable in settings_variables() | {"TEMPORAL_API_KEY", "TEMPORAL_TLS"}


def seconds(duration: str) -> float:
    """A compose duration such as `1m30s`."""
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)([hms])", duration))


def is_job(service: dict[str, Any]) -> bool:
    """A service that runs once: it is neither restarted nor watched."""
    return "restart" not in service and "healthcheck" not in service


def test_the_compose_file_follows_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, ROOT / "docker-compose.yml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_docker_itself_accepts_the_compose_file_where_it_is_installed(tmp_path: Path) -> None:
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode
    ):
        pytest.skip("docker compose is not installed")
    filled = tmp_path / "env"
    filled.write_text(re.sub(r"(?m)=$", "=x", (ROOT / ".env.example").read_text()))
    compose = str(ROOT / "docker-compose.yml")
    command = ["docker", "compose", "--file", compose, "--env-file", str(filled), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_dependency_exists_and_can_fulfil_its_condition() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} depends on {other}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for the health of {other}, which has no check"
            else:
                assert how["condition"] == "service_completed_successfully"
                assert is_job(SERVICES[other]), f"{name} waits for the end of {other}, which does not end"


def test_everything_that_is_not_a_job_restarts() -> None:
    for name, service in SERVICES.items():
        if not is_job(service):
            assert service.get("restart") == "unless-stopped", name


def test_named_volumes_are_declared_and_used_and_mounted_paths_exist() -> None:
    used = set()
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), source
                assert volume.endswith(":ro"), volume
            else:
                used.add(source)
    assert used == set(COMPOSE["volumes"])


def test_mounted_scripts_and_files_are_there() -> None:
    for service in SERVICES.values():
        mounts = dict(volume.split(":")[:2] for volume in service.get("volumes", []))
        words = [*service.get("entrypoint", []), *service.get("environment", {}).values()]
        for source, target in mounts.items():
            for word in words:
                if source.startswith(".") and word.startswith(target + "/"):
                    assert (ROOT / source / word.removeprefix(target + "/")).is_file(), word


def test_images_are_pinned_and_the_deprecated_setup_image_is_not_used() -> None:
    for name, service in SERVICES.items():
        _, _, tag = service["image"].rpartition(":")
        assert tag not in ("", "latest"), name
        assert "auto-setup" not in service["image"], name
    stages = re.findall(r"(?m)^FROM (\S+)", (ROOT / "Dockerfile").read_text())
    assert stages
    for stage in stages:
        assert ":" in stage
        assert not stage.endswith(":latest")


def test_server_and_schema_tools_are_of_one_release() -> None:
    tags = {
        s["image"].split(":")[1] for s in SERVICES.values() if re.match("temporalio/(server|admin-tools):", s["image"])
    }
    assert len(tags) == 1


def test_the_history_has_512_shards() -> None:
    assert SERVICES["temporal"]["environment"]["NUM_HISTORY_SHARDS"] == "512"


def test_ports_are_published_on_this_machine_only() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port}"


def test_the_api_that_binds_every_address_demands_a_token() -> None:
    environment = SERVICES["api"]["environment"]
    assert environment["ONWARD_API_HOST"] == "0.0.0.0"
    assert environment["ONWARD_API_TOKEN"].startswith("${ONWARD_API_TOKEN:?")


def test_secrets_come_from_the_environment_and_are_required() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|PWD|SECRET|TOKEN|DATABASE_URL", variable):
                assert re.search(r"\$\{\w+:\?", value), f"{name}: {variable}"


def test_the_worker_may_take_its_graceful_time_to_stop() -> None:
    graceful = Settings.model_fields["graceful_shutdown_seconds"].default
    assert "ONWARD_GRACEFUL_SHUTDOWN_SECONDS" not in SERVICES["worker"]["environment"]
    assert seconds(SERVICES["worker"]["stop_grace_period"]) > graceful


@pytest.mark.parametrize("name", OURS)
def test_our_services_set_only_variables_that_the_program_reads(name: str) -> None:
    unknown = {variable for variable in SERVICES[name]["environment"] if not known(variable)}
    assert not unknown


def test_the_example_sets_only_variables_that_the_program_or_postgres_reads() -> None:
    unknown = {v for v in example_variables() if not v.startswith("POSTGRES_") and not known(v)}
    assert not unknown


def test_the_example_names_every_variable_of_the_compose_file_and_no_other() -> None:
    assert {match[1] for match in VARIABLE.finditer(COMPOSE_TEXT)} == example_variables()


def test_variables_without_a_value_in_the_example_are_required_by_the_compose_file() -> None:
    empty = set(re.findall(r"(?m)^(\w+)=$", (ROOT / ".env.example").read_text()))
    optional = {match[1] for match in VARIABLE.finditer(COMPOSE_TEXT) if match["operator"] != ":?"}
    assert not empty & optional


def test_temporal_reads_the_variables_we_call_its_own(tmp_path: Path) -> None:
    given = {
        "TEMPORAL_ADDRESS": "temporal:7233",
        "TEMPORAL_NAMESPACE": "onward",
        "TEMPORAL_API_KEY": "key",
        "TEMPORAL_TLS": "false",
        "TEMPORAL_CONFIG_FILE": str(tmp_path / "none.toml"),
    }
    config = ClientConfig.load_client_connect_config(override_env_vars=given)
    assert config == {"target_host": "temporal:7233", "namespace": "onward", "api_key": "key", "tls": False}


def test_the_image_copies_only_what_exists_and_the_build_context_lets_through() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = set()
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            copied |= set(shlex.split(line)[1:-1])
    for source in copied:
        assert (ROOT / source).exists(), source
    assert copied == let_through


def test_the_image_holds_every_package_of_the_project() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    rooms = {package.split(".")[0] for package in setuptools["packages"]}
    wanted = {*rooms, *(f"{module}.py" for module in setuptools["py-modules"])}
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert wanted <= let_through


def test_the_image_does_not_run_as_root() -> None:
    last = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"(?m)^USER [1-9]\d*$", last)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shell_scripts_parse(script: Path) -> None:
    subprocess.run(["/bin/sh", "-n", script], check=True)


@pytest.fixture(scope="module")
def temporal_cli() -> Path:
    return Path(sys.executable).parent / "temporal"


@pytest.fixture(scope="module")
def fresh_temporal(temporal_cli: Path) -> Iterator[str]:
    """A Temporal dev server without our namespace; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(temporal_cli), "server", "start-dev", "--headless", "--port", str(port), "--log-level", "never"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def test_the_namespace_script_makes_namespace_and_search_attributes_and_may_run_again(
    fresh_temporal: str, temporal_cli: Path
) -> None:
    environment = {
        "PATH": f"{temporal_cli.parent}:/usr/bin:/bin",
        "HOME": os.environ.get("HOME", "/"),
        "TEMPORAL_ADDRESS": fresh_temporal,
        "TEMPORAL_NAMESPACE": SERVICES["temporal-namespace"]["environment"]["TEMPORAL_NAMESPACE"],
    }
    for _ in range(2):
        done = subprocess.run(
            ["/bin/sh", ROOT / "deploy/temporal/namespace.sh"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    listed = subprocess.run(
        ["temporal", "operator", "search-attribute", "list"],
        env=environment,
        executable=temporal_cli,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    made = dict(re.findall(r"(Onward\w+)\s+(\w+)", listed))
    assert made == dict.fromkeys(SEARCH_ATTRIBUTES, "Keyword")


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """A copy of the Makefile's world with a PATH that has the usual tools and no Python; gives the copy."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("awk", "cat", "cksum", "dirname", "grep", "make", "sed", "sh"):
        found = shutil.which(name)
        assert found, name
        (tools / name).symlink_to(found)
    copy = tmp_path / "onward"
    (copy / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", copy)
    shutil.copy(ROOT / "pyproject.toml", copy)
    shutil.copy(ROOT / "tools" / "install.sh", copy / "tools")
    return copy


def make(directory: Path, target: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs make in `directory` with the tools of `bare_machine` and no HOME."""
    tools = directory.parent / "bin"
    return subprocess.run(
        [tools / "make", target],
        cwd=directory,
        env={"PATH": str(tools), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def fake_python(path: Path, body: str) -> None:
    """A `python` that is a shell script, such as a version manager's shim or a distribution's cut-down package."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def our_lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("onward: ")]


@pytest.mark.parametrize("target", ["demo", "demo-once", "demo-clean", "test", "check", "bench"])
def test_without_python_one_line_says_the_fix(bare_machine: Path, target: str) -> None:
    done = make(bare_machine, target)
    assert done.returncode != 0
    (line,) = our_lines(done)
    assert "Python 3.11, 3.12 or 3.13 is missing; fix: " in line
    assert not (bare_machine / ".venv").exists()


def test_a_python_that_is_there_but_does_not_run_counts_as_missing(bare_machine: Path) -> None:
    fake_python(bare_machine.parent / "bin" / "python3.13", "echo 'version 3.13 is not installed' >&2; exit 127")
    (line,) = our_lines(make(bare_machine, "demo"))
    assert "is missing; fix: " in line


def test_a_python_without_venv_says_which_package_to_install(bare_machine: Path) -> None:
    answer = f'case "$2" in *ensurepip*) exit 1 ;; *) exec {shlex.quote(sys.executable)} "$@" ;; esac'
    fake_python(bare_machine.parent / "bin" / "python3", answer)
    (line,) = our_lines(make(bare_machine, "demo"))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"fix: sudo apt install python{version}-venv" in line


def test_an_unusable_chosen_python_is_named_before_others_are_tried(bare_machine: Path) -> None:
    first, second = our_lines(make(bare_machine, "demo", PYTHON="/no/such/python"))
    assert "PYTHON=/no/such/python does not run" in first
    assert "is missing; fix: " in second


@pytest.mark.parametrize("target", ["help", ""])
def test_make_lists_its_targets(bare_machine: Path, target: str) -> None:
    done = make(bare_machine, target) if target else make(bare_machine, "--no-print-directory")
    assert done.returncode == 0
    listed = set(re.findall(r"(?m)^  make ([\w-]+) +\S", done.stdout))
    assert listed >= {"help", "demo", "demo-once", "demo-clean", "test", "check", "bench", "clean"}
    assert listed == set(re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text()))
