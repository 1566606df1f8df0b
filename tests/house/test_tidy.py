"""A test over the source itself: what the house promises of every file, kept without a reader."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from handbill.config import meanings
from house.sources import (
    ROOT,
    SOURCE,
    TESTS,
    code_of,
    modules_in,
    nodes_of,
    sources,
    text_of,
    tree_of,
)

MOST_LINES = {SOURCE: 350, TESTS: 400, ROOT / "bench": 400}
MOST_FUNCTION = 60
CLOCK = SOURCE / "host" / "clock.py"
IDS = SOURCE / "host" / "ids.py"
OUTSIDE = SOURCE / "host" / "outside.py"

# Words that say nothing, anywhere in a name; and those that say nothing when they are all of it.
EMPTY_WORDS = {"manager", "handler", "helper", "helpers", "util", "utils"}
EMPTY_NAMES = {"common", "data", "info"}
# ``data`` is the contract's own name of a setting.
NAMED_BY_CONTRACT = {SOURCE / "host" / "settings.py": "data"}
RESTLESS = re.compile(r"\btime\.time|\btime_ns\(|datetime\.now\(|date\.today\(|utcnow\(")
CHANCE = re.compile(r"\brandom\.|\bsecrets\.token|\buuid4\(|\burandom\(")
THIS_MACHINE = re.compile(r"/work/|/home/|/root/|/opt/(pypi|wheels)|/tmp/bash_jobs")
REGISTRY = re.compile(r"(pypi|pythonhosted|registry\.npmjs|crates)\.(org|io)|--(extra-)?index-url")


@cache
def kept_files() -> list[Path]:
    """What the repository keeps, as text."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    binary = {".gz", ".parquet", ".png", ".ico", ".woff2", ".zip"}
    return [
        ROOT / name for name in names if Path(name).suffix not in binary and (ROOT / name).is_file()
    ]


def shown(path: Path, line: int = 0) -> str:
    return f"{path.relative_to(ROOT)}:{line}" if line else str(path.relative_to(ROOT))


def may_match(pattern: re.Pattern[str], text: str) -> bool:
    """Whether all words of one of the pattern's alternatives stand in the text."""
    alternatives = [re.sub(r"\\.", " ", one) for one in pattern.pattern.split("|")]
    return any(all(word in text for word in re.findall(r"\w+", one)) for one in alternatives)


def matching(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{shown(path, number)} {code}"
        for path in paths
        if may_match(pattern, text_of(path))
        for number, code in code_of(path)
        if pattern.search(code)
    ]


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in sources():
        for node in nodes_of(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def every_module() -> list[Path]:
    return [*sources(), *modules_in(TESTS), *modules_in(ROOT / "bench")]


def test_files_are_short() -> None:
    long = {
        shown(path): count
        for folder, most in MOST_LINES.items()
        for path in modules_in(folder)
        if (count := text_of(path).count("\n")) > most
    }
    assert long == {}


def test_the_formatter_lays_out_the_lines() -> None:
    mark = "# fmt: " + "skip"
    skipped = {
        shown(path): count for path in every_module() if (count := text_of(path).count(mark))
    }
    assert sum(skipped.values()) < 20, skipped


def test_functions_are_short() -> None:
    lengths = [
        (path, node, (node.end_lineno or node.lineno) - node.lineno + 1)
        for path, node in functions()
    ]
    assert [
        f"{shown(path, node.lineno)} {node.name}: {count} lines"
        for path, node, count in lengths
        if count > MOST_FUNCTION
    ] == []
    every = sorted(count for _, _, count in lengths)
    assert every[len(every) // 2] <= 10, "the median function"


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Each name that a file imports, in full."""
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def test_time_and_chance_come_from_two_modules() -> None:
    """No other names the system's clock or its randomness, and no third makes either."""
    found = [
        f"{shown(path, line)} {name}"
        for path in sources()
        if path not in {CLOCK, IDS}
        for name, line in imported(path)
        if name.split(".")[0] in {"time", "random", "secrets", "uuid"}
    ]
    assert found == []
    assert not matching(RESTLESS, [path for path in sources() if path != CLOCK])
    assert not matching(CHANCE, [path for path in sources() if path != IDS])
    assert matching(RESTLESS, [CLOCK]), "the pattern still finds what it looks for"
    assert matching(CHANCE, [IDS]), "the pattern still finds what it looks for"


def test_time_and_chance_are_handed_in() -> None:
    """Only commands choose the machine's; all that is below them is given what they have chosen."""
    makers = {"SystemClock", "MovedClock", "clock_of", "SystemIds"}
    choosers = {"of_this_machine", "machine_clock", "chance"}
    may_name = {CLOCK, IDS, OUTSIDE, SOURCE / "supervise.py"}  # which says what it is given
    made, chosen = [], []
    for path in sources():
        for name, line in imported(path):
            word = name.rpartition(".")[2]
            if word in makers and path not in may_name:
                made.append(f"{shown(path, line)} {name}")
            is_command = path.is_relative_to(SOURCE / "cli")
            if word in choosers and "outside" in name and not is_command:
                chosen.append(f"{shown(path, line)} {name}")
    assert made == []
    assert chosen == []
    assert not matching(re.compile(r"\bSystemClock\("), [SOURCE / "supervise.py"])


def test_no_float_touches_money() -> None:
    """Modules that name micros never make a float, nor divide into one."""
    money = [path for path in sources() if "micros" in text_of(path)]
    assert len(money) > 10
    found = [
        shown(path, node.lineno)
        for path in money
        if path.relative_to(SOURCE).parts[0] in {"core", "kit", "ledger", "wire", "listings"}
        for node in nodes_of(path)
        if (isinstance(node, ast.Call) and ast.unparse(node.func) == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]
    assert found == []


def test_every_room_says_what_it_promises() -> None:
    rooms = list(SOURCE.glob("*/__init__.py"))
    assert len(rooms) > 15
    short = {
        shown(path): ast.get_docstring(tree_of(path))
        for path in rooms
        if path.parent.name not in {"host", "work"}
    }
    assert [name for name, said in short.items() if said is None or said.count("\n") < 2] == []
    assert [shown(path) for path in rooms if ast.get_docstring(tree_of(path)) is None] == []
    assert [
        shown(path)
        for path in sources()
        if ast.get_docstring(tree_of(path)) is None and text_of(path).strip()
    ] == [], "a module without a first line that says what it is"


def test_no_room_reads_another_rooms_rows() -> None:
    found = []
    for path in sources():
        room = path.relative_to(SOURCE).parts[0]
        for node in nodes_of(path):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            imported = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
            for name in imported:
                parts = name.split(".")
                if parts[:1] == ["handbill"] and parts[2:3] == ["rows"] and parts[1] != room:
                    found.append(f"{shown(path, node.lineno)} {name}")
    assert found == []


def names_in(path: Path) -> Iterator[tuple[str, int]]:
    yield path.stem, 1
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno


def test_files_of_entries_are_asked_in_one_module() -> None:
    """A file holds entries of many clients: only what filters them names it in a statement."""
    asking = {path for path in sources() if re.search(r"read_parquet|parquet_scan", text_of(path))}
    assert asking == {SOURCE / "store" / "segment_files.py"}


def test_no_name_is_empty() -> None:
    found = []
    for path in sources():
        for name, line in names_in(path):
            words = {word.lower() for word in re.split(r"_|(?<=[a-z])(?=[A-Z])", name)}
            is_empty = bool(words & EMPTY_WORDS) or name.strip("_").lower() in EMPTY_NAMES
            if is_empty and NAMED_BY_CONTRACT.get(path) != name:
                found.append(f"{shown(path, line)} {name}")
    assert found == []


def test_nothing_is_swallowed() -> None:
    """No bare except, and no except that only passes: ``suppress`` names what may be ignored."""
    found = [
        shown(path, node.lineno)
        for path in sources()
        for node in nodes_of(path)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or all(isinstance(line, ast.Pass) for line in node.body))
    ]
    assert found == []


def test_no_sleep_waits_for_luck() -> None:
    found = matching(re.compile(r"\btime\.sleep\("), sources())
    found += matching(re.compile(r"\btime\.sleep\("), modules_in(TESTS))
    assert found == []


def test_nothing_names_this_machine_or_a_registry() -> None:
    me = Path(__file__)
    found = [
        f"{shown(path)}: {hit.group()}"
        for path in kept_files()
        if path != me and path.name != "LICENSE"
        for pattern in (THIS_MACHINE, REGISTRY)
        if (hit := pattern.search(path.read_text(errors="replace")))
    ]
    assert found == []


def test_the_lock_files_agree_and_carry_hashes() -> None:
    runtime, dev = (_pins(ROOT / name) for name in ("requirements.txt", "requirements-dev.txt"))
    assert len(runtime) > 20
    assert runtime.items() <= dev.items()
    for name in ("requirements.txt", "requirements-dev.txt"):
        pinned = re.findall(
            r"^[a-z0-9][^\n]*==(?:[^\n]*\\\n)+[^\n]*", text_of(ROOT / name), re.MULTILINE
        )
        assert all("--hash=sha256:" in block for block in pinned)


def _pins(path: Path) -> dict[str, str]:
    found = re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==(\S+)", text_of(path), re.MULTILINE)
    return dict(found)


def test_every_dependency_has_its_line() -> None:
    import tomllib

    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    told = text_of(ROOT / "docs" / "dependencies.md")
    groups = project["dependency-groups"]
    wanted = project["project"]["dependencies"] + groups["build"] + groups["dev"]
    names = [re.split(r"[\[>=<]", line)[0] for line in wanted]
    assert [name for name in names if f"**{name}**" not in told] == []


def test_every_setting_is_documented() -> None:
    told = text_of(ROOT / "docs" / "operations.md")
    assert [known.variable for known in meanings() if f"`{known.variable}`" not in told] == []
    assert [known.variable for known in meanings() if known.meaning not in told] == []


def test_commands_in_the_documents_exist() -> None:
    makefile = text_of(ROOT / "Makefile")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert len(documents) > 8
    used = {
        f"{shown(path)}: make {word}"
        for path in documents
        for word in re.findall(r"(?:^|`|&& )make ([a-z]+)", text_of(path), re.MULTILINE)
        if word not in targets
    }
    assert not used


def test_handbill_commands_in_the_documents_exist() -> None:
    from typer.main import get_command

    from handbill.__main__ import app

    top = get_command(app)
    known = {name: set(getattr(command, "commands", {})) for name, command in top.commands.items()}  # type: ignore[attr-defined]
    found = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for line in re.findall(r"(?:`|^|bin/)handbill ([a-z][a-z -]*)", text_of(path), re.M):
            first, *rest = line.split()
            if first not in known or (known[first] and not known[first] & set(rest[:1])):
                found.append(f"{shown(path)}: handbill {line}")
    assert found == []


def test_links_between_documents_lead_somewhere() -> None:
    found = [
        f"{shown(path)}: {link}"
        for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text_of(path))
        if not (path.parent / link).exists()
    ]
    assert found == []


def test_the_glossarys_words_are_the_codes() -> None:
    """Every bold word of the glossary stands somewhere in the code, and no word not used does."""
    glossary = text_of(ROOT / "GLOSSARY.md")
    words = re.findall(r"^\*\*([^*]+)\*\*", glossary, re.MULTILINE)
    assert len(words) > 25
    code = re.sub("[ _]", "", "\n".join(map(text_of, sources())).lower())
    assert [word for word in words if word.lower().rstrip("s").replace(" ", "") not in code] == []


def test_decisions_have_their_four_parts() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert len(decisions) >= 7
    numbers = [int(path.name[:4]) for path in decisions]
    assert len(set(numbers)) == len(numbers)
    parts = ("## Context", "## Decision", "## Consequence", "## Guarded by")
    assert [shown(path) for path in decisions for part in parts if part not in text_of(path)] == []


def test_every_room_with_doors_is_behind_them() -> None:
    """A room whose tasks no worker runs, or whose operations no API has, is not there."""
    for door, root in (("work", "worker"), ("routes", "api")):
        rooms = {path.parent.relative_to(SOURCE) for path in SOURCE.rglob(f"{door}.py")}
        assert len(rooms) > 5
        text = text_of(SOURCE / f"{root}.py")
        names = {".".join(room.parts) for room in rooms}
        assert {name for name in names if f"handbill.{name} import {door}" not in text} == set()
