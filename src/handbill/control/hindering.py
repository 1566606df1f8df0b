"""What may keep a cap from being used up: causes above it, below it, and its own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from handbill.core.in_force import Key, Thing
from handbill.core.nouns import Group
from handbill.core.pacing.caps import Felt
from handbill.core.pacing.outlook import Unspent
from handbill.core.standing.capping import CapKey
from handbill.core.standing.reasons import CAPS, PLAIN, Code, Resolved

_OF_OTHERS: Final = CAPS | {Code.JOBS_CAPPED, Code.NONE_BELOW}
_HELD: Final = frozenset({Felt.PACED, Felt.BRAKING, Felt.STOPPED})


@dataclass(slots=True)
class Hindrances:
    """One look at a client. ``felt``: what each cap does; ``aimed``: the job groups and publishers
    where bids are lowered for a target; ``groups``: by number, and ``standings``: by entity.
    """

    client_no: int
    groups: Mapping[int, Group]
    felt: Mapping[CapKey, Felt]
    standings: Mapping[Thing, Resolved]
    aimed: Iterable[Key]
    at: dict[Thing, dict[CapKey, Felt]] = field(default_factory=dict)
    below: set[Thing] = field(default_factory=set)
    """Entities with a cap below them that stops, brakes or paces."""
    spent: set[Thing] = field(default_factory=set)
    """Entities with jobs, at them or below, that are stopped by caps of their own."""
    targeted: set[Thing] = field(default_factory=set)

    def __post_init__(self) -> None:
        for key, felt in self.felt.items():
            if felt in _HELD:
                self.at.setdefault(key[:2], {})[key] = felt
                self.below.update(self.over(key[:2]))
        for thing, one in self.standings.items():
            if any(it.code is Code.JOBS_CAPPED for it in one.all_reasons):
                self.spent.update((thing, *self.over(thing)))
        for group_no, publisher_no in self.aimed:
            place: Thing = ("placement", f"{group_no}/{publisher_no}")
            self.targeted.update((place, *self.over(place)))

    def of(self, key: CapKey) -> Iterator[Unspent]:
        """What hinders one cap, except a late start."""
        thing, own = key[:2], self.felt.get(key, Felt.FULL)
        if self._is_idle(thing):
            yield Unspent.NOT_TRADING
        above = {felt for at in (thing, *self.over(thing)) for felt in self._others(at, key)}
        if Felt.STOPPED in above:
            yield Unspent.STOPPED_ABOVE
        elif above:
            yield Unspent.PACED_ABOVE
        if thing in self.below:
            yield Unspent.CAPPED_BELOW
        if thing in self.spent:
            yield Unspent.JOBS_CAPPED
        if thing in self.targeted:
            yield Unspent.TARGET
        if own in _HELD:
            yield Unspent.PACED

    def over(self, thing: Thing) -> Iterator[Thing]:
        """The entities above one, its client last."""
        scope, entity = thing
        first, _, publisher_no = entity.partition("/")
        campaign_no: int | str = first
        if scope in {"group", "placement"}:
            group = self.groups.get(int(first))
            campaign_no = group.campaign_no if group else 0
        if scope == "placement":
            yield "group", first
            yield "campaign_placement", f"{campaign_no}/{publisher_no}"
        if scope not in {"client", "campaign"}:
            yield "campaign", f"{campaign_no}"
        if scope != "client":
            yield "client", f"{self.client_no}"

    def _others(self, thing: Thing, key: CapKey) -> Iterator[Felt]:
        yield from (felt for cap, felt in self.at.get(thing, {}).items() if cap != key)

    def _is_idle(self, thing: Thing) -> bool:
        """Whether it is stopped for a cause other than a cap."""
        reasons = [one for one in self.standings.get(thing, PLAIN).all_reasons if one.blocking]
        if any(one.code not in _OF_OTHERS for one in reasons):
            return True
        return thing not in self.below and any(one.code is Code.NONE_BELOW for one in reasons)
