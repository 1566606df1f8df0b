"""Undo of a run: lifts its holds, and sets back its changes that nobody has changed since."""

from typing import NamedTuple

import msgspec

from handbill.core.nouns import Client
from handbill.core.rules.acts import Act
from handbill.kit.faults import not_found, refused_state
from handbill.kit.instants import Instant
from handbill.rules import acting, history
from handbill.rules.service import rule_of
from handbill.store.records import Tx


class Undone(NamedTuple):
    """An act, and why it was not taken back; empty: it was."""

    act: Act
    why_not: str


def undo(tx: Tx, now: Instant, client: Client, rule_id: str, run_id: str) -> list[Undone]:
    """Undo a run, act by act, the last one first.

    **Refuses** a run that is not the rule's (404), and one that did nothing or is undone (400).
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
    found = [Undone(act, acting.take_back(tx, now, client, run_id, act)) for act in reversed(acts)]
    back = {one.act.of for one in found if not one.why_not}
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
    return found
