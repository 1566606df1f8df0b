"""Where a test stands says what it may touch: ``flows`` go through the doors alone."""

import ast
import re
from functools import cache
from pathlib import Path

from house.sources import ROOT, TESTS, modules_in, nodes_of, tree_of

BEHIND_THE_DOORS = re.compile(
    r"handbill\.(store|work|\w+\.(service|rows|work|routes))\b"
    r"|handbill\.(listings|ledger|jobs|groups|feeds|clients|campaigns|publishers|postings|stats)\b"
    r"|handbill\.(rules|markups|funnel|definitions|callbacks|access|changes)\b"
    r"|(rooms|contract|engines|market)\b"
)
ALLOWED = {
    "days_things": "knows how often a task is tried",
    "days_world": "reads what nobody outside is told, before it moves the clock on",
    "test_edge_in_trouble": "hands the door a journal that breaks",
    "test_edge_process": "an edge alone: what others write for it, and what it has made durable",
    "test_prices_end": "reads damaged segments, which no command exports",
    "test_restore": "looks into the records of the copy",
    "test_secrets": "looks in the records for what must not be there in plain",
    "test_ten_days": "asks the schedule when each entry ran",
}
"""Which module of flows may look behind the doors, and why."""


def names_imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_flows_go_through_the_doors() -> None:
    behind = {
        path.stem: names
        for path in sorted((TESTS / "flows").glob("*.py"))
        if (names := sorted(filter(BEHIND_THE_DOORS.match, names_imported(path))))
    }
    assert {stem: names for stem, names in behind.items() if stem not in ALLOWED} == {}, (
        "tests that arrange in tables live in tests/rooms"
    )
    assert set(ALLOWED) == set(behind), "a reason without its module"


def test_tests_named_in_the_documents_exist() -> None:
    missing = [
        f"{path.relative_to(ROOT)}: {named}"
        for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for named in re.findall(r"`(tests/[\w/.*]+)`", path.read_text())
        if not any(ROOT.glob(named))
    ]
    assert missing == []


def module_at(name: str) -> Path | None:
    """The file of a module of ours, or of the tests'."""
    for root in (ROOT / "src", TESTS):
        at = root.joinpath(*name.split("."))
        for path in (at.with_suffix(".py"), at / "__init__.py"):
            if path.is_file():
                return path
    return None


@cache
def names_of(path: Path) -> set[str]:
    """What a module binds at its top, also in branches and tries there."""
    found: set[str] = set()
    rest: list[ast.AST] = [tree_of(path)]
    while rest:
        for node in ast.iter_child_nodes(rest.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.Name):
                found |= {node.id} if isinstance(node.ctx, ast.Store) else set()
            else:
                rest.append(node)
    return found


def test_what_tests_import_is_there() -> None:
    """Seen without running anything, so that it is seen early."""
    missing = [
        f"{path.relative_to(ROOT)}: {node.module}.{alias.name}"
        for path in modules_in(TESTS)
        for node in nodes_of(path)
        if isinstance(node, ast.ImportFrom) and node.module
        if (module := module_at(node.module)) is not None
        for alias in node.names
        if alias.name not in names_of(module) and module_at(f"{node.module}.{alias.name}") is None
    ]
    assert missing == []
