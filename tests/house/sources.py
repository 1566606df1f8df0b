"""The source as the house tests read it: each file is read, parsed and walked once in a process."""

import ast
import tokenize
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "handbill"
TESTS = ROOT / "tests"


@cache
def modules_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def sources() -> list[Path]:
    """Every module of the package."""
    return modules_in(SOURCE)


@cache
def text_of(path: Path) -> str:
    return path.read_text("utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path), str(path))


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """All of a module's nodes, in the order of ``ast.walk``."""
    return list(ast.walk(tree_of(path)))


@cache
def code_of(path: Path) -> list[tuple[int, str]]:
    """Each line's code by number, without comments and text."""
    lines: dict[int, list[str]] = {}
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type in {tokenize.NAME, tokenize.OP, tokenize.NUMBER}:
                lines.setdefault(token.start[0], []).append(token.string)
    return [
        (
            number,
            "".join(
                f" {part}" if part.isidentifier() and at and parts[at - 1].isidentifier() else part
                for at, part in enumerate(parts)
            ),
        )
        for number, parts in sorted(lines.items())
    ]
