"""Each table has one owner, and who else names it stands on a list with the reason."""

import ast
import re
from pathlib import Path

from handbill.store.records.owners import OWNERS, READERS
from handbill.store.records.tables import metadata

SOURCE = Path(__file__).parents[2] / "src" / "handbill"
# The tables themselves, what is made of them, and what copies each of them whole.
ALL_TABLES = (SOURCE / "store" / "records", SOURCE / "store" / "migrations", SOURCE / "keeping")
IN_TEXT = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+\"?([a-z_]+)")


def named_in(path: Path) -> set[str]:
    """The tables that a module names: imported as objects, or in the text of a statement."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("records.tables"):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "tables":
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(IN_TEXT.findall(node.value))
    return found & set(metadata.tables)


def test_each_table_has_one_owner() -> None:
    owned = [table for tables in OWNERS.values() for table in tables]
    assert sorted(owned) == sorted(metadata.tables)


def test_a_room_names_its_own_tables_and_those_it_may_read() -> None:
    owner_of = {table: room for room, tables in OWNERS.items() for table in tables}
    named = {
        (path.relative_to(SOURCE).parts[0], table)
        for path in SOURCE.rglob("*.py")
        if not any(path.is_relative_to(whole) for whole in ALL_TABLES)
        for table in named_in(path)
    }
    foreign = {(room, table) for room, table in named if owner_of[table] != room}
    assert foreign == set(READERS), "a reader without its reason, or a reason without its reader"
    idle = {(room, table) for table, room in owner_of.items()} - named
    assert not {table for room, table in idle if room != "store"}, "nobody's table"
