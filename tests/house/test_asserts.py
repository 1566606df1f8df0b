"""Money and storage hold what they promise while they run: asserts, in every function of weight.

``python -O``, which leaves them out, is refused (tests/core/test_config.py).
"""

import ast
import tomllib
from collections.abc import Iterator

from house.sources import ROOT, SOURCE, nodes_of, text_of

MODULES = [
    SOURCE / "core" / "charging.py",
    SOURCE / "core" / "entries.py",
    SOURCE / "core" / "spending.py",
    *sorted((SOURCE / "ledger").glob("*.py")),
    *sorted((SOURCE / "store").glob("journal*.py")),
    SOURCE / "store" / "marks.py",
    SOURCE / "store" / "segments.py",
    SOURCE / "store" / "compaction.py",
]
OF_WEIGHT = 10
"""A function of so many statements has something to hold."""

ONLY_TELL = {
    "ledger/books.py": "looks for what does not hold, and tells of it",
    "ledger/cap_check.py": "looks for what does not hold, and tells of it",
    "ledger/checking.py": "looks for what does not hold, and tells of it",
    "ledger/service.py": "tells entries as they are",
    "store/journal_folder.py": "looks for what is missing, and tells of it",
}
HOLD_ELSEWHERE = {
    "store/journal.py _run": "the loop of the thread: _commit and _settle hold",
    "store/journal_turns.py append": "_take and _finish hold",
    "store/journal_frames.py witness_in": "a file may hold anything, and that is no bug",
    "store/journal_damages.py last_before": "a file may hold anything, and that is no bug",
}
ENDS = {
    "core/spending.py take",
    "core/charging.py priced",
    "core/spending.py additions",
    "core/entries.py __post_init__",
    "ledger/counter_rows.py read_used",
    "ledger/counter_rows.py add_counters",
    "store/marks.py read",
    "store/marks.py put",
    "store/segments.py __post_init__",
    "store/segments.py write",
    "store/segments.py register",
    "store/compaction.py replace",
}
"""Where money and storage begin and end: held however short they are."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[str, str, Function]]:
    for path in MODULES:
        module = path.relative_to(SOURCE).as_posix()
        for node in nodes_of(path):
            if isinstance(node, Function):
                yield module, f"{module} {node.name}", node


def weight(function: Function) -> int:
    says = ast.get_docstring(function) is not None
    return sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1 - says


def asserts(function: Function) -> int:
    return sum(isinstance(node, ast.Assert) for node in ast.walk(function))


def test_every_function_of_weight_holds_something() -> None:
    loose = {
        name
        for module, name, node in functions()
        if module not in ONLY_TELL
        and node.name != "__init__"
        and weight(node) >= OF_WEIGHT
        and not asserts(node)
    }
    assert loose == HOLD_ELSEWHERE.keys()


def test_both_ends_are_held() -> None:
    held = {name for _, name, node in functions() if asserts(node)}
    assert ENDS - held == set()


def test_an_assert_says_what_it_holds() -> None:
    found = [
        f"{name}: {ast.unparse(node)}"
        for _, name, function in functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Assert)
        and not (isinstance(node.msg, ast.Constant) and len(str(node.msg.value)) > 10)
        and "isinstance" not in ast.unparse(node.test)
    ]
    assert found == []


def test_branches_of_all_of_the_journal_are_measured() -> None:
    measured = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]["coverage"]["run"]
    journal = {f"handbill.store.{path.stem}" for path in (SOURCE / "store").glob("journal*.py")}
    assert set(measured["source_pkgs"]) == {"handbill.core", "handbill.ledger", *journal}
