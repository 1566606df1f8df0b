"""Which lane a request takes, and whose turn it is there: by agency, within bounds.

The event loop itself is a lane: each of its turns does one request, of the owners in turn.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from starlette.datastructures import Headers

from handbill.host.settings import Settings
from handbill.http.aside import Deputy
from handbill.http.operations import Caller, Lane, Operation
from handbill.http.turns import Bounds
from handbill.http.turns import Lane as Turned
from handbill.kit.addresses import network_of

LONG = 100
"""A list with a larger limit is bulk."""
_LIMIT = re.compile(rb"(?:^|&)limit=0*([1-9][0-9]{0,3})(?:&|$)")
_MOST_KNOWN = 65_536
_WAIT_SECONDS = 10.0
_WAITING_EACH, _WAITING = 1_024, 16_384  # of quick work; one address may have fewer under way
_BULK_PLACES = 2
_THREAD_PLACES, _THREADS_EACH = 8, 4
_BODY_PLACES = 2
_PROOF_PLACES, _PROOFS_WAITING_EACH, _PROOFS_WAITING = 2, 8, 64  # of 50 ms and 19 MiB each
OUTWARD_PLACES = 8
_OUTWARD_EACH, _OUTWARD_WAITING_EACH = 4, 16  # who waits for another server takes no processor
Deputies = Mapping[Lane, Sequence[Deputy]]


def lane_of(operation: Operation, query: bytes) -> Lane:
    """The lane of a request."""
    if operation.lane != "quick" or operation.verb != "GET":
        return operation.lane
    limit = _LIMIT.search(query)
    return "bulk" if limit is not None and int(limit[1]) > LONG else "quick"


def bounds_of(settings: Settings) -> dict[Lane, Bounds]:
    """The limits of work in deputies. No agency can take all places, if there is more than one."""
    lookups, waiting = settings.lookups_at_once, settings.lookups_waiting
    streams = settings.streams_at_once
    return {
        "bulk": Bounds(_BULK_PLACES, 1, _WAITING_EACH, _WAITING),
        "slow": Bounds(lookups, max(1, lookups // 2), waiting, 8 * waiting),
        "stream": Bounds(streams, max(1, streams // 2), 0, 0),
    }


class Lanes:
    """The lanes of one process. ``of``: lanes for deputies, where there are any."""

    def __init__(self, settings: Settings, deputies: Deputies) -> None:
        bounds = bounds_of(settings)
        quick = "requests of this agency"
        self.loop = Turned(quick, Bounds(1, 1, _WAITING_EACH, _WAITING))
        self.threads = Turned(quick, Bounds(_THREAD_PLACES, _THREADS_EACH, _WAITING_EACH, _WAITING))
        # Computing threads take the interpreter from the loop, each as often as it needs it.
        self.bodies = Turned(quick, Bounds(_BODY_PLACES, 1, _WAITING_EACH, _WAITING))
        proofs = Bounds(_PROOF_PLACES, 1, _PROOFS_WAITING_EACH, _PROOFS_WAITING)
        self.proofs = Turned("sign-ins", proofs, _WAIT_SECONDS)
        outward = Bounds(OUTWARD_PLACES, _OUTWARD_EACH, _OUTWARD_WAITING_EACH, _PROOFS_WAITING)
        self.outward = Turned("sign-ins", outward, _WAIT_SECONDS)
        self.of: Mapping[Lane, Turned] = {
            "bulk": Turned(quick, bounds["bulk"]),
            "slow": Turned("slow look-ups", bounds["slow"], _WAIT_SECONDS),
            "stream": Turned("streams", bounds["stream"]),
        }
        self._deputies = deputies

    def deputy(self, lane: Lane) -> Deputy | None:
        """The deputy with the least work; None where the work is done in this process."""
        return min(self._deputies.get(lane, ()), key=lambda one: one.load, default=None)

    def begin(self) -> None:
        """Start all deputies."""
        for deputy in self._every():
            deputy.begin()

    def close(self) -> None:
        for deputy in self._every():
            deputy.close()

    def _every(self) -> Iterable[Deputy]:
        return [deputy for some in self._deputies.values() for deputy in some]


class Owners:
    """Who is calling, before the gates have decided: a key that has passed them is recognised by
    its digest; all strangers of one address are one owner. It grants nothing.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, str] = OrderedDict()

    def of(self, sender: bytes, peer: str) -> str:
        """``sender``: what ``sender_of`` makes of the headers."""
        known = self._known.get(sender)
        return known if known is not None else f"stranger:{network_of(peer)}"

    def learn(self, sender: bytes, caller: Caller) -> None:
        """Remember whose key it was."""
        if sender not in self._known:
            self._known[sender] = caller.name
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)


def sender_of(headers: Headers) -> bytes:
    """The digest of the key or session that was sent."""
    given = headers.get("x-api-key") or headers.get("authorization", "")
    return hashlib.blake2b(given.encode(), digest_size=16).digest()
