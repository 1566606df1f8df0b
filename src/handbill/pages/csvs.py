"""Tables as files for spreadsheets."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.responses import Response

from handbill.kit.cells import csv_cell

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def csv_file(name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A download. A text that a spreadsheet would take for a formula begins with an apostrophe;
    numbers are exact.
    """
    made = "".join(",".join(map(_cell, row)) + "\r\n" for row in (heading, *rows))
    shown = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(made, media_type="text/csv; charset=utf-8", headers=shown)


def _cell(value: Any) -> str:
    is_number = isinstance(value, str) and _NUMBER.fullmatch(value)
    return str(value) if is_number else csv_cell(value)
