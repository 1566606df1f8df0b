"""How often a name may fail: so many times a minute. In memory, bounded, lost with the process."""

from collections import OrderedDict

from handbill.kit.instants import MINUTE, Instant

_MOST_KNOWN = 65_536  # addresses, and as many prefixes: about 10 MB each


class Buckets:
    """Allows each name so many failures a minute. A name that has not failed is not stored."""

    def __init__(self, per_minute: int, most: int = _MOST_KNOWN) -> None:
        self._cost = MINUTE // per_minute
        self._most = most
        self._full_until: OrderedDict[str, Instant] = OrderedDict()

    def fail(self, name: str, now: Instant) -> None:
        """Note a failure. Of too many names, the one that failed longest ago is forgotten."""
        self._full_until[name] = max(now, self._full_until.get(name, now)) + self._cost
        self._full_until.move_to_end(name)
        if len(self._full_until) > self._most:
            self._full_until.popitem(last=False)

    def wait(self, name: str, now: Instant) -> Instant:
        """How long the name has to wait until it may fail again; 0 when it need not wait."""
        return max(0, self._full_until.get(name, now) + self._cost - now - MINUTE)

    def has_failed(self, name: str, now: Instant) -> bool:
        """Whether the name has failed lately."""
        return self._full_until.get(name, now) > now
