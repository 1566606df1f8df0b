"""A change of a rule: read in part, and checked together with what stays of the rule."""

from handbill.contract.rules.models import NewRule
from handbill.contract.rules.telling import rule_told
from handbill.core import rule_conditions as core
from handbill.kit.faults import Fault, bad_request
from handbill.kit.jsons import decode, encode
from handbill.wire.models import partial, spelled, spelled_as_given

RuleChange = partial(NewRule, "RuleChange")


def changed_rule(
    rule: core.Rule, client_id: str, change: NewRule, says: str = "Bad request"
) -> NewRule:
    """The rule, with the fields that a change names; null sets one to its default.

    **Refuses** (400) what no new rule could say, with every fault.
    """
    fields = spelled(rule_told(rule, client_id, 0))
    stands = {name: value for name, value in fields.items() if value is not None}
    faults: list[Fault] = []
    whole = NewRule.read(decode(encode(stands | spelled_as_given(change))), "", faults)
    if faults:
        raise bad_request(faults, says)
    return whole
