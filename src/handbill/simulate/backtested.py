"""Holds back-tests against what rules have really done in all these days.

Of a rule that only advised, both are the same. One that acts is prevented by what a back-test does
not know: other rules, holds, undone runs, former bids. Then the numbers seen must be the same, and
each firing that only one of the two has must follow from that.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from handbill.core.rules.windows import is_past
from handbill.kit.instants import Instant, instant_of_iso
from handbill.kit.zones import start_of, zone_of
from handbill.simulate.acts import acts_of
from handbill.simulate.employers import Body
from handbill.simulate.rulebook import RuleOf

BY_THE_PAST: Final = frozenset(
    {
        "UNCHANGED",
        "ALREADY",
        "COOL_DOWN",
        "DAILY_LIMIT",
        "REPEAT",
        "CONTRADICTED",
        "REFUSED",
    }
)
"""Reasons that follow from what was done before: neither a preview nor a back-test knows it."""
_BY_AMOUNTS: Final = frozenset({"AT_BOUND", "NO_BASE", "NO_RATE"})
_AMOUNTS: Final = frozenset({"before", "after", "clamped"})
Key = tuple[str, ...]


def key_of(entity: Body) -> Key:
    return (entity["level"], entity["id"], *entity["publisherIds"])


def reads_once(rule: RuleOf) -> bool:
    """Whether it only looks at past days: it runs once a day."""
    return all(is_past(one["conditionDuration"]) for one in rule.body["conditions"])


def _when(rule: RuleOf, ran_on: str) -> Instant:
    """When a run was. One that is the day's only one is known by its day: the work that runs it may
    come later than a back-test, which sees the same then.
    """
    at, one = instant_of_iso(ran_on), rule.client
    return start_of(one.day(at), zone_of(one.zone)) if reads_once(rule) else at


def advised(rule: RuleOf, told: Body, count: Counter[str]) -> Iterator[str]:
    """What a back-test does not say as the runs of a rule that only advised."""
    fired = [_fired(_when(rule, one["ranOn"]), one) for one in told["firings"]]
    real = [
        _fired(_when(rule, run["ranOn"]), one)
        for run in rule.runs.values()
        for one in run["entities"]
        if _does(one)
    ]
    count["equal"] += len(real)
    if fired != real:
        other = [pair for pair in zip(fired, real, strict=False) if pair[0] != pair[1]]
        yield f"{rule.body} fired {len(fired)}, {len(real)} in fact: {other[:1]}"


def acted(rule: RuleOf, told: Body, count: Counter[str]) -> Iterator[str]:
    """What does not go together in a back-test and the runs of a rule that acts. ``count``: firings
    that are equal, those that the past prevented, and those that a back-test has sooner.
    """
    runs: dict[Instant, dict[Key, Any]] = {}
    for run in rule.runs.values():
        if (at := _when(rule, run["ranOn"])) in runs:
            yield f"{rule} has run again at {run['ranOn']}"
        runs[at] = {key_of(one): one for one in run["entities"]}
    fired: dict[tuple[Instant, Key], Any] = {}
    for one in told["firings"]:
        if (when := (_when(rule, one["ranOn"]), key_of(one))) in fired:
            yield f"{rule} fires again on {when[1]} at {one['ranOn']}"
        fired[when] = one
    for (at, key), one in fired.items():
        if instant_of_iso(one["ranOn"]) <= rule.since_at:
            continue  # there was no such rule yet, which a back-test does not know
        ran_at = max((it for it in runs if it <= at), default=0)
        was = runs.get(ran_at, {}).get(key)
        if was is None:
            if key[0] != "JOB":  # it may not have been live then
                yield f"{rule} would have acted on {key} at {one['ranOn']}, and never looked"
        elif ran_at == at and was["seen"] != one["seen"]:
            yield f"{rule} has seen {was['seen']} of {key}, its back-test {one['seen']}"
        elif ran_at == at and _does(was):
            count["equal"] += 1
        elif _does(was) or not _is_prevented(was):
            yield f"{rule} would have acted on {key} at {one['ranOn']}, and nothing kept it: {was}"
        else:
            count["prevented"] += 1
    sooner = _firsts(fired)
    for at, entities in runs.items():
        for key in (key for key, one in entities.items() if _does(one) and (at, key) not in fired):
            if _is_of_now(rule, key) or sooner.get(key, at) < at:
                count["sooner"] += 1
            else:
                yield f"{rule} has acted on {key} at {at}, and its back-test never"


def compares(rule: RuleOf) -> bool:
    """Whether a back-test knows the numbers of a rule that acts: shares are of budgets of now."""
    return not any(one.get("unit") == "%" for one in rule.body["conditions"])


def _is_of_now(rule: RuleOf, key: Key) -> bool:
    """Whether a back-test may miss it by what there is now: jobs, holds, and amounts at a bound."""
    return key[0] == "JOB" or rule.body.get("adminActions", {}).get("type") != "pause"


def _firsts(fired: Mapping[tuple[int, Key], Any]) -> dict[Key, int]:
    firsts: dict[Key, int] = {}
    for at, key in fired:
        firsts[key] = min(at, firsts.get(key, at))
    return firsts


def _is_prevented(was: Body) -> bool:
    skips = [was["skip"]] if was["skip"] else [act["skip"] for act in was["acts"]]
    return bool(skips) and set(skips) <= BY_THE_PAST | _BY_AMOUNTS


def _does(entity: Body) -> bool:
    return bool(acts_of({"entities": [entity]}))


def _fired(at: Instant, entity: Body) -> tuple[Any, ...]:
    """Without amounts: those of a back-test are of now."""
    acts = [{name: act[name] for name in act.keys() - _AMOUNTS} for act in entity["acts"]]
    return at, key_of(entity), entity["seen"], acts
