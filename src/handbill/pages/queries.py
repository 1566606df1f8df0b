"""What the query of a page says."""

from starlette.requests import Request

_MOST_DIGITS = 9
_USUAL_DAYS = 30
_MOST_PAGE = 100_000
MOST_DAYS = 400
"""Of figures by day."""
MOST_DAYS_OF_STATS = 60
"""Of a question about stats."""


def days_in(request: Request, most: int = MOST_DAYS) -> int:
    """How many days a page is asked for."""
    return whole_in(request, "days", _USUAL_DAYS, 1, most)


def page_in(request: Request) -> int:
    """Which page of a list is asked for; 0 is the first."""
    return whole_in(request, "page", 0, 0, _MOST_PAGE)


def whole_in(request: Request, name: str, usual: int, least: int, most: int) -> int:
    """A whole number of the query, within its limits; the usual one where there is none."""
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        return usual
    return min(max(int(text), least), most)
