"""Whether an item of a feed says that its job is no longer offered, or until when it is. Pure.

Names of nodes are compared without case and without marks between words.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from handbill.core.feed_text import ALSO

_END_NAMES: Final = (
    "expirationdate validthrough expire expires expirydate expiry expireson expiresat "
    "expiredate dateexpires closingdate closedate closeson closesat deadline "
    "applicationdeadline applicationclosingdate applyby validuntil validto expiration "
    "jobexpirationdate jobexpirydate jobexpiry jobexpires postingexpirationdate postingenddate "
    "datevalidthrough unpublishdate unpublishon unpublishat removaldate expirationdatetime "
    "expirydatetime dateexpiration expirationtime postingexpiration jobclosingdate "
    "closingdatetime applicationclosedate applicationenddate lastapplicationdate "
    "lastdatetoapply applybefore jobdeadline offlinedate takedowndate gueltigbis ablaufdatum "
    "bewerbungsfrist bewerbungsschluss onlinebis datelimite"
)
"""Names of nodes that contain the end of an offer, the likelier first. ``enddate`` is none: it may
be the end of the employment."""
_OFFERS: Final = ("", "job", "posting", "post", "listing", "ad", "advert", "vacancy", "application")
_TO_COME: Final = ("expiration", "expiry", "expires", "expire", "closing", "close", "closes", "end")
_PAST: Final = ("expired", "closed", "removed", "deleted", "archived", "unpublished", "unposted")
_WHEN: Final = ("date", "datetime", "on", "at")
_OTHERS: Final = (
    "validtill validtilldate validuntildate validtodate datevaliduntil datevalidto dateexpired "
    "dateexpiry datecloses dateclosed dateremoved dateunpublished endatdate endposting "
    "publicationend publicationenddate applicationclose anzeigenende finpublication fechacierre "
    "fechacaducidad dateexpiration datecloture sluitingsdatum vervaldatum scadenza datascadenza"
)
_ENDS: Final = tuple(
    dict.fromkeys(
        [
            *_END_NAMES.split(),
            *_OTHERS.split(),
            *(f"{offer}{word}{when}" for word in _PAST for offer in _OFFERS for when in _WHEN),
            *(
                f"{offer}{word}{when}"
                for offer in _OFFERS
                for word in _TO_COME
                for when in ("", *_WHEN)
                if not (word == "end" and offer in {"", "job"})
                and (when or word not in {"closing", "close", "closes", "end"})
            ),
        ]
    )
)
_STATES: Final = frozenset(
    ["status", "jobstatus", "postingstatus", "vacancystatus", "positionstatus", "publishstatus"]
)
_OVER_WORDS: Final = (
    "closed expired inactive notactive filled positionfilled deleted removed cancelled canceled "
    "withdrawn archived unpublished ended deactivated offline nolongeravailable unavailable "
    "notavailable fulfilled hired outdated terminated geschlossen besetzt abgelaufen inaktiv "
    "gelöscht pourvu pourvue fermé fermée expiré expirée cerrada caducada gesloten vervuld "
    "nolongeracceptingapplications notacceptingapplications applicationsclosed "
    "closedforapplications jobclosed jobexpired jobfilled vacancyclosed vacancyfilled "
    "notpublished delisted takendown"
)
_OVER: Final = frozenset(_OVER_WORDS.split())
_ENDINGS: Final = frozenset(["action", "operation", "jobaction"])
_ACTS: Final = frozenset(
    ["delete", "remove", "deactivate", "close", "expire", "unpublish", "deleted", "removed"]
)
_IS_OVER: Final = frozenset(
    f"{before}{word}"
    for word in ("expired", "deleted", "closed", "archived", "inactive")
    for before in ("", "is", "job")
) | {"isfilled", "isremoved"}
_FOR_ENDED: Final = frozenset(
    f"{word}{after}"
    for word in ("archive", "archived", "expired", "deleted", "removed", "closed", "inactive")
    for after in ("", "jobs", "positions", "postings", "vacancies")
)
"""Names of nodes around jobs that are over."""
_IS_LIVE: Final = frozenset(
    f"{before}{word}"
    for word in ("active", "live", "published", "enabled", "visible")
    for before in ("", "is", "job", "jobis")
) | {"isavailable", "isopen", "publish", "acceptingapplications"}
_OPEN: Final = frozenset(["open"])
_TRUE: Final = frozenset(["true", "yes", "y", "1"])
_FALSE: Final = frozenset(["false", "no", "n", "0", "nein", "off"])
_NOT_OPEN: Final = _FALSE - {"0"}  # it may be the number of openings
_MARKS: Final = re.compile(r"[\W_]+")
_NO_YEAR: Final = r"(?:(?:2[2-9]|[13-9]\d)\d\d|0001)"
_DAY_BEFORE: Final = (
    r"\d\d?[-./]\d\d?[-./]"
    r"|(?:[a-z]{2,9}\.?,? )?(?:\d\d?\.?[- ][a-z]{3,9}\.?|[a-z]{3,9}\.? \d\d?),?[- ]"
)
_NO_END: Final = re.compile(
    rf"(?:0000-00-00|(?:{_DAY_BEFORE})?{_NO_YEAR}(?:[-./]\d\d?){{0,2}}"
    rf"|(?:0{{8}}|{_NO_YEAR}(?:0[1-9]|1[0-2])[0-3]\d)(?:[0-2]\d[0-5]\d[0-5]\d)?)"
    r"(?:(?:T| +)\d\d?:\d\d[\w:.,+ -]*)?"
    r"|(?:0|none|null|n/?a|never|ongoing|open|open until filled|until filled|[-–])",
    re.IGNORECASE,
)
"""Dates from the year 2200 on and before 2000, and words; with other text around them they are
none."""


def bare(name: str) -> str:
    """A node's name without case, prefix and marks between words."""
    return _MARKS.sub("", name.rpartition(":")[2]).lower()


def end_nodes(names: Iterable[str]) -> list[str]:
    """The nodes that may contain the end of an offer, the likelier first."""
    named: dict[str, str] = {}
    for name in names:
        if "/" not in name:
            named.setdefault(bare(name), name)
    return [named[end] for end in _ENDS if end in named]


def end_in(nodes: Iterable[str], fields: Mapping[str, str]) -> str:
    """The first of these nodes that says an end; empty: none does."""
    for node in nodes:
        text = fields[node].partition(ALSO)[0].strip()
        if text and not is_no_end(text):
            return node
    return ""


def is_no_end(text: str) -> bool:
    """Whether a text stands for an end that is not set: ``9999-12-31``, ``1970-01-01``, "n/a"."""
    return _NO_END.fullmatch(text.strip()) is not None


def _ending_nodes(names: Iterable[str]) -> dict[str, frozenset[str]]:
    """The nodes that may say that the job is over, each with the values that say so, bare."""
    nodes = {}
    for name in names:
        mark = bare(name)
        for marks, values in (
            (_STATES, _OVER),
            (_ENDINGS, _ACTS),
            (_IS_OVER, _TRUE),
            (_IS_LIVE, _FALSE),
            (_OPEN, _NOT_OPEN),
        ):
            if mark in marks and "/" not in name:
                nodes[name] = values
    return nodes


def is_for_ended(name: str) -> bool:
    """Whether a node of this name holds jobs that are over."""
    return bare(name) in _FOR_ENDED


def is_over(nodes: Mapping[str, frozenset[str]], fields: Mapping[str, str]) -> bool:
    """Whether an item says that its job is over."""
    return any(bare(fields[name].partition(ALSO)[0]) in over for name, over in nodes.items())


class Endings(NamedTuple):
    """What of an item may end its job: with a date, or with a word."""

    nodes: list[str]
    marks: dict[str, frozenset[str]]


def endings_of(names: Iterable[str]) -> Endings:
    """What of an item with these nodes may end its job."""
    return Endings(end_nodes(names), _ending_nodes(names))
