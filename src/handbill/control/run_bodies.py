"""What is stored of a rule's run."""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from handbill.control.rulebooks import Sheet
from handbill.core.rule_conditions import RuleBody
from handbill.core.rules.running import RuleEvaluation, RuleFinding, asked_of
from handbill.core.rules.sights import Sight
from handbill.core.rules.subjects import LEVELS
from handbill.rules import history
from handbill.rules.history import RuleRunBody


def run_body(
    rule: RuleBody,
    sheet: Sheet,
    sight: Sight,
    found: RuleEvaluation,
    findings: tuple[RuleFinding, ...],
) -> RuleRunBody:
    """A run as it is stored, with the questions that stats would answer alike again."""
    level = LEVELS[rule.level]
    asked = sorted(asked_of(rule, sheet.subjects, sight.today))
    return RuleRunBody(
        evaluated=found.evaluated,
        matched=found.matched,
        conditions=rule.conditions,
        questions=tuple(history.AskedStats(*days, level, places) for days, places in asked),
        findings=findings,
        cut=sheet.cut,
    )


def digest_of_findings(findings: Iterable[RuleFinding]) -> str:
    """The result of a run without its numbers: while it is the same, no further run is stored."""
    result = [(one.key, one.skip, [(act.of, act.skip) for act in one.acts]) for one in findings]
    return hashlib.blake2b(msgspec.json.encode(result), digest_size=16).hexdigest()


def heard(found: RuleEvaluation, findings: Sequence[RuleFinding]) -> set[str]:
    """The conditions that stay true for the next run; refused acts are tried again."""
    refused = {one.key for one in findings if any(act.skip == "REFUSED" for act in one.acts)}
    return set(found.truths) - refused
