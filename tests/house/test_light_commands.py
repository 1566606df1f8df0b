"""The list of commands is at hand at once: it must not read what the commands themselves need."""

import re
import subprocess
import sys
from pathlib import Path

from msgspec.structs import fields

from handbill.cli.lazy import COMMANDS, Imported
from handbill.host.settings import Settings

HEAVY = ("sqlalchemy", "duckdb", "aiohttp", "cryptography", "alembic", "lxml", "granian", "rich")
OF_THE_EDGE = ("sqlalchemy", "duckdb", "aiohttp", "alembic", "lxml", "granian", "rich")


def imported_by(*steps: str) -> list[set[str]]:
    """The modules that a process has read after each step."""
    code = "\n".join(f"{step}\nprint('read', *sys.modules)" for step in steps)
    ran = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    told = [line.split() for line in ran.stdout.splitlines()]
    return [set(words[1:]) for words in told if words[:1] == ["read"]]


def test_help_and_version_read_no_heavy_module() -> None:
    (found,) = imported_by(
        "from handbill.__main__ import main\n"
        "for words in (['--help'], ['--version'], ['servr']):\n"
        "    sys.argv = ['handbill', *words]\n"
        "    try: main()\n"
        "    except SystemExit: pass"
    )
    assert "typer" in found
    assert found.isdisjoint(HEAVY)


def test_processes_read_what_they_use_and_no_more() -> None:
    """An edge: no database. Only the API: what bodies and tokens are read by. None: a driver that
    it may never use.
    """
    edge, others, api = imported_by(
        "import handbill.cli.serving, handbill.edge",
        "import handbill.cli.agencies, handbill.judge, handbill.supervise, handbill.worker",
        "import handbill.api, handbill.host.children, handbill.opening",
    )
    assert "lmdb" in edge
    assert edge.isdisjoint(OF_THE_EDGE)
    assert "sqlalchemy" in others
    assert others.isdisjoint({"pydantic", "starlette", "joserfc", "granian", "jinja2"})
    assert "pydantic" in api
    assert api.isdisjoint({"aiohttp", "psycopg", "alembic", "xlsxwriter"})
    assert "handbill.host.forking" not in api, "it stops the collector, for those who fork alone"
    assert "sqlalchemy.dialects.postgresql" not in api


def test_the_list_is_true() -> None:
    """Each place is there, and no command says something else of itself than the list does."""
    commands = Imported()
    assert list(commands) == list(COMMANDS)
    for name, command in commands.items():
        own = re.sub(r"\s+", " ", command.help or "")
        assert own, name
        assert COMMANDS[name].about.endswith("."), name


def test_what_a_command_says_is_written_or_it_fails() -> None:
    """Though nothing that was loaded is taken apart at the end."""
    command = [sys.executable, "-P", "-m", "handbill"]
    with Path("/dev/full").open("w") as full:
        told = subprocess.run(
            [*command, "--version"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (told.returncode, b"No space left" in told.stderr) == (1, True)
    told = subprocess.run([*command, "settings"], capture_output=True, check=True)
    assert told.stdout.endswith(b"\n")
    assert told.stdout.count(b"HANDBILL_") == len(fields(Settings))


def test_nothing_starts_without_its_checks() -> None:
    ran = subprocess.run(
        [sys.executable, "-O", "-P", "-m", "handbill", "--version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "python -O leaves out the checks that guard money" in ran.stderr
