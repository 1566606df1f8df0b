"""What the query of a page says."""

from starlette.requests import Request

_MOST_DIGITS = 9


def whole_in(request: Request, name: str, usual: int, least: int, most: int) -> int:
    """A whole number of the query, within its limits; the usual one where there is none."""
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        return usual
    return min(max(int(text), least), most)
