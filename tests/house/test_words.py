"""One word per concept: names do not use the words that the glossary puts in brackets."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from house.sources import ROOT, nodes_of, sources, text_of

_LAWFUL = set(
    re.findall(
        r"\w+",
        """
    account ad advertiser application cache client company cost error event fetcher index late
    limit lock log lost message node object policy posting priority queue repeat server slot
    source status step stream term vendor version visit worker
    """,
    )
)
"""Refused for one concept, and the word of another: `limit` of a page, `client` of the agency,
`source` of the journal, `vendor` in the contract's own fields.
"""


def test_names_use_the_words_of_the_glossary() -> None:
    refused = _refused()
    assert len(refused) > 80
    assert refused >= _LAWFUL, "a word is lawful that nothing refuses"
    found = {
        f"{path.relative_to(ROOT)}:{line} {name}: {word}"
        for path in sources()
        for name, line in _names(path)
        for word in _refused_in(name)
    }
    assert not found


def test_each_lawful_word_is_used() -> None:
    names = "_".join(_spelled(name) for path in sources() for name, _ in _names(path))
    assert [word for word in sorted(_LAWFUL) if f"_{word}_" not in names] == []


@cache
def _refused_in(name: str) -> list[str]:
    """The words in a name that it may not have; most names are used many times."""
    spelled = f"_{_spelled(name)}_"
    return [word for word in _refused() - _LAWFUL if f"_{word.replace(' ', '_')}_" in spelled]


@cache
def _refused() -> set[str]:
    """The words in brackets behind an explanation."""
    concepts, _ = text_of(ROOT / "GLOSSARY.md").split("## Words not used")
    brackets = re.findall(r"\(([a-z][A-Za-z ,\n-]*)\)(?=\s|$)", concepts)
    return {word.strip().lower() for words in brackets for word in re.split(r"[,\n]", words)}


def _spelled(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().strip("_")


def _names(path: Path) -> Iterator[tuple[str, int]]:
    """What the module names itself, and where."""
    for node in nodes_of(path):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name, node.lineno
            case ast.Name(id=name, ctx=ast.Store()):
                yield name, node.lineno
