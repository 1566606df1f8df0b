"""Conversions from server to server: trusted by their click id, and durable before the answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from handbill.core.listing_tokens import SealedClick, open_click
from handbill.core.received import conversion_of, encode
from handbill.core.spelled_tokens import ForeignToken
from handbill.kit.faults import Fault, bad_request
from handbill.kit.instants import Instant

_SOURCE = "s2s"


class Reported(Protocol):
    """One conversion as the caller reports it. ``action``: 1 VIEW, 2 APPLY_START, 3 APPLY."""

    click_id: str
    action: int
    candidate_id: str
    application_id: str


def take(
    reported: Sequence[Reported],
    client_no: int,
    keys: Mapping[int, bytes],
    now: Instant,
    append: Callable[[bytes], None],
) -> None:
    """Make the conversions durable, all or none of them, as one record of the journal.

    Only the judge decides whose click it is, and whether it is known, in time, or a repeat, so that
    the answer reveals none of it. **Refuses** (400) click ids that we have not signed, naming every
    one. **Source**: contract 5.
    """
    faults: list[Fault] = []
    clicks: list[SealedClick] = []
    for n, conversion in enumerate(reported):
        try:
            clicks.append(open_click(conversion.click_id, keys))
        except ForeignToken:
            faults.append(Fault(f"{n}.click_id", "is not a valid click id"))
    if faults:
        raise bad_request(faults)
    append(
        encode(
            [
                conversion_of(
                    click,
                    now,
                    client_no,
                    report.action,
                    _SOURCE,
                    report.candidate_id,
                    report.application_id,
                )
                for click, report in zip(clicks, reported, strict=True)
            ]
        )
    )
