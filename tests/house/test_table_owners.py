"""Each table has one owner, and who else names it stands on a list with the reason."""

import ast
import re
from pathlib import Path

from handbill.changes.service import TOLD
from handbill.store.records.owners import OWNERS, READERS
from handbill.store.records.tables import metadata
from house.sources import SOURCE, nodes_of, sources

# The tables themselves, what is made of them, and what copies each of them whole.
ALL_TABLES = (SOURCE / "store" / "records", SOURCE / "store" / "migrations", SOURCE / "keeping")
IN_TEXT = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+\"?([a-z_]+)")


def named_in(path: Path) -> set[str]:
    """The tables that a module names: imported as objects, or in the text of a statement."""
    found = set()
    for node in nodes_of(path):
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
        for path in sources()
        if not any(path.is_relative_to(whole) for whole in ALL_TABLES)
        for table in named_in(path)
    }
    foreign = {(room, table) for room, table in named if owner_of[table] != room}
    assert foreign == set(READERS), "a reader without its reason, or a reason without its reader"
    idle = {(room, table) for table, room in owner_of.items()} - named
    assert not {table for room, table in idle if room != "store"}, "nobody's table"


WRITES = {"put", "change", "put_many", "put_rows", "upsert_many", "upsert_rows"}
STATEMENTS = {"sa.update", "sa.delete", "sa.insert"}
UNTOLD = {
    ("feeds", "feeds"): "when a feed is due again, which nobody sets",
}
"""(room, table): why a room writes a table of nouns itself."""


BY_TEXT = ("update_text", "insert_text", "upsert_text")
WORDS = (*WRITES, "update", "delete", "insert", *BY_TEXT)
"""The last word of whatever writes: to spell out every call of the package takes seconds."""


def name_of(called: ast.expr) -> str:
    """Its last word: of ``tx.put``, ``put``."""
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def written_in(path: Path) -> set[str]:
    """The tables of nouns that a module writes by itself, past ``changes``."""
    found = set()
    for node in nodes_of(path):
        if (
            not isinstance(node, ast.Call)
            or not node.args
            or not name_of(node.func).endswith(WORDS)
        ):
            continue
        by, table = ast.unparse(node.func), ast.unparse(node.args[0])
        of_tx = by.rpartition(".")[0].endswith("tx") and by.rpartition(".")[2] in WRITES
        if of_tx or by in STATEMENTS or by.endswith(BY_TEXT):
            found.add(table)
    return found & {table.name for table in TOLD}


def test_nouns_are_written_where_changes_are_told() -> None:
    found = {
        (path.relative_to(SOURCE).parts[0], table)
        for path in sources()
        if not path.is_relative_to(SOURCE / "changes")
        for table in written_in(path)
    }
    assert found == set(UNTOLD), "write it by changes.put and changes.change"
