"""Tables as Excel workbooks."""

import asyncio
import io
from collections.abc import Sequence
from datetime import date
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
_DAY = "yyyy-mm-dd"
_MOST_LETTERS = 32_767  # of a cell


async def workbook_file(
    name: str,
    heading: Sequence[str],
    rows: Sequence[Sequence[Any]],
    amounts: frozenset[str],
    currency: str,
) -> Response:
    """A download of one sheet. ``amounts``: the columns in this currency, which their heading
    names; they are shown to the cent. Texts are texts, also those that look like formulas, except
    days in the column Day; None is an empty cell.
    """
    made = await asyncio.to_thread(_made, heading, rows, amounts, currency)
    shown = {"content-disposition": f'attachment; filename="{name}.xlsx"'}
    return Response(made, media_type=_TYPE, headers=shown)


def _made(
    heading: Sequence[str], rows: Sequence[Sequence[Any]], amounts: frozenset[str], currency: str
) -> bytes:
    from xlsxwriter import Workbook  # read with the first one

    made = io.BytesIO()
    with Workbook(made, _OPTIONS) as book:
        sheet = book.add_worksheet()
        head, amount, day = (
            book.add_format(how)
            for how in ({"bold": True}, {"num_format": _AMOUNT}, {"num_format": _DAY})
        )
        for column, title in enumerate(heading):
            sheet.set_column(column, column, _WIDTH, amount if title in amounts else None)
            label = f"{title} ({currency})" if title in amounts else title
            sheet.write_string(0, column, label, head)
        for place, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if heading[column] == "Day" and isinstance(value, str):
                    sheet.write_datetime(place, column, date.fromisoformat(value), day)
                elif isinstance(value, str):
                    sheet.write_string(place, column, value[:_MOST_LETTERS])
                elif value is not None:
                    sheet.write_number(place, column, value)
        sheet.freeze_panes(1, 0)
    return made.getvalue()
