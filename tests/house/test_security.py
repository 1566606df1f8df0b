"""Each promise of SECURITY.md names the tests that hold it, and these are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_promise_is_held_by_tests_that_are_there() -> None:
    table = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", (ROOT / "SECURITY.md").read_text(), re.M)
    promises = {name: re.findall(r"`([^`]+)`", held) for name, _, held in table[1:]}
    assert len(promises) > 15
    assert [name for name, held in promises.items() if not held] == []
    assert [one for held in promises.values() for one in held if not _is_there(one)] == []


def _is_there(named: str) -> bool:
    path, _, test = named.partition("::")
    file = ROOT / "tests" / path
    return file.is_file() and (not test or f"\ndef {test}(" in file.read_text())
