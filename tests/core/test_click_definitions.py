"""Classes of clicks by a definition, and which definition holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.click_definitions import (
    GRAINS,
    PRESETS,
    REASONS,
    ClickEvidence,
    Definition,
    DefinitionBody,
    Grain,
    JobPlace,
    Location,
    class_of_click,
    definition_of,
    foreign_by,
)
from handbill.core.countries import country_code
from handbill.core.judging import BOT, DUPLICATE, FOREIGN, LATENT
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND

AUSTIN = Location("US", "Austin", frozenset({"tx", "texas"}), frozenset({"austin"}))
PLAIN = Definition(duplicate_seconds=30)
ALL = Definition(duplicate_seconds=30, latent_seconds=60, foreign="CITY", most_clicks=3)


def kind(rules: Definition, **seen: object) -> str | None:
    found = class_of_click(rules, ClickEvidence(**({"at": 0} | seen)))  # type: ignore[arg-type]
    return found and found[0]


@pytest.mark.parametrize(
    ("bot", "opened_at", "at", "window", "expected"),
    [
        ("agent_list", None, 0, 30, BOT),
        ("agent_list", 0, 1, 30, BOT),  # a bot's repeat is a bot first
        ("", None, 0, 30, None),
        ("", 0, 30 * SECOND, 30, DUPLICATE),
        ("", 0, 30 * SECOND + 1, 30, None),
        ("", 30 * SECOND, 0, 30, DUPLICATE),  # brought out of order
        ("", 30 * SECOND + 1, 0, 30, None),
        ("", 5, 5, None, None),  # no window, no repeats
        ("", 5, 5, 0, None),
    ],
)
def test_the_order_and_the_window(
    bot: str, opened_at: int | None, at: int, window: int | None, expected: str | None
) -> None:
    rules = Definition(duplicate_seconds=window)
    assert kind(rules, agent_is_bot=bot, opened_at=opened_at, at=at) == expected


def test_the_first_class_that_hits_is_told() -> None:
    seen = {
        "at": 10 * DAY,
        "agent_is_bot": "no_agent",
        "address_is_bot": True,
        "clicks_before": 9,
        "opened_at": 10 * DAY,
        "job_place": JobPlace("DE", "", ""),
        "location": AUSTIN,
        "left_at": 0,
    }
    told = []
    for off in (
        {},
        {"agent_is_bot": ""},
        {"address_is_bot": False},
        {"clicks_before": 2},
        {"opened_at": None},
        {"location": Location()},
        {"left_at": None},
    ):
        seen |= off
        told.append(class_of_click(ALL, ClickEvidence(**seen)))  # type: ignore[arg-type]
    assert all(one is None or one[1] in REASONS[one[0]] for one in told)
    assert told == [
        (BOT, "no_agent"),
        (BOT, "address_list"),
        (BOT, "address_rate"),
        (DUPLICATE, "same_visitor"),
        (FOREIGN, "country"),
        (LATENT, "left_feed"),
        None,
    ]


def test_detectors_are_switched_one_by_one() -> None:
    both = {"agent_is_bot": "agent_list", "address_is_bot": True}
    assert kind(Definition(bot=False, most_clicks=1), clicks_before=5, **both) is None
    assert class_of_click(Definition(by_agent=False), ClickEvidence(0, "agent_list", True)) == (
        BOT,
        "address_list",
    )
    assert kind(Definition(by_agent=False, by_address=False), **both) is None
    assert kind(Definition(most_clicks=3), clicks_before=2) is None
    assert kind(Definition(most_clicks=3), clicks_before=3) == BOT


def test_the_grace_after_leaving_ends_to_the_microsecond() -> None:
    left = 5 * DAY
    assert kind(PLAIN, at=left + 48 * HOUR, left_at=left) is None
    assert kind(PLAIN, at=left + 48 * HOUR + 1, left_at=left) == LATENT
    assert kind(PLAIN, at=left - DAY, left_at=left) is None
    slow = Definition(latent_seconds=0, latency_minutes=30)
    assert kind(slow, at=left + 30 * MINUTE, left_at=left) is None
    assert kind(slow, at=left + 30 * MINUTE + 1, left_at=left) == LATENT
    unsaid = Definition(latent_seconds=None)
    assert kind(unsaid, at=left + 3 * DAY, left_at=left, grace=3 * DAY) is None
    assert kind(unsaid, at=left + 3 * DAY + 1, left_at=left, grace=3 * DAY) == LATENT
    assert kind(unsaid, at=left, forgotten=True) == LATENT


@pytest.mark.parametrize(
    ("grain", "place", "expected"),
    [
        ("COUNTRY", ("US", "", ""), ""),
        ("COUNTRY", ("united states", "Bavaria", "Munich"), ""),
        ("COUNTRY", ("usa", "", ""), ""),
        ("COUNTRY", ("Germany", "", ""), "country"),
        ("COUNTRY", ("Ruritania", "", ""), ""),  # a word that we do not know
        ("COUNTRY", ("", "", ""), ""),
        ("STATE", ("US", "TX", "Dallas"), ""),
        ("STATE", ("US", " texas", ""), ""),
        ("STATE", ("US", "CA", ""), "state"),
        ("REGION", ("US", "CA", ""), "state"),
        ("STATE", ("CA", "TX", ""), "country"),
        ("STATE", ("US", "", "Dallas"), ""),
        ("CITY", ("US", "TX", "AUSTIN"), ""),
        ("CITY", ("US", "TX", "TX"), ""),
        ("CITY", ("US", "", "us"), ""),
        ("CITY", ("US", "", "Texas"), ""),
        ("CITY", ("US", "", "Central Texas"), ""),
        ("CITY", ("", "", "United States"), ""),
        ("CITY", ("US", "", "California"), "city"),
        ("CITY", ("US", "", "New York"), "city"),
        ("CITY", ("", "", "Nederland"), "city"),
        ("CITY", ("US", "TX", "Dallas"), "city"),
        ("CITY", ("US", "", "Dallas"), "city"),
    ],
)
def test_outside_the_area_of_the_job(
    grain: str, place: tuple[str, str, str], expected: str
) -> None:
    assert foreign_by(grain, JobPlace(*place), AUSTIN) == expected  # type: ignore[arg-type]
    if expected:
        assert foreign_by(grain, JobPlace(*place), Location()) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("job", "country", "city", "states", "expected"),
    [
        ("Kansas City (MO)", "US", "kansas city", "missouri mo", ""),
        ("Kansas City", "US", "kansas city", "missouri mo", ""),
        ("Michigan City (IN)", "US", "michigan city", "indiana in", ""),
        ("Wyoming (MI)", "US", "wyoming", "michigan mi", ""),
        ("Wyoming (MI)", "US", "detroit", "michigan mi", "city"),
        ("Indiana (PA)", "US", "indiana", "pennsylvania pa", ""),
        ("Nevada", "US", "nevada", "missouri mo", ""),
        ("Nevada", "US", "reno", "nevada nv", ""),
        ("Nevada (NV)", "US", "reno", "nevada nv", ""),
        ("Portland, Oregon", "US", "salem", "oregon or", "city"),
        ("Oklahoma City", "US", "tulsa", "oklahoma ok", "city"),
        ("Texas City", "US", "dallas", "texas tx", "city"),
        ("Frankfurt, Hessen", "DE", "kassel", "hesse he", "city"),
        ("Munich, Bavaria", "DE", "nuremberg", "bavaria by", "city"),
        ("Bayern", "DE", "nuremberg", "bavaria by", ""),
        ("Bayern", "DE", "kassel", "hesse he", "city"),
        ("Brandenburg (BB)", "DE", "potsdam", "brandenburg bb", "city"),
        ("Toronto, Ontario", "CA", "ottawa", "ontario on", "city"),
        ("Melbourne, Victoria", "AU", "geelong", "victoria vic", "city"),
        ("Luxembourg", "LU", "esch-sur-alzette", "esch", "city"),
        ("Panama", "PA", "colon", "colon", "city"),
        ("Deutschland", "DE", "kassel", "hesse he", ""),
        ("Nederland (NH)", "NL", "haarlem", "nh", "city"),
    ],
)
def test_a_state_in_place_of_a_city_is_told_from_a_city(
    job: str, country: str, city: str, states: str, expected: str
) -> None:
    named, _, state = job.removesuffix(")").partition(" (")
    seen = Location(country, city, frozenset(states.split()), frozenset([city]))
    assert foreign_by("CITY", JobPlace(country, state, named), seen) == expected


_SAN_JUAN = Location("PR", "San Juan", frozenset(), frozenset({"san juan"}))
_SAINT_DENIS = Location("RE", "Saint-Denis", frozenset(), frozenset({"saint-denis"}))


@pytest.mark.parametrize(
    ("seen", "grain", "place", "expected"),
    [
        (_SAN_JUAN, "CITY", ("US", "PR", "San Juan"), ""),
        (_SAN_JUAN, "STATE", ("USA", "Puerto Rico", "Ponce"), ""),
        (_SAN_JUAN, "STATE", ("US", "TX", "Austin"), "state"),
        (_SAN_JUAN, "COUNTRY", ("US", "TX", "Austin"), ""),
        (_SAN_JUAN, "COUNTRY", ("CA", "", ""), "country"),
        (_SAN_JUAN._replace(country="US", states=frozenset({"pr"})), "STATE", ("PR", "", ""), ""),
        (AUSTIN, "COUNTRY", ("Puerto Rico", "", "San Juan"), ""),
        (AUSTIN, "STATE", ("Puerto Rico", "", "San Juan"), "state"),
        (_SAINT_DENIS, "CITY", ("FR", "La Réunion", "St-Denis"), ""),
        (_SAINT_DENIS, "STATE", ("FR", "Bretagne", "Brest"), "state"),
        (_SAINT_DENIS, "COUNTRY", ("DE", "", ""), "country"),
    ],
)
def test_a_territory_is_a_country_to_some_and_a_state_to_others(
    seen: Location, grain: Grain, place: tuple[str, str, str], expected: str
) -> None:
    assert foreign_by(grain, JobPlace(*place), seen) == expected


@given(st.sampled_from(GRAINS), st.tuples(*[st.text(max_size=9)] * 3))
def test_who_is_nowhere_is_never_foreign(grain: str, place: tuple[str, str, str]) -> None:
    assert foreign_by(grain, JobPlace(*place), Location()) == ""  # type: ignore[arg-type]


def test_countries_are_known_by_code_and_name() -> None:
    spelled = ("de", "DEU", "Germany", "UK", "côte d'ivoire", "x")
    assert [country_code(text) for text in spelled] == ["DE", "DE", "DE", "GB", "CI", ""]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Deutschland", "DE"),
        ("ESPANA", "ES"),
        ("Österreich", "AT"),
        ("Suisse", "CH"),
        ("Royaume-Uni", "GB"),
        ("Россия", "RU"),
        ("日本", "JP"),
        ("U.S.A", "US"),
        ("Trinidad & Tobago", "TT"),
        ("Saint Lucia", "LC"),
        ("Netherlands, The", "NL"),
        ("Korea, Republic of", "KR"),
        ("Kingdom of Saudi Arabia", "SA"),
        ("Federal Republic of Germany", "DE"),
        ("Republic of China", ""),
        ("State of Georgia", ""),
        ("EE. UU.", "US"),
        ("E.U.A.", "US"),
        ("États-Unis d’Amérique", "US"),
        ("アメリカ合衆国", "US"),
        ("Südafrika", "ZA"),
        ("Nouvelle-Zélande", "NZ"),
        ("Emirats Arabes Unis", "AE"),
        ("Corea del Sur", "KR"),
        ("Korea, Democratic People's Republic of", "KP"),
        ("Virgin Islands, U.S.", "VI"),
        ("Venezuela (Bolivarian Republic of)", "VE"),
        ("Bolivia (Plurinational State of)", "BO"),
        ("Tanzania, United Republic of", "TZ"),
        ("Netherlands (Kingdom of the)", "NL"),
        ("Germany (DE)", "DE"),
        ("DE (Germany)", "DE"),
        ("Germany (Deutschland)", "DE"),
        ("Congo (the)", "CG"),
        ("Congo (Kinshasa)", "CD"),
        ("Congo (DRC)", "CD"),
        ("Congo, Dem. Rep. of", ""),
        ("Korea (North)", "KP"),
        ("Korea (the Republic of)", "KR"),
        ("Korea (DPR)", ""),
        ("Korea, Dem. People's Rep. of", ""),
        ("Korea, Democratic Republic of", ""),
        ("China, Republic of", ""),
        ("China (People's Republic of)", "CN"),
        ("Hong Kong (China)", ""),
        ("Sudan (South)", ""),
        ("Samoa (American)", ""),
        ("Guinea (Equatorial)", ""),
        ("Guyana (French)", ""),
        ("Saint Martin (Dutch part)", ""),
        ("United States (Virgin Islands)", ""),
        ("Georgia, State of", ""),
        ("CA, Commonwealth of", ""),
        ("California (CA)", ""),
        ("Delaware (DE)", ""),
        ("Georgia (USA)", ""),
        ("Georgia, USA", ""),
        ("Remote", ""),
        ("", ""),
        ("(", ""),
    ],
)
def test_countries_are_known_by_their_own_names_and_official_ones(text: str, code: str) -> None:
    assert country_code(text) == code


def test_the_presets_are_those_of_the_platform() -> None:
    rows = {
        name: (one.duplicate_seconds, one.latent_seconds, one.foreign, one.bot)
        for name, one in PRESETS.items()
    }
    assert rows == {
        "Default": (None, 172_800, None, True),
        "1": (60, None, "COUNTRY", False),
        "2": (60, 86_400, None, False),
        "3": (3_600, 172_800, None, False),
        "4": (600, 172_800, "COUNTRY", False),
        "5": (60, 86_400, "COUNTRY", True),
    }


def test_the_client_s_own_definition_goes_first_and_a_switched_off_one_does_not_count() -> None:
    own, general, otherwise = (Definition(duplicate_seconds=n) for n in (1, 2, 3))
    on, off = DefinitionBody(rules=own), DefinitionBody(enabled=False, rules=own)
    for_all = DefinitionBody(rules=general)
    assert definition_of(on, for_all, otherwise) == own
    assert definition_of(off, for_all, otherwise) == general
    assert definition_of(None, for_all, otherwise) == general
    assert definition_of(off, None, otherwise) == otherwise
