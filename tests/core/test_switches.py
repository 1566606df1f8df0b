"""A standing that control saw is told with the switches and dates of now."""

from datetime import date
from typing import Any

import pytest

from core.standing_tree import NOW, ZONE, tree
from handbill.core.standing.reasons import Resolved
from handbill.core.standing.resolving import resolve
from handbill.core.standing.switches import read_now
from handbill.kit.instants import HOUR
from handbill.kit.zones import start_of


def _campaign(body: dict[str, Any], seen: dict[str, Any]) -> tuple[Resolved, Resolved]:
    """How a campaign stood when its body was another, and how that is told an hour later."""
    known = resolve(tree(campaign=seen), NOW)["campaign", "2"]
    changed = tree(campaign=body)
    return known, read_now(known, [changed.campaigns[0], changed.client], NOW + HOUR)


def test_a_later_start_is_told_at_once() -> None:
    known, told = _campaign({"start_on": "2026-11-30"}, {"start_on": "2026-11-24"})
    assert told.description == "the campaign starts on 2026-11-30"
    assert told.until_at == start_of(date(2026, 11, 30), ZONE)
    assert told.reasons[0].params.on == "2026-11-30"
    assert told.reasons[0].since_at == known.reasons[0].since_at


@pytest.mark.parametrize("body", [{}, {"start_on": "2026-11-24"}])
def test_what_has_not_changed_is_as_it_was(body: dict[str, Any]) -> None:
    known, told = _campaign(body, body)
    assert told is known
