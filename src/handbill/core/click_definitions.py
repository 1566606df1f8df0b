"""What makes a click payable: bot, duplicate, foreign and latent, as a click definition says.

**Source**: domain 7.4; safety.md section 1 (redirector).
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec

from handbill.core.countries import country_code, territory_of
from handbill.core.judging import (
    BOT,
    DUPLICATE,
    FOREIGN,
    HEAD,
    INVALID,
    LATENT,
    PREFETCH,
    TEST,
)
from handbill.core.place_names import differs, is_of_states, is_that_state, state_differs
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND, Instant

Grain = Literal["COUNTRY", "STATE", "CITY", "REGION"]
GRAINS: Final[tuple[Grain, ...]] = ("COUNTRY", "STATE", "CITY", "REGION")
Preset = Literal["Default", "1", "2", "3", "4", "5"]
_DAY_SECONDS = 24 * HOUR // SECOND
_48_HOURS = 2 * _DAY_SECONDS


class Definition(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rules for clicks at one publisher. None: that rule is off; for ``latent_seconds``: the
    operator's own applies.

    ``by_agent``, ``by_address``: which detectors find bots, while ``bot`` is on. ``most_clicks``:
    of one address on one day; every further click is a bot's. ``latency_minutes`` belongs to the
    publisher: how long it still shows what has left its feed.
    """

    bot: bool = True
    by_agent: bool = True
    by_address: bool = True
    most_clicks: int | None = None
    duplicate_seconds: int | None = None
    latent_seconds: int | None = _48_HOURS
    foreign: Grain | None = None
    latency_minutes: int = 0


_FLAGS: Final = {"bot", "by_agent", "by_address"}
_DETECTORS: Final = ("by_address", "by_agent", "most_clicks")
_RULES: Final = {"bot", "duplicate_seconds", "latent_seconds", "foreign", *_DETECTORS}


class DefinitionBody(msgspec.Struct, omit_defaults=True):
    """A definition as it is stored for a publisher, or for one client at it."""

    enabled: bool = True
    rules: Definition = Definition()
    bot_ips_url: str = ""


class ClickDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """``client_no`` 0: for every client. The list of addresses is separate: it may be long."""

    no: int
    publisher_no: int
    client_no: int
    body: DefinitionBody
    ips_read_at: Instant | None
    ips_failure: str | None
    created_at: Instant
    updated_at: Instant


_MINUTE, _HOUR = MINUTE // SECOND, HOUR // SECOND
PRESETS: Final[Mapping[Preset, Definition]] = {
    "Default": Definition(),
    "1": Definition(bot=False, duplicate_seconds=_MINUTE, latent_seconds=None, foreign="COUNTRY"),
    "2": Definition(bot=False, duplicate_seconds=_MINUTE, latent_seconds=_DAY_SECONDS),
    "3": Definition(bot=False, duplicate_seconds=_HOUR, latent_seconds=_48_HOURS),
    "4": Definition(
        bot=False, duplicate_seconds=10 * _MINUTE, latent_seconds=_48_HOURS, foreign="COUNTRY"
    ),
    "5": Definition(duplicate_seconds=_MINUTE, latent_seconds=_DAY_SECONDS, foreign="COUNTRY"),
}
"""The platform's own presets (domain 7.4)."""


def with_said(body: DefinitionBody, said: Mapping[str, Any]) -> DefinitionBody:
    """A definition after a change, by its own names and those of its rules; ``detectors`` are set
    together. A ``preset`` is applied first. None switches a rule off; for a flag, it means true.
    """
    detectors = said.get("detectors", {})
    if detectors is None:
        detectors = dict.fromkeys(_DETECTORS)
    changes = {name: value for name, value in (said | detectors).items() if name in _RULES}
    for name, value in changes.items():
        if value is None and name in _FLAGS:
            changes[name] = True
    rules = PRESETS[said["preset"]] if said.get("preset") else body.rules
    return DefinitionBody(
        enabled=said.get("enabled", body.enabled) is not False,
        rules=msgspec.structs.replace(rules, **changes),
        bot_ips_url=said.get("bot_ips_url", body.bot_ips_url) or "",
    )


REASONS: Final[Mapping[str, tuple[str, ...]]] = {
    BOT: (HEAD, PREFETCH, "no_agent", "agent_list", "agent_added", "address_list", "address_rate"),
    DUPLICATE: ("same_visitor",),
    FOREIGN: ("country", "state", "city"),
    LATENT: ("old_link", "left_feed", "price_too_old"),
    INVALID: ("unknown_client", TEST),
}
"""Why a click does not count, by its class: each has one of these reasons, and no other. For clicks
without room, the reasons are names of caps (``core.charging.CAP_NAMES``).
"""


class JobPlace(NamedTuple):
    """Where a job is, according to its client."""

    country: str
    state: str
    city: str


class Location(NamedTuple):
    """Where an address is. ``states`` and ``cities`` contain every known spelling, case folded."""

    country: str = ""
    city: str = ""
    states: frozenset[str] = frozenset()
    cities: frozenset[str] = frozenset()


_LONGEST_CODE: Final = 3
NOWHERE: Final = Location()
_SUCH_CITIES = "BZ DJ GI GT HK KW LU MC MO MX PA SG SM VA"
_WITH_SUCH_A_CITY: Final = frozenset(_SUCH_CITIES.split())
"""Countries with a city of the same name."""


class Evidence(Protocol):
    """What a click is classed by. ``ahead``: it was not a visit that counts (HEAD, PREFETCH, TEST).

    ``opened_at``: when the same visitor's click on the same job opened the latest window.
    ``left_at``: since when its listing is in no feed, and ``grace`` how long it is still good if
    the rules do not say. ``replaced_at``: since when its price is neither honoured nor shown by the
    publisher's copy, and ``stale`` how long it is still good then. ``forgotten``: its link is older
    than what is remembered.
    """

    @property
    def at(self) -> Instant: ...
    @property
    def ahead(self) -> str: ...
    @property
    def agent_is_bot(self) -> str: ...
    @property
    def address_is_bot(self) -> bool: ...
    @property
    def clicks_before(self) -> int: ...
    @property
    def opened_at(self) -> Instant | None: ...
    @property
    def left_at(self) -> Instant | None: ...
    @property
    def grace(self) -> Instant: ...
    @property
    def replaced_at(self) -> Instant | None: ...
    @property
    def stale(self) -> Instant: ...
    @property
    def forgotten(self) -> bool: ...

    def foreign(self, grain: Grain) -> str:
        """In what respect it is from outside its job's area; empty if it is not."""


class ClickEvidence(NamedTuple):
    """Evidence, as it is when a click is judged."""

    at: Instant
    agent_is_bot: str = ""
    address_is_bot: bool = False
    clicks_before: int = 0
    opened_at: Instant | None = None
    job_place: JobPlace | None = None
    location: Location = NOWHERE
    left_at: Instant | None = None
    grace: Instant = _48_HOURS * SECOND
    forgotten: bool = False
    ahead: str = ""
    replaced_at: Instant | None = None
    stale: Instant = DAY

    def foreign(self, grain: Grain) -> str:
        return "" if self.job_place is None else foreign_by(grain, self.job_place, self.location)


def class_of_click(rules: Definition, seen: Evidence) -> tuple[str, str] | None:
    """Why a click does not count (class and reason), or None if it may. The first match decides, in
    the order bot, duplicate, foreign, latent. Under any rules, what is no visit is a bot's, and a
    test is invalid.

    Both ends of a window belong to it; sources may bring clicks a little out of order.
    """
    if seen.ahead:
        return (INVALID if seen.ahead == TEST else BOT), seen.ahead
    if rules.bot:
        reason = _bot_reason(rules, seen)
        if reason:
            return BOT, reason
    window = rules.duplicate_seconds
    if window and seen.opened_at is not None and abs(seen.at - seen.opened_at) <= window * SECOND:
        return DUPLICATE, "same_visitor"
    if rules.foreign is not None:
        grain = seen.foreign(rules.foreign)
        if grain:
            return FOREIGN, grain
    if seen.forgotten:
        return LATENT, "old_link"
    if seen.left_at is not None:
        own = rules.latent_seconds
        grace = (seen.grace if own is None else own * SECOND) + rules.latency_minutes * MINUTE
        if seen.at > seen.left_at + grace:
            return LATENT, "left_feed"
    if seen.replaced_at is not None and seen.at > seen.replaced_at + seen.stale:
        return LATENT, "price_too_old"
    return None


def _bot_reason(rules: Definition, seen: Evidence) -> str:
    if rules.by_agent and seen.agent_is_bot:
        return seen.agent_is_bot
    if rules.by_address and seen.address_is_bot:
        return "address_list"
    if rules.most_clicks is not None and seen.clicks_before >= rules.most_clicks:
        return "address_rate"
    return ""


def foreign_by(grain: Grain, job: JobPlace, location: Location) -> str:
    """In what respect a click is from outside the job's area; empty if it is not.

    If either side says nothing, or uses an unknown word, the click counts as inside. REGION has no
    narrower meaning than STATE here.
    """
    country = country_code(job.country)
    if country and location.country and country != location.country:
        job, location = _in_whole(job, country, location)
        country = country_code(job.country)
        if country != location.country:
            return "country"
    if grain == "COUNTRY":
        return ""
    if state_differs(job.state, location.states, country or location.country):
        return "state"
    return "city" if grain == "CITY" and _is_of_another_city(job, country, location) else ""


def _in_whole(job: JobPlace, country: str, location: Location) -> tuple[JobPlace, Location]:
    """Both in the country as a whole, if one is in a territory of the other's: some write that as a
    country, some as a state.
    """
    if (seen := territory_of(location.country)).whole == country:
        names = location.states | seen.names
        return job, location._replace(country=country, states=names)
    if territory_of(country).whole == location.country:
        return job._replace(country=location.country, state=job.country), location
    return job, location


def _is_of_another_city(job: JobPlace, country: str, location: Location) -> bool:
    """Whether a job's city is certainly another. The name of a state or a country in its place is
    that area, if no large city there has that name and the job's other words agree.
    """
    # A code in place of a city names the state or the country, as far as that is known.
    codes = {state for state in location.states if len(state) <= _LONGEST_CODE}
    near = location.cities | codes | {location.country.casefold()}
    if not location.cities or not differs(job.city, near):
        return False
    where = country or location.country
    if is_of_states(job.city, where):
        if job.state.strip():
            return not is_that_state(job.city, job.state, location.states)
        return state_differs(job.city, location.states, where)
    if job.state.strip() or len(job.city) <= _LONGEST_CODE:
        return True
    named = country_code(job.city)
    return not named or named != location.country or named in _WITH_SUCH_A_CITY


def definition_of(
    own: DefinitionBody | None, general: DefinitionBody | None, otherwise: Definition
) -> Definition:
    """The rules at a publisher for a client: its own definition, else the publisher's for all, else
    the default ones. A definition that is switched off is ignored.
    """
    for body in (own, general):
        if body is not None and body.enabled:
            return body.rules
    return otherwise
