"""What is made of more than four values of one type is made by name: places get mixed up."""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from house.sources import SOURCE, nodes_of, sources

MOST_ALIKE = 4
# Other names of a type.
SAME = {
    "Instant": "int",
    "_Digest": "bytes",
    "BidType": "str",
    "Scope": "str",
    "Measure": "str",
    "Period": "str",
    "Kind": "str",
}
BY_PLACE = {"core/filter_code.py Facts"}
"""A row of jobs as it is read, by the million, for compiled code; nobody writes one down."""


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for path in sources():
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef):
                yield f"{path.relative_to(SOURCE).as_posix()} {node.name}", node


def is_tuple(made: ast.ClassDef) -> bool:
    return any(ast.unparse(base) == "NamedTuple" for base in made.bases)


def types_by_place(made: ast.ClassDef) -> list[str]:
    """The type of each value that its constructor takes by place."""
    for node in made.body:
        if isinstance(node, ast.FunctionDef) and node.name in {"__init__", "__new__"}:
            taken = [*node.args.posonlyargs, *node.args.args][1:]
            return [ast.unparse(one.annotation) for one in taken if one.annotation]
    keywords = {one.arg: ast.unparse(one.value) for one in made.keywords}
    marks = [ast.unparse(one) for one in made.decorator_list]
    is_struct = is_tuple(made) or any(ast.unparse(it).endswith("Struct") for it in made.bases)
    is_made = is_struct or any("dataclass" in mark for mark in marks)
    is_by_name = keywords.get("kw_only") == "True" or any("kw_only=True" in it for it in marks)
    if not is_made or is_by_name:
        return []
    return [ast.unparse(node.annotation) for node in made.body if isinstance(node, ast.AnnAssign)]


@cache
def of_many_alike() -> list[tuple[str, ast.ClassDef]]:
    return [
        (name, made)
        for name, made in classes()
        if max(Counter(SAME.get(it, it) for it in types_by_place(made)).values(), default=0)
        > MOST_ALIKE
        and name not in BY_PLACE
    ]


def test_many_values_of_one_type_are_given_by_name() -> None:
    assert [name for name, made in of_many_alike() if not is_tuple(made)] == []


def known_in(path: Path, tuples: set[str]) -> set[str]:
    """The names by which a module knows them: its own ones, and those that it imports."""
    own = path.relative_to(SOURCE).as_posix()
    found = {name.split()[1] for name in tuples if name.split()[0] == own}
    for node in nodes_of(path):
        if isinstance(node, ast.ImportFrom) and node.module:
            inside = node.module.removeprefix("handbill.").replace(".", "/") + ".py"
            found |= {it.asname or it.name for it in node.names if f"{inside} {it.name}" in tuples}
    return found


def test_who_makes_a_tuple_of_many_alike_gives_names() -> None:
    """A tuple cannot ask for it."""
    tuples = {name for name, made in of_many_alike() if is_tuple(made)}
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno} {ast.unparse(node)}"
        for path in sources()
        for known in [known_in(path, tuples)]
        for node in nodes_of(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and len(node.args) > MOST_ALIKE
        and node.func.id in known
    ]
    assert found == []
