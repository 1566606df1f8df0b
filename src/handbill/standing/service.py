"""What is in force for a client; written only by control, at its ticks, all or nothing."""

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
    """Everything in force for a client: whatever is missing is simply ACTIVE and FULL."""

    standings: Mapping[Thing, Standing]
    paced: Mapping[Key, Paced]
    ceilings: Sequence[Ceiling]


def evaluation_of(tx: Tx, client_no: int) -> Evaluation:
    """When the client was last evaluated; number 0: never."""
    return rows.evaluation(tx, client_no) or _NEVER


class Former(NamedTuple):
    """What is in force for a client until something else is. ``was``: its last evaluation, number
    0: never.
    """

    was: Evaluation
    standings: Mapping[Thing, Standing]
    paced: Mapping[Key, Paced]


def former_of(tx: Tx, client_no: int) -> Former:
    """What is in force for a client now."""
    was = evaluation_of(tx, client_no)
    return Former(was, rows.standings_of(tx, client_no), rows.paced_of(tx, client_no))


def evaluations(tx: Tx) -> dict[int, Evaluation]:
    """The last evaluations of all clients that ever were."""
    return rows.evaluations_of_all(tx)


def standings_of(tx: Tx, client_no: int) -> dict[Thing, Standing]:
    """All standings of a client that are not simply ACTIVE and FULL."""
    return rows.standings_of(tx, client_no)


def resolved_of(tx: Tx, client_no: int) -> dict[Thing, Resolved]:
    """The same standings, with the reasons of each."""
    standings = rows.standings_of(tx, client_no).items()
    return {thing: resolved_in(one) for thing, one in standings}


def of_clients(tx: Tx, client_nos: Collection[int]) -> dict[int, Resolved]:
    """The standing of each of these clients itself."""
    standings = rows.standings_of_clients(tx, client_nos)
    return {no: resolved_in(standings[no]) if no in standings else PLAIN for no in client_nos}


def in_states(
    tx: Tx, client_nos: Iterable[int], statuses: Iterable[str], most: int
) -> list[tuple[int, Standing]]:
    """Clients, campaigns and job groups of these clients that are in these states, each with its
    client's number; the latest first, at most so many.
    """
    return rows.in_states(tx, client_nos, statuses, most)


def resolved_in(one: Standing) -> Resolved:
    """The stored standing of a thing, with its reasons."""
    return _RESOLVED.decode(one.resolved)


def paced_of(tx: Tx, client_no: int) -> dict[Key, Paced]:
    """What is decided about bids and jobs, by job group and publisher."""
    return rows.paced_of(tx, client_no)


def aimed_at(tx: Tx, client_no: int) -> set[Key]:
    """Where bids are lowered for a target, although no cap binds."""
    return rows.aimed_at(tx, client_no)


def clients_decided(tx: Tx, publisher_no: int, before: Instant) -> set[int]:
    """The clients whose last decision for a publisher was made before an instant."""
    return rows.clients_decided(tx, publisher_no, before)


def in_force(tx: Tx, client_no: int) -> InForce:
    """What the client's listings go by."""
    standings = rows.standings_of(tx, client_no)
    stopped = frozenset(thing for thing, one in standings.items() if one.capped)
    return InForce(stopped, rows.paced_of(tx, client_no))


def ceilings_of(tx: Tx, client_no: int) -> list[Ceiling]:
    """All ceilings of a client's days that are kept."""
    return rows.ceilings_of(tx, client_no)


def ceilings_since(tx: Tx, client_nos: Iterable[int], day: date) -> dict[int, list[Ceiling]]:
    """The ceilings of these clients, from a day on."""
    by_client: dict[int, list[Ceiling]] = {}
    for client_no, one in rows.ceilings_since(tx, sorted(client_nos), day.isoformat()):
        by_client.setdefault(client_no, []).append(one)
    return by_client


def replace(
    tx: Tx, client_no: int, former: Former, now: Instant, day_on: str, decided: Decided
) -> bool:
    """Put this in force from now on; returns whether listings must follow. Rows that have not
    changed are not written.

    ``former``: what was in force when it was decided. **Refuses** (Unavailable) if there has been
    another evaluation since: without one, nothing else can have been written either.
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
    """Whether listings leave out others than before."""
    return {thing for thing, one in before.items() if one.capped} != {
        thing for thing, one in after.items() if one.capped
    }


def _shown(one: Paced | None) -> tuple[int, ...]:
    """What listings show of a decision; nothing if they show all, at the bids as set."""
    if one is None:
        return ()
    lowered = one.factor_ppm < PPM
    window = (one.first, one.jobs) if one.window is not None else ()
    return (*(one[2:6] if lowered else ()), *window)


def _replace_ceilings(tx: Tx, client_no: int, day_on: str, wanted: Sequence[Ceiling]) -> None:
    """Replace those of today and later; earlier ones stay: events of their days may still come."""
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
    """Delete up to so many ceilings of earlier days; how many there were."""
    return rows.sweep_ceilings(tx, before.isoformat(), most)
