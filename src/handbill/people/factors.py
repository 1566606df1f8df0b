"""The second factor of a person: begun, put in force, used and ended.

A code is used in the transaction that it lets in, with the person's row locked: of two that come
at once with the same code, in any processes, one is refused.
"""

from typing import NamedTuple

from handbill.changes import service as changes
from handbill.core.persons import Person
from handbill.core.trail import TrailEntity
from handbill.host.ids import Ids
from handbill.kit.faults import Fault, Refused, refused_state
from handbill.kit.instants import Instant
from handbill.people import codes, rows
from handbill.store.records import Tx

_IN_FORCE, _OFFERED = "codes", "codes offered"
_NEVER = -1


class WrongCode(Refused):
    """400: a code that is not good now."""

    def __init__(self) -> None:
        super().__init__(400, "Bad request", [Fault("code", "is not a code that is good now")])


class FactorSetup(NamedTuple):
    """What an app needs to make codes."""

    secret: str
    uri: str


def is_used_by(person: Person) -> bool:
    """Whether the person signs in with a code."""
    return person.code_step is not None


def offer(tx: Tx, ids: Ids, person: Person) -> FactorSetup:
    """A new secret, not in force yet; a former offer ends.

    **Refuses** (400) somebody who uses codes already.
    """
    rows.lock(tx, person.no)
    if is_used_by(_now(tx, person)):
        raise refused_state("", "there is a second factor already; end it first")
    secret = codes.new_secret(ids)
    rows.drop_secrets(tx, person.no, (_OFFERED,))
    rows.add_secret(tx, person.no, _OFFERED, secret)
    return FactorSetup(codes.text_of(secret), codes.uri_of(secret, person.mail))


def put_in_force(
    tx: Tx, ids: Ids, now: Instant, person: Person, code: str, spared: int
) -> list[str]:
    """Let the person sign in with codes from now on; the recovery codes, shown only this once. All
    sessions but the spared one end: they began without a code.

    **Refuses** (400) without an offer, and any code but a present one.
    """
    rows.lock(tx, person.no)
    secret = rows.secret(tx, person.no, _OFFERED)
    if secret is None:
        raise refused_state("", "begin a second factor first")
    step = codes.step_of(secret, code, now, _NEVER)
    if step is None:
        raise WrongCode
    forget(tx, person)
    rows.add_secret(tx, person.no, _IN_FORCE, secret)
    rows.change_person(tx, now, person.no, code_step=step)
    recoveries = [codes.new_recovery(ids) for _ in range(codes.RECOVERIES)]
    rows.add_recoveries(tx, person.no, [codes.digest_of(secret, one) for one in recoveries])
    rows.end_sessions(tx, person.no, spared)
    _tell(tx, now, person, is_used=True)
    return recoveries


def fits(tx: Tx, now: Instant, person: Person, code: str) -> bool:
    """Whether this code would let the person in now; it is not used by asking. True for somebody
    who uses none.
    """
    if person.code_step is None:
        return True
    secret = rows.secret(tx, person.no, _IN_FORCE)
    assert secret is not None, "a person with a step has a secret"
    if codes.step_of(secret, code, now, person.code_step) is not None:
        return True
    return rows.has_recovery(tx, person.no, codes.digest_of(secret, code))


def use(tx: Tx, now: Instant, person: Person, code: str) -> bool:
    """Use this code; False if it does not fit, or was used before. True for somebody who uses
    none.
    """
    rows.lock(tx, person.no)
    person = _now(tx, person)
    if person.code_step is None:
        return True
    secret = rows.secret(tx, person.no, _IN_FORCE)
    assert secret is not None, "a person with a step has a secret"
    step = codes.step_of(secret, code, now, person.code_step)
    if step is not None:
        rows.use_step(tx, person.no, step)
        return True
    return rows.drop_recovery(tx, person.no, codes.digest_of(secret, code))


def end(tx: Tx, now: Instant, person: Person) -> None:
    """Let the person sign in by password alone. Nothing happens to one who does already."""
    rows.lock(tx, person.no)
    is_used = is_used_by(_now(tx, person))
    forget(tx, person)
    if is_used:
        rows.change_person(tx, now, person.no, code_step=None)
        _tell(tx, now, person, is_used=False)


def reset(tx: Tx, now: Instant, person: Person) -> None:
    """``end`` for somebody who has lost app and recovery codes: all its sessions end too."""
    end(tx, now, person)
    rows.end_sessions(tx, person.no)


def recoveries_left(tx: Tx, person: Person) -> int:
    """How many recovery codes the person has not used."""
    return rows.count_recoveries(tx, person.no)


def _now(tx: Tx, person: Person) -> Person:
    """The person as it is since its row was locked; one removed meanwhile is let in nowhere."""
    return rows.person_numbered(tx, person.no) or person


def forget(tx: Tx, person: Person) -> None:
    """Drop what codes are made from, as the person is removed."""
    rows.drop_secrets(tx, person.no, (_IN_FORCE, _OFFERED))
    rows.drop_recoveries(tx, person.no)


def _tell(tx: Tx, now: Instant, person: Person, *, is_used: bool) -> None:
    entity = TrailEntity("PERSON", person.id, person.agency_no)
    changes.tell(tx, now, entity, {"secondFactor": not is_used}, {"secondFactor": is_used})
