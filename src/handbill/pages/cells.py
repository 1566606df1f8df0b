"""Cells of tables: each names its column, so that a narrow screen shows a row as a list."""

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

_PART = re.compile(r"<(tr|th|td)\b([^>]*)>")


def titled(rows: Markup, columns: Sequence[tuple[str, str]]) -> Markup:
    """Rows of a table with each column's title at its cells; a cell that spans columns has none.
    In ``rows`` every text is escaped, so that whatever looks like a tag is one of ours.
    """
    place = 0

    def named(found: re.Match[str]) -> str:
        nonlocal place
        name, rest = found.groups()
        if name == "tr":
            place = 0
            return found[0]
        title = columns[place][0] if place < len(columns) else ""
        place += 1
        is_named = title and name == "td" and "colspan" not in rest
        return f'<td{rest} data-title="{escape(title)}">' if is_named else found[0]

    return Markup(_PART.sub(named, rows))  # noqa: S704 - made of escaped text and our own tags
