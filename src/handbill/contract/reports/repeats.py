"""How callers learn that a report is one that was asked for before, and how they get a new one."""

from typing import Final

from handbill.http.operations import Call

REPEATED: Final = {"report-repeated": "true"}
TOLD: Final = (
    "The same request within 60 seconds returns the same report, with the header Report-Repeated: "
    "true. To have a new report made in any case, send a new Idempotency-Key."
)


def wants_new(call: Call) -> bool:
    """Whether the caller tells retries from wishes itself: then each wish is for a new report."""
    return bool(call.headers.get("idempotency-key"))


def headers_of(*, is_repeated: bool) -> dict[str, str]:
    return REPEATED if is_repeated else {}
