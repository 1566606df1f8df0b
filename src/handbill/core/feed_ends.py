"""Whether an item of a feed says that its job is no longer offered, or until when it is. Pure.

Names of nodes are compared without case and without marks between words.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from handbill.core.feed_text import ALSO

_OFFERS: Final = (
    *("", "job", "posting", "post", "jobposting", "jobpost", "listing", "ad", "advert"),
    *("advertisement", "vacancy", "application", "publication", "publish", "display", "position"),
    *("requisition", "opening", "offer", "validity", "availability", "externalposting", "online"),
)
_WHEN: Final = ("date", "datetime", "on", "at")
_TO_COME: Final = ("expiration", "expiry", "expires", "expire", "closing", "close", "closes", "end")
_PAST: Final = ("expired", "closed", "removed", "deleted", "archived", "unpublished", "unposted")
_UNTIL: Final = tuple(
    f"{what}{word}"
    for what in ("valid", "live", "online", "active", "posted", "published", "visible", "open")
    for word in ("until", "till", "thru", "through")
)
_NAMED: Final = (
    "expirationdate validthrough expire expires expirydate expiry expireson expiresat "
    "expiredate dateexpires closingdate closedate closeson closesat deadline "
    "applicationdeadline applicationclosingdate applyby validuntil validto expiration "
    "unpublishdate unpublishon unpublishat unpostingdate unpostdate removaldate expirationtime "
    "jobdeadline deadlinedate applicationdeadlinedate applybydate applybefore applyuntil "
    "applicationclose lastapplicationdate lastapplydate lastdatetoapply lastdaytoapply "
    "offlinedate takedowndate datevalidthrough datevaliduntil datevalidto validtodate "
    "validtilldate validuntildate dateexpiration dateexpired dateexpiry datecloses dateclosed "
    "dateremoved dateunpublished endatdate endposting endpostingdate endpublishdate "
    "postingend publicationend displayend availabilityend availabilityends"
)
_ABROAD: Final = (
    "gueltigbis gültigbis ablaufdatum bewerbungsfrist bewerbungsschluss bewerbungsende "
    "onlinebis anzeigenende laufzeitende ausschreibungsende veröffentlichtbis veroeffentlichtbis "
    "datelimite datelimitecandidature datecloture datedecloture datefinpublication "
    "datefindepublication datefindiffusion finpublication datedexpiration datedefinpublication "
    "fechacierre fechadecierre fechacaducidad fechadecaducidad fechaexpiracion "
    "fechadeexpiracion fechaexpiración fechadeexpiración fechalimite fechalímite "
    "fechavencimiento fechadevencimiento fechafinpublicacion fechafinpublicación "
    "scadenza datascadenza datadiscadenza datafinepubblicazione dataexpiracao dataexpiração "
    "datadeexpiracao datadeexpiração dataencerramento datadeencerramento datalimite "
    "sluitingsdatum vervaldatum reageervoor waznedo ważnedo datawaznosci dataważności "
    "sistaansokningsdag sistaansökningsdag ansogningsfrist ansøgningsfrist soknadsfrist "
    "søknadsfrist hakuaikapaattyy hakuaikapäättyy"
)
_ENDS: Final = tuple(
    dict.fromkeys(
        [
            *_NAMED.split(),
            *_UNTIL,
            *_ABROAD.split(),
            *(f"{offer}{word}{when}" for word in _PAST for offer in _OFFERS for when in _WHEN),
            *(
                f"{offer}{word}{when}"
                for offer in _OFFERS
                for word in _TO_COME
                for when in ("", *_WHEN)
                if not (word == "end" and offer in {"", "job", "position"})
                and (when or word not in {"closing", "close", "closes", "end"})
            ),
            *_PAST,
        ]
    )
)
"""Names of nodes that contain the end of an offer, the likelier first. ``enddate`` is none: it may
be the end of the employment."""
_AROUND: Final = frozenset(
    [
        *("dates", "posting", "jobposting", "post", "job", "publication", "publishing", "publish"),
        *("application", "listing", "vacancy", "advert", "advertisement", "ad", "validity"),
        *("availability", "meta", "metadata", "details", "jobdetails", "header", "offer"),
        *("lifecycle", "display", "requisition"),
    ]
)
"""Names of nodes of which an end is one of the offer, also if only one of its parts says so."""
_PARTS: Final = frozenset(
    ["end", "enddate", "endson", "ends", "to", "until", "through", "close", "closes", "closing"]
)
_END_OF_OFFER: Final = "validityenddate"
_WITHOUT_PARTS: Final = frozenset(
    ["job", "dates", "details", "jobdetails", "meta", "metadata", "header"]
)
"""Of these, an end may be one of the employment."""
_UNSURE: Final = frozenset([*_PAST, _END_OF_OFFER])
_VALUES: Final = frozenset(["value", "code", "name", "id", "text"])
"""Attributes and nodes that only contain what the name around them says."""
_STATES: Final = frozenset(
    [
        *("state", "lifecycle", "lifecyclestate", "lifecyclestatus", "publishstate"),
        *("publishstatus", "publishingstatus", "recordstatus", "positionstatus", "reqstatus"),
        *(f"{offer}{word}" for offer in _OFFERS for word in ("status", "state")),
        *(f"{offer}availability" for offer in ("", "job")),
    ]
)
"""``state`` may be a place, but none that is called like this."""
_OVER_WORDS: Final = (
    "closed expired inactive notactive filled positionfilled deleted removed cancelled canceled "
    "withdrawn archived unpublished ended deactivated offline nolongeravailable unavailable "
    "notavailable fulfilled hired outdated terminated geschlossen besetzt abgelaufen inaktiv "
    "gelöscht pourvu pourvue fermé fermée expiré expirée cerrada caducada gesloten vervuld "
    "nolongeracceptingapplications notacceptingapplications applicationsclosed "
    "closedforapplications jobclosed jobexpired jobfilled vacancyclosed vacancyfilled "
    "notpublished delisted takendown outofstock soldout discontinued"
)
_OVER: Final = frozenset(_OVER_WORDS.split())
_ENDINGS: Final = frozenset(
    ["action", "operation", "jobaction", "op", "type", "feedaction", "recordaction", "changetype"]
)
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
_TRUE: Final = frozenset(["true", "yes", "y", "1", "closed", "deleted", "expired", "removed"])
_FALSE: Final = frozenset(["false", "no", "n", "0", "nein", "off"])
_NOT_OPEN: Final = _FALSE - {"0"}  # it may be the number of openings
_MARKS: Final = re.compile(r"[\W_]+")
_BETWEEN: Final = re.compile(r"[-–/,;:(]")
_DATED: Final = re.compile(r"(?:[0-9][^0-9]*){5}")
"""Five digits, which every date has."""
_NO_YEAR: Final = r"(?:(?:2[2-9]|[13-9]\d)\d\d|0001)"
_DAY_BEFORE: Final = (
    r"\d\d?[-./]\d\d?[-./]"
    r"|(?:[a-z]{2,9}\.?,? )?(?:\d\d?\.?[- ][a-z]{3,9}\.?|[a-z]{3,9}\.? \d\d?),?[- ]"
)
_NO_END: Final = re.compile(
    rf"(?:0000-00-00|(?:{_DAY_BEFORE})?{_NO_YEAR}(?:[-./]\d\d?){{0,2}}"
    rf"|(?:0{{8}}|{_NO_YEAR}(?:0[1-9]|1[0-2])[0-3]\d)(?:[0-2]\d[0-5]\d[0-5]\d)?)"
    r"(?:(?:T| +)\d\d?:\d\d[\w:.,+ -]*)?"
    r"|(?:0|none|null|n/?a|never|ongoing|open|open until filled|until filled|[-–]|tb[acd]|asap"
    r"|rolling|continuous|unlimited|until further notice|no (?:deadline|expiry|end ?date)"
    r"|not (?:set|specified)|unbefristet|unbegrenzt|offen|bis auf weiteres|sans limite"
    r"|indefini(?:te|do))",
    re.IGNORECASE,
)
"""Dates from the year 2200 on and before 2000, and words; with other text around them they are
none."""


def bare(name: str) -> str:
    """A node's name without case, prefix and marks between words."""
    return _MARKS.sub("", name.rpartition(":")[2]).lower()


def _said_by(path: str) -> str:
    """The bare name under which a node says something of the offer itself: its own; within nodes
    about the offer too. Empty: it is about something else.
    """
    *around, name = map(bare, path.split("/"))
    if around and (name in _VALUES or name in _WHEN):
        name = around.pop() + (name if name in _WHEN else "")
    if not _AROUND.issuperset(around):
        return ""
    if around and name in _PARTS:
        return "" if around[-1] in _WITHOUT_PARTS else _END_OF_OFFER
    return name


def end_nodes(names: Iterable[str]) -> list[str]:
    """The nodes that may contain the end of an offer, the likelier first."""
    named: dict[str, str] = {}
    for name in names:
        named.setdefault(_said_by(name), name)
    return [named[end] for end in _ENDS if end in named]


def end_in(nodes: Iterable[str], fields: Mapping[str, str]) -> str:
    """The first of these nodes that says an end, with a date if one of them has one; empty: none
    does.
    """
    said = []
    for node in nodes:
        text = fields[node].partition(ALSO)[0].strip()
        if text and not is_no_end(text):
            if _DATED.search(text):
                return node
            said.append(node)
    return next(filter(is_sure_end, said), "")


def is_sure_end(node: str) -> bool:
    """Whether such a node contains nothing but an end; others say yes or no, or how to apply."""
    return _said_by(node) not in _UNSURE


def is_no_end(text: str) -> bool:
    """Whether a text stands for an end that is not set: ``9999-12-31``, ``1970-01-01``, "n/a"."""
    return _NO_END.fullmatch(text.strip()) is not None


def _ending_nodes(names: Iterable[str]) -> dict[str, frozenset[str]]:
    """The nodes that may say that the job is over, each with the values that say so, bare."""
    nodes = {}
    for name in names:
        mark = _said_by(name)
        if mark in _IS_LIVE and "application" in map(bare, name.split("/")[:-1]):
            continue  # how to apply may be off, and the offer is not
        for marks, values in (
            (_STATES, _OVER),
            (_ENDINGS, _ACTS),
            (_IS_OVER, _TRUE),
            (_IS_LIVE, _FALSE),
            (_OPEN, _NOT_OPEN),
        ):
            if mark in marks:
                nodes[name] = values
    return nodes


def is_for_ended(name: str) -> bool:
    """Whether a node of this name holds jobs that are over."""
    return bare(name) in _FOR_ENDED


def is_over(nodes: Mapping[str, frozenset[str]], fields: Mapping[str, str]) -> bool:
    """Whether an item says that its job is over."""
    return any(_says(fields[name].partition(ALSO)[0], over) for name, over in nodes.items())


def _says(text: str, over: frozenset[str]) -> bool:
    """Whether a text is one of these values, or several: "Closed - Filled"."""
    if bare(text) in over:
        return True
    words = [bare(word) for word in _BETWEEN.split(text)]
    return len(words) > 1 and over.issuperset(words)


class Endings(NamedTuple):
    """What of an item may end its job: with a date, or with a word."""

    nodes: list[str]
    marks: dict[str, frozenset[str]]


def endings_of(names: Iterable[str]) -> Endings:
    """What of an item with these nodes may end its job."""
    return Endings(end_nodes(names), _ending_nodes(names))
