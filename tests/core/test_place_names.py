"""Whether a job's place is surely another one than where a click came from."""

import pytest

from handbill.core.place_names import differs, state_differs

_AUSTIN, _TEXAS = frozenset({"austin"}), frozenset({"texas", "tx"})


@pytest.mark.parametrize(
    "said",
    [
        "Austin",
        "AUSTIN",
        "Austin, TX",
        "78701 Austin",
        "Dallas or Austin",
        "Austin / Dallas",
        "Hybrid - Austin",
        "Remote",
        "remote work",
        "Home Office",
        "Télétravail",
        "Bundesweit",
        "Multiple Locations",
        "N/A",
        "-",
        "",
        "Greater Austin Area",
        "Dallas County",
        "North Austin",
        "EMEA",
        "North America",
        "On the road",
        "Not specified",
        "near you",
        "Multi-Site",
        "Austin–Round Rock–Georgetown",
        "Home-based",
        "Customer site",
        "TBC",
        "To be confirmed",
        "mobiles Arbeiten",
        "überregional",
        "Hjemmefra",
        "Etätyö",
        "Offshore",
        "undefined",
        "City",
        "Store #123",
        "Negotiable",
        "UK-wide",
        "Austin and surroundings",
        "k.A.",
        "keine Angabe",
        "inselweit",
        "Plusieurs villes",
        "Varias localidades",
        "Varie sedi",
        "Tutta Italia",
        "Toda España",
        "Hela Sverige",
        "Cała Polska",
        "Ogólnopolska",
        "Остин",
        "オースティン",
    ],
)
def test_what_is_there_or_is_no_place_speaks_for_the_click(said: str) -> None:
    assert not differs(said, _AUSTIN)


@pytest.mark.parametrize(
    "said",
    [
        "Dallas",
        "Dallas, TX",
        "Toda",
        "Cala Millor",
        "Darwin, NT",
        "Wilkes-Barre",
        "Dallas/Fort Worth",
    ],
)
def test_another_place_is_another_place(said: str) -> None:
    assert differs(said, _AUSTIN)
    assert not differs(said, frozenset())


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("St. Louis", "saint louis"),
        ("Zürich", "zurich"),
        ("NEW-YORK", "new york"),
        ("New York City", "new york"),
        ("Washington, D.C.", "washington"),
        ("Ft. Worth", "fort worth"),
        ("München (Schwabing)", "münchen"),
        ("Duesseldorf", "düsseldorf"),
        ("Düsseldorf", "dusseldorf"),
        ("Goettingen", "göttingen"),
        ("München", "munich"),
        ("Muenchen", "munich"),
        ("Cologne", "köln"),
        ("Den Haag", "the hague"),
        ("Praha 4", "prague"),
        ("NYC", "new york"),
        ("Frankfurt", "frankfurt am main"),
        ("Frankfurt (Main)", "frankfurt am main"),
        ("Austin TX", "austin"),
        ("London EC1", "london"),
        ("Frankfurt a.M.", "frankfurt am main"),
        ("Frankfurt (Hessen)", "frankfurt am main"),
        ("Stratford upon Avon", "stratford"),
        ("Winston-Salem North Carolina", "winston-salem"),
        ("Berlin-Mitte", "berlin"),
        ("L.A.", "los angeles"),
        ("SF", "san francisco"),
        ("Ffm", "frankfurt am main"),
        ("CDMX", "mexico city"),
        ("Delhi NCR", "new delhi"),
        ("New Delhi", "delhi"),
        ("Tel Aviv", "tel aviv-yafo"),
        ("Paris 15ème arrondissement", "paris"),
    ],
)
def test_one_place_in_many_spellings(said: str, known: str) -> None:
    assert not differs(said, frozenset({known}))


@pytest.mark.parametrize(
    ("said", "country", "is_other"),
    [
        ("NY", "US", True),
        ("Iowa", "US", True),
        ("TX", "US", False),
        ("US-TX", "US", False),
        ("Nationwide", "US", False),
        ("Sun Belt", "US", False),
        ("Sun Belt", "FR", True),
        ("Bayern", "DE", True),
    ],
)
def test_a_word_that_is_no_state_of_its_country_says_nothing(
    said: str, country: str, is_other: bool
) -> None:
    assert state_differs(said, _TEXAS, country) is is_other


@pytest.mark.parametrize(
    ("said", "country", "known", "is_other"),
    [
        ("Bayern", "DE", {"bavaria", "by"}, False),
        ("NRW", "DE", {"north rhine-westphalia", "nw"}, False),
        ("Hessen", "DE", {"bavaria", "by"}, True),
        ("Kent", "GB", {"england", "eng"}, False),
        ("Scotland", "GB", {"england", "eng"}, True),
        ("Dublin", "IE", {"leinster", "l"}, False),
        ("Cataluña", "ES", {"catalonia", "ct"}, False),
        ("West Virginia", "US", {"virginia", "va"}, True),
        ("Orissa", "IN", {"odisha", "or"}, False),
        ("Tamilnadu", "IN", {"tamil nadu", "tn"}, False),
        ("Distrito Federal", "MX", {"mexico city", "cmx"}, False),
        ("Distrito Federal", "BR", {"distrito federal", "df"}, False),
        ("Edo. de México", "MX", {"méxico", "mex"}, False),
        ("Tokyo-to", "JP", {"tokyo", "13"}, False),
        ("Osaka-fu", "JP", {"tokyo", "13"}, True),
    ],
)
def test_states_have_several_names_too(
    said: str, country: str, known: set[str], is_other: bool
) -> None:
    assert state_differs(said, frozenset(known), country) is is_other


@pytest.mark.parametrize("said", ["Yorkton", "Munch", "Frankfort"])
def test_a_part_of_a_word_is_another_place(said: str) -> None:
    assert differs(said, frozenset({"york", "munich", "frankfurt am main"}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("York", "new york"),
        ("Mexico", "new mexico"),
        ("Orleans", "new orleans"),
        ("Essen", "bad essen"),
        ("Salem", "winston-salem"),
        ("San", "san jose"),
        ("Virginia", "virginia beach"),
        ("Baton Rouge, LA", "los angeles"),
        ("Frankfurt (Oder)", "frankfurt am main"),
        ("Frankfurt/Oder", "frankfurt am main"),
    ],
)
def test_a_part_of_a_longer_name_is_another_place(one: str, other: str) -> None:
    assert differs(one, frozenset({other}))
    assert differs(other.title(), frozenset({one.lower()}))


@pytest.mark.parametrize(
    ("said", "city", "expected"),
    [
        ("Hamburg-Altona", "hamburg", False),
        ("Frankfurt-Höchst", "frankfurt am main", False),
        ("Hamburg-Altona", "munich", True),
        ("Raum München", "munich", False),
        ("Großraum Hamburg", "munich", True),
        ("Ville de Genève", "geneva", False),
        ("US-TX-Austin", "austin", False),
        ("US-TX-Austin", "dallas", True),
        ("Brooklyn", "new york", False),
        ("Clermont-Ferrand", "lyon", True),
    ],
)
def test_a_town_is_found_before_its_part_and_behind_what_it_is(
    said: str, city: str, *, expected: bool
) -> None:
    assert differs(said, frozenset({city})) is expected


def test_a_canton_is_compared_by_its_name() -> None:
    zurich = frozenset({"zh", "zurich"})
    assert not state_differs("Kanton Zürich", zurich, "CH")
    assert state_differs("Canton of Bern", zurich, "CH")
    assert state_differs("Sachsen-Anhalt", frozenset({"sn", "saxony"}), "DE")
