"""Undo of a run: lifts its holds, and sets back its changes that nobody has changed since."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from handbill.core.nouns import Client
from handbill.core.rules.acts import Act
from handbill.kit.faults import Fault, Refused, bad_request, not_found, refused_state
from handbill.kit.instants import Instant
from handbill.rules import acting, history
from handbill.rules.service import rule_of
from handbill.store.records import Tx

_MOST_TOLD: Final = 100
_MOST_SAID: Final = 3


class Undone(NamedTuple):
    """An act, and why it was not taken back; empty: it was."""

    act: Act
    why_not: str

    @property
    def words(self) -> str:
        """What became of it, as a phrase."""
        at = f" at {self.act.publisher_id}" if self.act.publisher_id else ""
        return f"{self.act.what} {self.act.name}{at}: {self.why_not or 'undone'}"


def undo(tx: Tx, now: Instant, client: Client, rule_id: str, run_id: str) -> list[Undone]:
    """Undo a run, act by act, the last one first.

    **Refuses** a run that is not the rule's (404); one that did nothing, that is undone, or of
    which nothing can be undone, with the reasons (400).
    """
    rule = rule_of(tx, client, rule_id)
    run = history.run_of(tx, rule.no, run_id)
    if run is None:
        raise not_found()
    if run.undone_at is not None:
        raise refused_state("", "the run was undone already")
    acts = [act for one in run.body.findings for act in one.acts if not act.skip]
    if run.mode != "ACT" or not acts:
        raise refused_state("", "the run has changed nothing")
    undone = [Undone(act, acting.take_back(tx, now, client, run_id, act)) for act in reversed(acts)]
    back = {one.act.of for one in undone if not one.why_not}
    if not back:
        raise _nothing(undone)
    findings = tuple(
        msgspec.structs.replace(
            one,
            acts=tuple(
                msgspec.structs.replace(act, undone=not act.skip and act.of in back)
                for act in one.acts
            ),
        )
        for one in run.body.findings
    )
    run.body = msgspec.structs.replace(run.body, findings=findings)
    run.undone_at = now
    history.mark_undone(tx, run)
    return undone


def _nothing(found: Sequence[Undone]) -> Refused:
    """The refusal of an undo that would change nothing."""
    reasons = "; ".join(one.words for one in found[:_MOST_SAID])
    more = f"; and {len(found) - _MOST_SAID} more" if len(found) > _MOST_SAID else ""
    faults = [Fault("", one.words) for one in found[:_MOST_TOLD]]
    return bad_request(faults, f"nothing of the run can be undone: {reasons}{more}")
