"""The files of deploy/ name only what is there: commands, options, settings, paths, ports."""

import re
import shlex
from collections import defaultdict
from pathlib import Path
from typing import cast

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from handbill.__main__ import app
from handbill.cli.lazy import COMMANDS
from handbill.config import configure, meanings
from handbill.host.settings import Settings
from handbill.supervise import STOP_SECONDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
VARIABLES = {told.variable for told in meanings()} | {"HANDBILL_CONFIG"}
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "UMask": "0077",
    "StateDirectoryMode": "0700",
    "User": "handbill",
    "Restart": "always",
    "StartLimitIntervalSec": "0",
}


def unit(path: Path) -> dict[str, list[str]]:
    """What a unit says, by key."""
    found = defaultdict(list)
    for line in path.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[key].append(value)
    return found


def require_command(words: list[str]) -> None:
    """The command is there, and takes each option."""
    command = cast(TyperGroup, get_command(app)).commands[words[0]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known, words


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_start_what_is_there(path: Path) -> None:
    said = unit(path)
    ((program, *words),) = [shlex.split(line) for line in said["ExecStart"]]
    assert program == "/opt/handbill/.venv/bin/handbill"
    require_command(words)
    assert {pair.partition("=")[0] for pair in said["Environment"]} <= VARIABLES
    assert {key: said[key][0] for key in HARDENED} == HARDENED
    kinds = ["edge"] if words[0] == "edge" else [kind for kind in STOP_SECONDS if kind != "edge"]
    assert int(said["TimeoutStopSec"][0]) > sum(STOP_SECONDS[kind] for kind in kinds)


def test_edges_stand_apart_from_the_rest() -> None:
    rest, edge = unit(DEPLOY / "systemd/handbill.service"), UNITS[0].read_text()
    assert "HANDBILL_EDGES=0" in rest["Environment"]
    assert "handbill.service" not in edge
    assert configure({"HANDBILL_EDGES": "0"}, ROOT).settings.edges == 0


def test_the_settings_are_settings() -> None:
    found = configure({"HANDBILL_CONFIG": str(DEPLOY / "handbill.toml")}, ROOT).settings
    assert found.public_edge == "https://links.example.com"
    rest = re.findall(r"^# ([a-z_]+) = ", (DEPLOY / "handbill.toml").read_text(), re.MULTILINE)
    assert set(rest) <= set(Settings.__struct_fields__)
    assert len(rest) == 2


def test_the_containers_run_what_is_there() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert set(compose["services"]) == {"edge", "rest"}
    for service in compose["services"].values():
        require_command(service["command"])
        assert set(service["environment"]) <= VARIABLES
        build = service["build"]
        assert (DEPLOY / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]).exists()
        assert {mount.partition(":")[0] for mount in service["volumes"]} == set(compose["volumes"])
        port = re.search(r":(\d+)/readyz", " ".join(service["healthcheck"]["test"]))
        assert port is not None
        name = "edge_port" if service["command"][0] == "edge" else "api_port"
        assert int(port[1]) == getattr(Settings(), name)
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied
    assert all((ROOT / name).exists() and f"!{name}" in ignored for name in copied)
    assert [line for line in lines if line.startswith("ENV ")] == ["ENV HANDBILL_DATA=/data"]
    assert 'ENTRYPOINT ["handbill"]' in lines


def test_the_proxies_lead_to_our_ports_and_keep_client_id() -> None:
    nginx, caddy = (DEPLOY / "nginx.conf").read_text(), (DEPLOY / "Caddyfile").read_text()
    ports = {str(Settings().api_port), str(Settings().edge_port)}
    for text in (nginx, caddy):
        assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) == ports
    before_servers = nginx.partition("server {")[0]
    assert "\nunderscores_in_headers on;" in before_servers
    assert nginx.count("X-Forwarded-For $remote_addr;") == 2
    assert nginx.count("{") == nginx.count("}")


def test_documents_name_only_commands_that_are_there() -> None:
    group = cast(TyperGroup, get_command(app))
    count = 0
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), DEPLOY / "README.md"):
        told = re.findall(
            r"(?:`|bin/)handbill ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?", path.read_text()
        )
        for name, further in told:
            assert name in COMMANDS, f"{path.name}: handbill {name}"
            command = group.commands[name]
            if further and isinstance(command, TyperGroup):
                assert further in command.commands, f"{path.name}: handbill {name} {further}"
            count += 1
    assert count > 40


def test_the_guide_names_every_file_of_the_folder() -> None:
    guide = (DEPLOY / "README.md").read_text()
    rows = [line for line in guide.splitlines() if line.startswith("| `")]
    named = {name for line in rows for name in re.findall(r"`([^`]+)`", line.split("|")[1])}
    files = {path for path in DEPLOY.rglob("*") if path.is_file() and path.name != "README.md"}
    assert named == {str(path.relative_to(DEPLOY)) for path in files}
