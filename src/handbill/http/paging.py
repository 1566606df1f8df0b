"""Pages: skip and limit from the query, and RFC 8288 links, so that callers compute none."""

from urllib.parse import urlencode

from handbill.http.operations import Answer, Call

_MOST_SKIPPED = 2**31 - 1
"""No list is longer, and the engines accept no larger number."""


def skip_and_limit(call: Call, first: int = 0) -> tuple[int, int]:
    """How many rows to skip, and how many to return. ``first``: the number of the first page."""
    limit: int = call.query.limit
    return min((call.query.page - first) * limit, _MOST_SKIPPED), limit


def with_links(call: Call, body: object, total: int, first: int = 0) -> Answer:
    """The body with a ``Link`` header: always first; prev and next where there is such a page."""
    page, limit = call.query.page, call.query.limit
    links = {"first": first}
    if page > first:
        last = first + max(0, (total - 1) // limit)
        links["prev"] = min(page - 1, last)
    if (page - first + 1) * limit < total:
        links["next"] = page + 1
    rest = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in call.query.told().items()
        if name not in {"page", "limit"}
    }

    def url(number: int) -> str:
        query = urlencode(rest | {"page": number, "limit": limit})
        return f"{call.url}?{query}"

    header = ", ".join(f'<{url(number)}>; rel="{rel}"' for rel, number in links.items())
    return Answer(body, headers={"link": header})
