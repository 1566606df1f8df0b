"""What rules keep from being listed, by what their runs say."""

from collections import defaultdict
from collections.abc import Iterable

from handbill.kit.instants import Instant

Thing = tuple[str, str, str]
"""Its level and id; for a placement also the publisher's id."""


class HoldLog:
    """All holds, and when each thing was last held or let go."""

    def __init__(self) -> None:
        self._runs: dict[Thing, dict[str, str]] = defaultdict(dict)
        """The runs that hold it, by their rules."""
        self._changed_at: dict[Thing, Instant] = {}

    def hold(self, thing: Thing, rule_id: str, run_id: str, at: Instant) -> bool:
        """Whether the rule has not held it before."""
        is_new = rule_id not in self._runs[thing]
        self._runs[thing][rule_id] = run_id
        self._changed_at[thing] = at
        return is_new

    def lift(
        self, at: Instant, *, thing: Thing | None = None, rule: str = "", run: str = ""
    ) -> int:
        """Lift the holds of a thing, of a rule or of a run, as far as they are named; how many."""
        holds = [
            (one, rule_id)
            for one, its in self._runs.items()
            for rule_id, run_id in its.items()
            if thing in {None, one} and rule in {"", rule_id} and run in {"", run_id}
        ]
        for one, rule_id in holds:
            del self._runs[one][rule_id]
            self._changed_at[one] = at
        return len(holds)

    def every(self) -> set[tuple[Thing, str, str]]:
        """Each with its rule and its run."""
        return {(one, *by) for one, its in self._runs.items() for by in its.items()}

    def keeps(self, some: Iterable[Thing], at: Instant, within: Instant) -> bool:
        """Whether any of these is held at an instant, and has been for so long."""
        return any(self._runs.get(one) and at - self._changed_at[one] >= within for one in some)
