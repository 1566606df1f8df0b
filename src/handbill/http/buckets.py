"""How often a name may fail within a time. In memory, bounded, lost with the process."""

from collections import Counter, OrderedDict
from threading import Lock

from handbill.kit.instants import HOUR, MINUTE, Instant

_FROM_A_NETWORK, _FROM_ANYWHERE, _CODES = 10, 100, 10
_OUTWARD = 3
_MOST_KNOWN = 65_536  # addresses, and as many prefixes: about 10 MB each


class Buckets:
    """Allows each name so many failures a minute, or within another time. A name that has not
    failed is not stored.
    """

    def __init__(self, failures: int, most: int = _MOST_KNOWN, *, within: Instant = MINUTE) -> None:
        self._cost, self._within = within // failures, within
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
        return max(0, self._full_until.get(name, now) + self._cost - now - self._within)

    def has_failed(self, name: str, now: Instant) -> bool:
        """Whether the name has failed lately."""
        return self._full_until.get(name, now) > now


class OpenPlaces:
    """How many of a name may be under way at a time; shared by threads."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    def take(self, name: str) -> bool:
        """Take a place; False: all are taken."""
        with self._lock:
            if self._taken[name] >= self._each:
                return False
            self._taken[name] += 1
            return True

    def leave(self, name: str) -> None:
        with self._lock:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]


class SignIns:
    """Failed sign-ins of a mail address: ten a minute from one network, and a hundred in all, so
    that nobody keeps a person out from a network or two.

    ``codes``: of a person whose password was right, ten wrong codes an hour: a code is short.
    ``outward``: requests under way to an agency's own provider: a slow one takes only few places.
    """

    def __init__(self) -> None:
        self._of_networks = Buckets(_FROM_A_NETWORK)
        self._of_all = Buckets(_FROM_ANYWHERE)
        self.outward = OpenPlaces(_OUTWARD)
        self.codes = Buckets(_CODES, within=HOUR)

    def fail(self, mail: str, network: str, now: Instant) -> None:
        """Note a failed sign-in."""
        self._of_networks.fail(f"{mail} {network}", now)
        self._of_all.fail(mail, now)

    def wait(self, mail: str, network: str, now: Instant) -> Instant:
        """How long the address has to wait, in this network; 0 when it need not wait."""
        narrow = self._of_networks.wait(f"{mail} {network}", now)
        return max(narrow, self._of_all.wait(mail, now))
