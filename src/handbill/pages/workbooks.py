"""Tables as Excel workbooks."""

import asyncio
import io
from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_WIDTH = 16
_AMOUNT = "#,##0.00"
_MOST_LETTERS = 32_767  # of a cell


async def workbook_file(
    name: str, heading: Sequence[str], rows: Sequence[Sequence[Any]], amounts: frozenset[str]
) -> Response:
    """A download of one sheet. ``amounts``: the columns that are shown to the cent. Texts are
    texts, also those that look like formulas; None is an empty cell.
    """
    made = await asyncio.to_thread(_made, heading, rows, amounts)
    shown = {"content-disposition": f'attachment; filename="{name}.xlsx"'}
    return Response(made, media_type=_TYPE, headers=shown)


def _made(heading: Sequence[str], rows: Sequence[Sequence[Any]], amounts: frozenset[str]) -> bytes:
    from xlsxwriter import Workbook  # read with the first one

    made = io.BytesIO()
    with Workbook(made, _OPTIONS) as book:
        sheet = book.add_worksheet()
        head, amount = book.add_format({"bold": True}), book.add_format({"num_format": _AMOUNT})
        for column, title in enumerate(heading):
            sheet.set_column(column, column, _WIDTH, amount if title in amounts else None)
            sheet.write_string(0, column, title, head)
        for place, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(place, column, value[:_MOST_LETTERS])
                elif value is not None:
                    sheet.write_number(place, column, value)
        sheet.freeze_panes(1, 0)
    return made.getvalue()
