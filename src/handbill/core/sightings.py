"""What the judge saw of a click, as its entry keeps it: what its link froze, the amounts that
counted, and the evidence that it was classed by, as far as that may be kept.

So a click can be classed again without its address. **Source**: docs/decisions/0059.
"""

from typing import Final

import msgspec

from handbill.core.rates import UNQUOTED, Quote
from handbill.kit.instants import Instant

UNLOOKED: Final = -1
"""It was not looked at, as no rule needed it."""


class Sighting(msgspec.Struct, array_like=True, frozen=True, gc=False, kw_only=True):
    """``bid_micros``, ``price_micros`` and ``quote`` are the link's; ``counted_*`` are the click's.
    ``foreign``: in what respect it is from outside its job's country, state or city; None: not
    checked. ``listed``: whether its address was on the definition's list. The others are as in
    ``click_definitions.Evidence``.
    """

    bid_micros: int
    price_micros: int
    counted_bid_micros: int
    counted_price_micros: int
    left_at: Instant | None = None
    replaced_at: Instant | None = None
    forgotten: bool = False
    ahead: str = ""
    agent_is_bot: str = ""
    listed: int = UNLOOKED
    clicks_before: int = UNLOOKED
    foreign: str | None = None
    quote: Quote = UNQUOTED


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Sighting)


def encode(sighting: Sighting) -> bytes:
    return _ENCODER.encode(sighting)


def decode(raw: bytes) -> Sighting | None:
    """The sighting; None if the entry has none: it is of no click, or older than this feature."""
    return _DECODER.decode(raw) if raw else None
