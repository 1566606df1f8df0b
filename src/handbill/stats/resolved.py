"""The standing of what a row is about, as control saw it last: the columns after all metrics."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from handbill.campaigns import service as campaigns
from handbill.core.charging import Scope
from handbill.core.in_force import Thing
from handbill.core.standing.reasons import PLAIN, Resolved
from handbill.core.standing.tree import standing_of_default
from handbill.groups import service as groups
from handbill.standing import service as standing
from handbill.store.records import Tx

COLUMNS: Final = ("resolvedStatus", "resolvedStatusDescription")
_KINDS: Final[dict[str, Scope]] = {"JOBGROUP": "group", "CAMPAIGN": "campaign", "CLIENT": "client"}
_GONE: Final = ("DELETED", "deleted")
_NONE: Final = ("", "")


def level_of(levels: Sequence[str]) -> str | None:
    """The lowest of job group, campaign and client in a row. None: control keeps no state of single
    jobs, and a publisher or a day has none.
    """
    if "JOB" in levels:
        return None
    return next((level for level in _KINDS if level in levels), None)


def told_of(
    tx: Tx, client_no: int, levels: Sequence[str]
) -> Callable[[Sequence[Any]], tuple[str, str]]:
    """The standing columns for a row's keys. A job group at a publisher has its placement's
    standing; without a campaign or job group there is none.
    """
    level = level_of(levels)
    assert level is not None, "the report has the columns"
    own, kind = levels.index(level), _KINDS[level]
    at = levels.index("PUBLISHER") if kind == "group" and "PUBLISHER" in levels else None
    known = standing.resolved_of(tx, client_no)
    live = _live(tx, client_no, kind)

    def told(keys: Sequence[Any]) -> tuple[str, str]:
        no = keys[own]
        if not no or no not in live:
            return _GONE if no else _NONE
        thing: Thing = (kind, f"{no}")
        if at is not None and not live[no]:
            thing = ("placement", f"{no}/{keys[at]}")
        one = live[no] or known.get(thing, PLAIN)
        return one.status, one.description

    return told


def _live(tx: Tx, client_no: int, kind: Scope) -> Mapping[int, Resolved | None]:
    """The live ones; with the standing of each default job group, which control does not keep."""
    if kind == "client":
        return {client_no: None}
    if kind == "campaign":
        return {one.no: None for one in campaigns.campaigns_of(tx, client_no)}
    return {
        one.no: standing_of_default(one) if one.is_default else None
        for one in groups.groups_of(tx, client_no)
    }
