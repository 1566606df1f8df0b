"""Tables as files for spreadsheets."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.responses import Response

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_FORMULA = re.compile(r"\s*[=+@-]|[\t\r\n]")


def csv_file(name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A download. A text that a spreadsheet would take for a formula begins with an apostrophe;
    numbers are exact.
    """
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(heading)
    writer.writerows([_cell(value) for value in row] for row in rows)
    shown = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(made.getvalue(), media_type="text/csv; charset=utf-8", headers=shown)


def _cell(value: Any) -> Any:
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}" if _FORMULA.match(value) else value
