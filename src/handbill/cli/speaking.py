"""What all commands share: their options, the settings in force, and how they answer."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer._click.globals import get_current_context

from handbill.config import Configured, configure
from handbill.core.trail import Occasion
from handbill.host.acting import acting, user
from handbill.host.settings import Settings
from handbill.kit.faults import Fault, Refused, bad_request
from handbill.kit.jsons import NotJson, decode, encode

if TYPE_CHECKING:
    from handbill.wire.bodies import OneOrMany
    from handbill.wire.models import Model

DataOption = Annotated[
    str | None,
    typer.Option(
        "--data", metavar="DIR", help="The data folder (default: HANDBILL_DATA, or data)."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


_MOST_BODY = 1_000_000


class Mistaken(Exception):
    """The user asked for what cannot be. The message says what to do next."""


class Misspoken(Mistaken):
    """The words themselves are wrong, whatever there is: the message says the right ones."""


def configured(**flags: Any) -> Configured:
    """The settings, with the flags that were given. **Refuses** bad ones (BadSettings)."""
    return configure(os.environ, Path.cwd(), flags)


def settings_with(**flags: Any) -> Settings:
    return configured(**flags).settings


def act() -> None:
    """Let the changes of this command be told as its user's, until it ends. Where no command was
    given, but its function called, whoever called it acts.
    """
    context = get_current_context(silent=True)
    if context is None:
        return
    words, at = list[str](), context
    while at.parent is not None:  # the outermost is the program, however it was started
        words.insert(0, at.info_name or "")
        at = at.parent
    context.with_resource(acting(Occasion("CLI", user(), cause=" ".join(words))))


def say(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one result: an object as JSON, or a line per name."""
    if as_json:
        say_lines([encode(result)])
        return
    width = max(map(len, result), default=0)
    for name, value in result.items():
        sys.stdout.write(f"{name:<{width}}  {_cell(value)}".rstrip() + "\n")


def _cell(value: Any) -> str:
    """A value for people: text as it is, nothing as a dash, all else as JSON."""
    if value is None:
        return "-"
    return _shown(value if isinstance(value, str) else encode(value).decode())


def _shown(text: str) -> str:
    """The text with an escape for each character that would steer the terminal or turn the line:
    names come from agencies.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\xa0" else char.encode("unicode_escape").decode()
        for char in text
    )


def bytes_in(source: str) -> bytes:
    """What a file holds, or standard input (-). **Refuses** what cannot be read (Mistaken), and too
    much (Misspoken).
    """
    try:
        raw = sys.stdin.buffer.read(_MOST_BODY + 1) if source == "-" else _read(Path(source))
    except OSError as missing:
        raise Mistaken(f"{source} cannot be read ({missing.strerror})") from missing
    if len(raw) > _MOST_BODY:
        raise Misspoken(f"{source} has more than {_MOST_BODY} bytes")
    return raw


def body_in(source: str) -> Any:
    """The JSON of a file, or of standard input (-). **Refuses** what cannot be read (Mistaken)."""
    try:
        return decode(bytes_in(source))
    except NotJson as bad:
        raise Misspoken(f"{source} {bad}") from bad


def read_body(rows: "type[Model] | OneOrMany", body: Any, message: str) -> Any:
    """A body as the API reads it. **Refuses** (400) with every fault gathered."""
    faults: list[Fault] = []
    given = rows.read(body, "", faults)
    if faults:
        raise bad_request(faults, message)
    return given


@contextmanager
def told_of(body: "Model") -> Iterator[None]:
    """Faults are printed with JSON pointers into the body, as in the API."""
    from handbill.wire.pointers import pointed_out

    try:
        yield
    except Refused as refused:
        raise pointed_out(refused, body) from None


def decimal_in(text: str, option: str) -> Decimal:
    """The number that an option says. **Refuses** what is none (Misspoken)."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise Misspoken(f"{option} {text!r} is not a number, such as 12.5")
    return number


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_BODY + 1)


def say_rows(rows: Sequence[Mapping[str, Any]], names: Sequence[str], *, as_json: bool) -> None:
    """Print a list: ``{"data": […]}`` as the API answers it, or columns under their names."""
    if as_json:
        say({"data": list(rows)}, as_json=True)
        return
    lines = [list(names)]
    lines += [[_cell(row[name]) for name in names] for row in rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def say_lines(lines: Iterable[bytes]) -> None:
    """Print lines that are ready made, in bounded memory."""
    out = sys.stdout.buffer
    for line in lines:
        out.write(line)
        out.write(b"\n")
    out.flush()


def warn(message: str) -> None:
    sys.stderr.write("\n".join(map(_shown, message.split("\n"))) + "\n")
