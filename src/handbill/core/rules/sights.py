"""What a run of a rule goes by: instants, figures, and how late applies come."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, tzinfo
from operator import attrgetter
from typing import Any, NamedTuple

from handbill.core.rule_conditions import Condition
from handbill.core.rules import figures as seeing
from handbill.core.rules.figures import NONE, Asked, Figures
from handbill.core.rules.subjects import RuleSubject
from handbill.core.rules.windows import window_of
from handbill.kit.instants import Instant

Columns = dict[tuple[int, str, str], list[Any]]
"""Figures by list of entities, window and name, in the order of the list."""


class Sight(NamedTuple):
    """The input of a run. ``answers``: by days and publishers, the figures of each entity, by id.
    ``curve``: the share of applies (in ppm) that have come by so many days after their click;
    empty: too few were seen. ``day_start``: when the client's day began. ``columns``: what rules
    that look at the same lists share; None: nothing.
    """

    now: Instant
    today: date
    day_start: Instant
    answers: Mapping[Asked, Mapping[str, Figures]]
    curve: Sequence[int] = ()
    zone: tzinfo = UTC
    columns: Columns | None = None


def met_by(it: Condition, subjects: Sequence[RuleSubject], sight: Sight) -> list[bool]:
    """For each entity, whether a condition holds."""
    if it.unit == "%" and it.parameter == "spent":
        figures = _column(it.duration, "", subjects, sight)
        every = [
            seeing.seen(it, its, one.budget) for one, its in zip(subjects, figures, strict=True)
        ]
    else:
        every = _column(it.duration, it.parameter, subjects, sight)
    return seeing.which_hold(it, every)


def _column(
    duration: str, parameter: str, subjects: Sequence[RuleSubject], sight: Sight
) -> list[Any]:
    """A figure of each entity, or all its figures; rules that look at the same share them."""
    key = id(subjects), duration, parameter
    known: Columns = {} if sight.columns is None else sight.columns
    if key not in known:
        if parameter:
            figures = _column(duration, "", subjects, sight)
            column = list(map(attrgetter(parameter), figures))
        else:
            window = window_of(duration, sight.today)
            places = {one.publishers for one in subjects if not one.gone}
            its = {at: sight.answers[window, at] for at in places}
            column = [NONE if it.gone else its[it.publishers].get(it.id, NONE) for it in subjects]
        known[key] = column
    return known[key]
