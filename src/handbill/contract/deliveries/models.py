"""Deliveries of publishers' files by FTP, as they are answered."""

from typing import Literal

from pydantic import Field

from handbill.contract.envelopes import Page
from handbill.wire.fields import Instant
from handbill.wire.models import Model


class Delivery(Model):
    """The last delivery of one of a publisher's files."""

    client_id: str | None = Field(
        alias="clientId", description="Client of the file. Null: the file of all clients."
    )
    path: str = Field(description="Path of the file on the FTP server.")
    state: Literal["WAITING", "DELIVERED", "RETRYING", "FAILED"] = Field(
        description="Result of the last attempt. WAITING: none yet. RETRYING: it failed and will "
        "be tried again. FAILED: it is not tried again until the file or the settings change, or "
        "a delivery is requested.",
    )
    current: bool = Field(description="Whether the delivered file is the current one.")
    size: int | None = Field(
        alias="bytes", description="Size in bytes of the last delivered file. Null: none."
    )
    tried_at: Instant | None = Field(
        alias="at", description="Time of the last attempt. Null: none yet."
    )
    delivered_at: Instant | None = Field(
        alias="deliveredOn", description="When the file was last delivered. Null: never."
    )
    failure: str | None = Field(description="Why the last attempt failed. Null: it succeeded.")


class DeliveryPage(Page[Delivery]):
    """A publisher's deliveries, by client."""
