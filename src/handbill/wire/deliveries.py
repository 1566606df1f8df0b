"""Deliveries of a publisher's files by FTP, as they are answered: an addition to the contract."""

from typing import Any

from handbill.kit.instants import Instant, iso_of
from handbill.wire.shapes import Schema
from handbill.wire.spelling import FLAG, INSTANT, TEXT, WHOLE, described, nullable, whole


def spell_delivery(
    *, client_id: str | None, path: str, state: str, current: bool, size: int | None,
    tried_at: Instant | None, delivered_at: Instant | None, failure: str | None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "clientId": client_id,
        "path": path,
        "state": state,
        "current": current,
        "bytes": size,
        "at": None if tried_at is None else iso_of(tried_at),
        "deliveredOn": None if delivered_at is None else iso_of(delivered_at),
        "failure": failure,
    }


DELIVERY: Schema = whole(
    {
        "clientId": described(nullable(TEXT), "Client of the file; null: that of all clients."),
        "path": described(TEXT, "Where the file goes on the FTP server."),
        "state": described(
            {"enum": ["WAITING", "DELIVERED", "RETRYING", "FAILED"]},
            "What came of the last try: none yet, delivered, failed and tried again by itself, or "
            "failed until the file or the settings change or it is asked for.",
        ),
        "current": described(FLAG, "Whether what was last delivered is the file as it is now."),
        "bytes": described(nullable(WHOLE), "Size of what was last delivered."),
        "at": described(nullable(INSTANT), "When the last try ended; null: there was none."),
        "deliveredOn": described(nullable(INSTANT), "When it was last delivered; null: never."),
        "failure": described(nullable(TEXT), "Why the last try failed, in words."),
    }
)
SAMPLE = {
    "data": [
        spell_delivery(
            client_id=None, path="ripple.xml", state="DELIVERED", current=True, size=48_213,
            tried_at=1_575_021_600_000_000, delivered_at=1_575_021_600_000_000, failure=None,
        )
    ]
}  # fmt: skip
