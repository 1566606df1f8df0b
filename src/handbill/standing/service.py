"""What is in force for a client; written by control alone, at its ticks, all or nothing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from handbill.core.in_force import Ceiling, Evaluation, InForce, Key, Paced, Standing, Thing
from handbill.core.standing.reasons import PLAIN, Resolved
from handbill.kit.faults import Unavailable
from handbill.kit.instants import Instant
from handbill.kit.money import PPM
from handbill.standing import rows
from handbill.store.records import Tx

_RESOLVED = msgspec.json.Decoder(Resolved)
_NEVER = Evaluation(0, 0, "")


class Decided(NamedTuple):
    """All that is to be in force for a client: what is not in it is plainly ACTIVE and FULL."""

    standings: Mapping[Thing, Standing]
    paced: Mapping[Key, Paced]
    ceilings: Sequence[Ceiling]


def evaluation_of(tx: Tx, client_no: int) -> Evaluation:
    """When the client was looked at last; number 0: never."""
    return rows.evaluation(tx, client_no) or _NEVER


class Former(NamedTuple):
    """What is in force for a client until something else is. ``was``: when it was looked at last,
    number 0: never.
    """

    was: Evaluation
    standings: Mapping[Thing, Standing]
    paced: Mapping[Key, Paced]


def former_of(tx: Tx, client_no: int) -> Former:
    """What is in force for a client now."""
    was = evaluation_of(tx, client_no)
    return Former(was, rows.standings_of(tx, client_no), rows.paced_of(tx, client_no))


def evaluations(tx: Tx) -> dict[int, Evaluation]:
    """The same of all clients that ever were."""
    return rows.evaluations_of_all(tx)


def standings_of(tx: Tx, client_no: int) -> dict[Thing, Standing]:
    """All of a client that is not plainly ACTIVE and FULL."""
    return rows.standings_of(tx, client_no)


def resolved_of(tx: Tx, client_no: int) -> dict[Thing, Resolved]:
    """The same, with the reasons of each."""
    found = rows.standings_of(tx, client_no).items()
    return {thing: resolved_in(one) for thing, one in found}


def of_clients(tx: Tx, client_nos: Collection[int]) -> dict[int, Resolved]:
    """How each of these clients stands itself."""
    found = rows.standings_of_clients(tx, client_nos)
    return {no: resolved_in(found[no]) if no in found else PLAIN for no in client_nos}


def resolved_in(one: Standing) -> Resolved:
    """All that is told of how a thing stands."""
    return _RESOLVED.decode(one.resolved)


def paced_of(tx: Tx, client_no: int) -> dict[Key, Paced]:
    """What is decided of bids and jobs, by job group and publisher."""
    return rows.paced_of(tx, client_no)


def aimed_at(tx: Tx, client_no: int) -> set[Key]:
    """Where bids are lowered although no cap binds: for a target."""
    return rows.aimed_at(tx, client_no)


def clients_decided(tx: Tx, publisher_no: int, before: Instant) -> set[int]:
    """The clients of which something at a publisher was decided last before an instant."""
    return rows.clients_decided(tx, publisher_no, before)


def in_force(tx: Tx, client_no: int) -> InForce:
    """What the client's listings follow."""
    found = rows.standings_of(tx, client_no)
    stopped = frozenset(thing for thing, one in found.items() if one.capped)
    return InForce(stopped, rows.paced_of(tx, client_no))


def ceilings_of(tx: Tx, client_no: int) -> list[Ceiling]:
    """All ceilings of a client's days that are kept."""
    return rows.ceilings_of(tx, client_no)


def ceilings_since(tx: Tx, client_nos: Iterable[int], day: date) -> dict[int, list[Ceiling]]:
    """The ceilings of these clients, of a day on."""
    found: dict[int, list[Ceiling]] = {}
    for client_no, one in rows.ceilings_since(tx, sorted(client_nos), day.isoformat()):
        found.setdefault(client_no, []).append(one)
    return found


def replace(
    tx: Tx, client_no: int, former: Former, now: Instant, day_on: str, decided: Decided
) -> bool:
    """Let this be in force from now on; whether listings are to follow. Rows that say the same are
    not written.

    ``former``: what was in force as it was decided. **Refuses** (Unavailable) where there has been
    another evaluation since: where there was none, nothing else has been written either.
    """
    was, standings, paced = former
    assert now >= was.evaluated_at, "a tick waits for its clock"
    if not rows.move_on(tx, client_no, was.number, now, day_on):
        raise Unavailable("the client was looked at by another worker meanwhile")
    put = [one for thing, one in decided.standings.items() if standings.get(thing) != one]
    gone = [thing for thing in standings if thing not in decided.standings]
    rows.put_standings(tx, client_no, put)
    rows.drop_standings(tx, client_no, gone)
    bids = [one for pair, one in decided.paced.items() if paced.get(pair) != one]
    left = [pair for pair in paced if pair not in decided.paced]
    rows.put_paced(tx, client_no, bids)
    rows.drop_paced(tx, left)
    _replace_ceilings(tx, client_no, day_on, decided.ceilings)
    return _are_other(standings, decided.standings) or any(
        _shown(paced.get(pair)) != _shown(decided.paced.get(pair))
        for pair in paced.keys() | decided.paced.keys()
    )


def _are_other(before: Mapping[Thing, Standing], after: Mapping[Thing, Standing]) -> bool:
    """Whether others are left out of listings than were."""
    return {thing for thing, one in before.items() if one.capped} != {
        thing for thing, one in after.items() if one.capped
    }


def _shown(one: Paced | None) -> tuple[int, ...]:
    """What listings show of a decision; nothing where they show all, at the bids that were set."""
    if one is None:
        return ()
    lowered = one.factor_ppm < PPM
    window = (one.first, one.jobs) if one.window is not None else ()
    return (*(one[2:6] if lowered else ()), *window)


def _replace_ceilings(tx: Tx, client_no: int, day_on: str, wanted: Sequence[Ceiling]) -> None:
    """Those of today and later are as wanted; those of former days stay: their events may come."""
    since = rows.ceilings_since(tx, [client_no], day_on)
    kept = {one[:4]: one for _, one in since}
    new = {one[:4]: one for one in wanted}
    rows.put_ceilings(
        tx,
        client_no,
        [one for key, one in new.items() if key not in kept or kept[key].most != one.most],
    )
    rows.drop_ceilings(tx, client_no, [one for key, one in kept.items() if key not in new])


def sweep(tx: Tx, before: date, most: int) -> int:
    """Forget so many ceilings of days before; how many there were."""
    return rows.sweep_ceilings(tx, before.isoformat(), most)
