"""Entries of the ledger, as they are read from their files."""

from typing import NamedTuple

from handbill.kit.instants import Instant


class Fact(NamedTuple):
    """An entry of the ledger, as it is in its file."""

    id: bytes
    at: Instant
    kind: str
    disposition: str
    client_no: int
    campaign_no: int
    group_no: int
    publisher_no: int
    job_id: str
    bid_type: str
    charge_micros: int
    spend_micros: int
    marked_micros: int
    source: str


QUOTED = ", ".join(f'"{name}"' for name in Fact._fields)
