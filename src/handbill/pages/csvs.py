"""Tables as files for spreadsheets."""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from starlette.responses import Response, StreamingResponse

from handbill.kit.cells import csv_cell

_TYPE = "text/csv; charset=utf-8"
_AT_ONCE = 1_000
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def csv_file(name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A download. A text that a spreadsheet would take for a formula begins with an apostrophe;
    numbers are exact.
    """
    made = "".join(map(_line, (heading, *rows)))
    return Response(made, media_type=_TYPE, headers=_shown(name))


def csv_stream(
    name: str, heading: Sequence[str], rows: AsyncIterator[Sequence[Any]]
) -> StreamingResponse:
    """The same, sent while it is made: of any size, in bounded memory."""

    async def parts() -> AsyncIterator[str]:
        lines = [_line(heading)]
        async for row in rows:
            lines.append(_line(row))
            if len(lines) >= _AT_ONCE:
                yield "".join(lines)
                lines.clear()
        yield "".join(lines)

    return StreamingResponse(parts(), media_type=_TYPE, headers=_shown(name))


def _shown(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}.csv"'}


def _line(row: Sequence[Any]) -> str:
    return ",".join(map(_cell, row)) + "\r\n"


def _cell(value: Any) -> str:
    is_number = isinstance(value, str) and _NUMBER.fullmatch(value)
    return str(value) if is_number else csv_cell(value)
