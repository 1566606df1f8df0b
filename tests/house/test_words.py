"""One word per concept: names do not use the words that the glossary puts in brackets."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from house.sources import ROOT, SOURCE, nodes_of, sources, text_of

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

_OF_PROGRAMS = {(), ("cli",), ("contract",), ("http",), ("http1",), ("simulate",)}
"""Who speaks to programmers and operators, or by HTTP."""


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


def test_sentences_of_rooms_name_no_call() -> None:
    """Reasons and faults are also read by traders, on pages and in mails."""
    calls = re.compile(r"\b(GET|POST|PUT|DELETE) /")
    rooms = {path.parent.relative_to(SOURCE).parts[:1] for path in sources()} - _OF_PROGRAMS
    assert ("core",) in rooms
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value[:80]}"
        for path in sources()
        if path.parent.relative_to(SOURCE).parts[:1] in rooms
        for node in nodes_of(path)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and calls.search(node.value)
        and not _is_docstring(path, node)
    }
    assert not found


def test_no_sentence_says_1_days() -> None:
    """Where a number of days may be one, ``counted`` makes its word."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources()
        for node in nodes_of(path)
        if isinstance(node, ast.JoinedStr)
        for number, after in pairwise(node.values)
        if isinstance(number, ast.FormattedValue)
        and re.fullmatch(r"(\w+\.)*days(:\S*)?", ast.unparse(number.value))
        and isinstance(after, ast.Constant)
        and str(after.value).startswith(" days")
    ]
    assert not found


def test_each_lawful_word_is_used() -> None:
    names = "_".join(_spelled(name) for path in sources() for name, _ in _names(path))
    assert [word for word in sorted(_LAWFUL) if f"_{word}_" not in names] == []


def _is_docstring(path: Path, text: ast.Constant) -> bool:
    return any(isinstance(node, ast.Expr) and node.value is text for node in nodes_of(path))


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
