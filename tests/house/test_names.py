"""A class has a name of its own: who looks for one finds one."""

import ast
from collections import defaultdict

from house.sources import SOURCE, nodes_of, sources


def test_no_two_classes_have_one_name() -> None:
    """A contract's model has the name that openapi.json shows, which may be its noun's."""
    named: dict[str, list[str]] = defaultdict(list)
    for path in sources():
        if not path.is_relative_to(SOURCE / "contract"):
            for node in nodes_of(path):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    named[node.name].append(f"{path.relative_to(SOURCE)}:{node.lineno}")
    assert len(named) > 500
    assert {name: places for name, places in named.items() if len(places) > 1} == {}
