"""Whether a job names a different place from the one that a click came from.

A word that is no place's name (Remote, Nationwide) says nothing, and a name may be written in many
ways. What is not known counts in favour of the click. **Source**: domain 7.4.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_NO_PLACE: Final = re.compile(
    r"\b(?:remote\w*|anywhere|everywhere|nation ?wide|state ?wide|country ?wide|world ?wide|global"
    r"|international|national|regional|virtual|online|hybrid|mobile|field|on ?site|multiple|many"
    r"|several|various|varies|diverse|verschiedene\w*|mehrere|alle|all|any|other|others|unknown"
    r"|unspecified|undisclosed|confidential|none|null|test|na|n a|tbd|tba|work from|wfh|home"
    r"|home ?office|telework\w*|telecommut\w*|teletravail|teletrabajo|telearbeit|distanciel"
    r"|remoto|distance|distancia|smart ?working|bundesweit|deutschlandweit|osterreichweit"
    r"|schweizweit|europaweit|weltweit|landesweit|landelijk|thuiswerk\w*|partout|toute la france"
    r"|france entiere|nacional|zdalna|zdalnie|headquarters|hq|office|locations?|cities|states"
    r"|areas?|regions?|county|counties|metro\w*|greater|flexible|distributed|travel\w*|throughout"
    r"|across|coast|local|open|usa|deutschland|emea|apac|latam|dach|north america|south america"
    r"|latin america|europe|europa|asia|road|roving|per diem|multi|drivers?|near you|nearby|your"
    r"|corporate|store|worksite|not|see|description|applicable|specified|tbc|confirmed"
    r"|(?:home|field) ?based|(?:client|customer) sites?|in person|mobiles arbeiten|uberregional"
    r"|distans|hjemmefra|etatyo\w*|evden|thuis|na dalku|homeworking|offshore|vessel|at sea"
    r"|overseas|abroad|relocation|undefined|negotiable|wide|\w+weit|surroundings?|vicinity|umland"
    r"|divers\w*|varias|varios|varie|vari|plusieurs|multiples?|multisite|keine angabe|ka|nvt"
    r"|(?:tutta|toda|hela|hele|heel|cala|koko) (?:italia|espana|mexico|sverige|landet|norge"
    r"|danmark|nederland|polska|suomi)|ogolnopolsk\w*|rikstackande|landsdekkende|dfw|gta|ncr)\b|^city$"
)
"""Words, folded, that show that a text is no single place."""
_PARTS: Final = re.compile(
    r"[,/;|()\[\]•·\n–—]|\s-\s|\b(?:or|and|und|oder|et|ou|y|o|e|en|of)\b|&|\+"
)
_SIDE: Final = re.compile(
    r"(?:north|south|east|west|central|downtown|upper|lower|near|inner"
    r"|(?:raum|grossraum|ballungsraum|stadtraum|umkreis|umgebung|stadt|stadtkreis|landkreis|kreis"
    r"|bezirk|kanton|canton|cantone|provinz|province|provincia|provincie|departement|land|freistaat"
    r"|comunidad|estado|edo|ville|ciudad|comune|citta|city|town|borough)"
    r"(?: (?:von|of|de|du|di|da|del))?) "
)
"""What stands before a name for a part or the surroundings of a place, or for what it is."""
_LATIN: Final = re.compile("[a-z]")
_SHORT: Final = {"saint": "st", "sainte": "ste", "fort": "ft", "mount": "mt", "sankt": "st"}
_AFTER: Final = re.compile(
    r"\s(?:city|town|district|borough|state|province|prefecture|oblast|arrondissement"
    r"|to|fu|ken|shi|ku)$"
)
_FIGURES: Final = re.compile(r"\b\d\w*\b")
_CODE: Final = re.compile(r"\A[a-z]{2}-(?:[a-z]{2,3}-)?(?=\w)")  # of ISO 3166-2: US-TX
_HYPHEN: Final = re.compile(r"(?<=\w)[-‐‑](?=\w)")
_STATES: Final = {
    "US": "al ak az ar ca co ct de dc fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv "
    "nh nj nm ny nc nd oh ok or pa pr ri sc sd tn tx ut vt va wa wv wi wy gu vi as mp, alabama, "
    "alaska, arizona, arkansas, california, colorado, connecticut, delaware, district of columbia, "
    "florida, georgia, hawaii, idaho, illinois, indiana, iowa, kansas, kentucky, louisiana, maine, "
    "maryland, massachusetts, michigan, minnesota, mississippi, missouri, montana, nebraska, "
    "nevada, new hampshire, new jersey, new mexico, new york, north carolina, north dakota, ohio, "
    "oklahoma, oregon, pennsylvania, puerto rico, rhode island, south carolina, south dakota, "
    "tennessee, texas, utah, vermont, virginia, washington, west virginia, wisconsin, wyoming",
    "CA": "ab bc mb nb nl ns nt nu on pe qc sk yt, alberta, british columbia, manitoba, "
    "new brunswick, newfoundland and labrador, newfoundland, nova scotia, northwest territories, "
    "nunavut, ontario, prince edward island, quebec, saskatchewan, yukon",
    "AU": "act nsw nt qld sa tas vic wa, australian capital territory, new south wales, "
    "northern territory, queensland, south australia, tasmania, victoria, western australia",
    "DE": "bw by be bb hb hh he mv ni nw rp sl sn st sh th nrw, baden wurttemberg, bayern, "
    "bavaria, berlin, brandenburg, bremen, hamburg, hessen, hesse, mecklenburg vorpommern, "
    "niedersachsen, lower saxony, nordrhein westfalen, north rhine westphalia, rheinland pfalz, "
    "rhineland palatinate, saarland, sachsen, saxony, sachsen anhalt, saxony anhalt, "
    "schleswig holstein, thuringen, thuringia",
    "GB": "eng sct wls nir, england, scotland, wales, northern ireland",
    "IE": "c l m u, connacht, leinster, munster, ulster",
}
"""For countries with few states: codes, then names, folded. No other words are states there."""
_STATES_OF: Final = {
    country: frozenset(listed.partition(",")[0].split()) | frozenset(listed.split(", ")[1:])
    for country, listed in _STATES.items()
}
_CITIES = "berlin brandenburg bremen hamburg quebec washington"
_ALSO_CITIES: Final = frozenset(["new york", "district of columbia", *_CITIES.split()])
_STATES_ALONE: Final = {
    country: frozenset(listed.split(", ")[1:]) - _ALSO_CITIES for country, listed in _STATES.items()
}
_NAMES: Final = (
    "munchen munich", "koln cologne", "wien vienna", "nurnberg nuremberg", "hannover hanover",
    "zurich zuerich", "genf geneve geneva ginevra", "basel basle bale", "bern berne",
    "luzern lucerne", "roma rome", "milano milan mailand", "napoli naples", "torino turin",
    "firenze florence", "venezia venice", "genova genoa", "padova padua", "praha prague prag",
    "warszawa warsaw warschau", "krakow cracow krakau", "kobenhavn copenhagen",
    "goteborg gothenburg",
    "lisboa lisbon", "sevilla seville", "bruxelles brussel brussels", "antwerpen antwerp anvers",
    "gent ghent gand", "brugge bruges", "liege luik", "den haag/the hague/s gravenhage",
    "moskva moscow", "athina athens", "bucuresti bucharest", "beograd belgrade", "kyiv kiev",
    "strasbourg strassburg", "mexico city/ciudad de mexico/mexico/cdmx", "beijing peking",
    "mumbai bombay", "bengaluru bangalore", "chennai madras", "kolkata calcutta",
    "gurugram gurgaon", "ho chi minh/saigon", "delhi/new delhi", "tel aviv/tel aviv yafo",
    "odisha orissa", "tamil nadu/tamilnadu", "uttarakhand uttaranchal", "puducherry pondicherry",
    "new york/nyc/manhattan/brooklyn/queens/bronx/the bronx/staten island",
    "washington dc/washington",
    "bayern bavaria", "hessen hesse", "niedersachsen/lower saxony", "sachsen saxony",
    "nordrhein westfalen/north rhine westphalia/nrw", "rheinland pfalz/rhineland palatinate",
    "sachsen anhalt/saxony anhalt", "thuringen thuringia", "tirol tyrol", "steiermark styria",
    "karnten carinthia", "niederosterreich/lower austria", "oberosterreich/upper austria",
    "lombardia lombardy", "toscana tuscany", "piemonte piedmont", "sicilia sicily",
    "cataluna catalunya catalonia", "andalucia andalusia", "bretagne brittany",
    "normandie normandy", "noord holland/north holland", "zuid holland/south holland",
    "noord brabant/north brabant",
)  # fmt: skip
"""Places with several names, folded: in their own language, in English, and former ones."""
_SAME_AS: Final = {
    name: names[0]
    for group in _NAMES
    for names in [group.split("/" if "/" in group else " ")]
    for name in names
}
_WHOLE_NAMES: Final = {
    "la": "los angeles",
    "sf": "san francisco",
    "ffm": "frankfurt am main",
    "distrito federal": "mexico",
}
"""What a text means if it is nothing else; within one, it means other places too."""
_UMLAUT: Final = re.compile(r"(?<=[aou])e")  # as written without umlauts: Duesseldorf
_LEAST_WITHIN: Final = 3
_LINK_WORDS: Final = (
    "am an ad an der die im in ob bei vor auf upon on under by the next near sur sous lez les en "
    "de del della di do da dos aan op den"
)
_WATER_WORDS: Final = (
    "main oder saale rhein donau neckar lahn isar inn elbe weser spree neisse havel aisch tauber "
    "ruhr mosel saar ems lech ilm fulda werra trent thames tyne avon severn seine loire rhone "
    "saone marne meuse moselle garonne oise sarthe"
)
_AFTER_WORDS: Final = (
    "germany france england uk us canada austria osterreich switzerland schweiz suisse italy "
    "italia spain espana netherlands nederland belgium ireland australia india mitte zentrum "
    "center centre centrum innenstadt north south east west nord sud ost airport flughafen cedex"
)
_WATERS: Final = frozenset(_WATER_WORDS.split())
"""What tells places of one name apart, with or without a linking word before it."""
_LINKS: Final = frozenset(_LINK_WORDS.split()) | _WATERS
"""Words that go on with a place's name, folded: Frankfurt am Main, Stratford upon Avon."""
_AFTER_NAME: Final = frozenset(_AFTER_WORDS.split()).union(*_STATES_OF.values())
"""What may stand behind a place's name: a state, a country, or a part of the place."""
_POSTCODE: Final = re.compile(r"(?=\w*\d)\w{2,4}")


def is_of_states(said: str, country: str) -> bool:
    """Whether a job's city is as a whole the name of a state of the country, or a side of one, and
    of no large city there: ``Central Texas``, but not ``Kansas City`` or ``Portland, Oregon``.
    """
    whole = _words(said)
    named = _spelled({whole, _SIDE.sub("", whole)})
    return not named.isdisjoint(_STATES_ALONE.get(country, frozenset()))


def is_that_state(city: str, said: str, known: frozenset[str]) -> bool:
    """Whether the state that a job names, and the state that its city names, are the known one."""
    spelled = _folded(known)
    return bool(_names(city) & spelled) and bool(_names(said) & spelled)


def state_differs(said: str, known: frozenset[str], country: str) -> bool:
    """As ``differs``, for a state; ``country``: the two letters of the job's, if known."""
    states = _STATES_OF.get(country)
    if states is not None and not _names(said) & states:
        return False
    if states is not None and (whole := _fold(said)) in states:
        # West Virginia is no side of Virginia.
        return bool(known) and not _spelled({whole}) & _folded(known)
    return bool(said and known) and not (_names(said) & _folded(known)) and _is_place(said)


def differs(said: str, known: frozenset[str]) -> bool:
    """Whether a job's text certainly names a different place from the one with these spellings. A
    name that goes on with a linking word or a state may be the same place: Frankfurt am Main.
    """
    names = _names(said) | _towns(said)
    return bool(said and known) and not _may_be(names, _folded(known)) and _is_place(said)


@lru_cache(maxsize=65_536)
def _towns(said: str) -> frozenset[str]:
    """What stands before a hyphen, mostly a town before its part: Hamburg-Altona."""
    parts = _PARTS.split(said.strip().casefold())
    return _spelled({_fold(_HYPHEN.split(part, 1)[0]) for part in parts})


def _may_be(names: frozenset[str], known: frozenset[str]) -> bool:
    if names & known:
        return True
    waters = frozenset(word for name in names for word in name.split()) & _WATERS
    return any(
        _goes_on(name, other, waters) or _goes_on(other, name, waters)
        for name in names
        for other in known
    )


def _goes_on(name: str, longer: str, waters: frozenset[str]) -> bool:
    """Whether the longer name may be of the same place; ``waters``: those that the job names."""
    if len(name) < _LEAST_WITHIN or not longer.startswith(f"{name} "):
        return False
    rest = longer[len(name) + 1 :]
    words = rest.split()
    if words[0] in _LINKS:
        named = _WATERS.intersection(words)
        return not (named and waters) or not named.isdisjoint(waters)
    return rest in _AFTER_NAME or all(
        word in _AFTER_NAME or _POSTCODE.fullmatch(word) for word in words
    )


@lru_cache(maxsize=65_536)
def _is_place(said: str) -> bool:
    # We do not know which place is meant by a name in another script.
    folded = _fold(said)
    return _LATIN.search(folded) is not None and _NO_PLACE.search(folded) is None


@lru_cache(maxsize=65_536)
def _names(said: str) -> frozenset[str]:
    """All possible names in a text: itself, its parts, and the place of which it names a side."""
    text = said.strip().casefold()
    parts = {*map(_fold, (text, _CODE.sub("", text), *_PARTS.split(text)))}
    parts |= {_SIDE.sub("", part) for part in parts}
    return _spelled(parts | {_WHOLE_NAMES.get(_fold(text), "")})


@lru_cache(maxsize=65_536)
def _folded(known: frozenset[str]) -> frozenset[str]:
    return _spelled(set(map(_fold, known)))


def _spelled(names: set[str]) -> frozenset[str]:
    """The names, also without e for an umlaut, and by their common name."""
    names = names | {_UMLAUT.sub("", name) for name in names}
    return frozenset(filter(None, names | {_SAME_AS.get(name, name) for name in names}))


def _fold(text: str) -> str:
    """Without case, accents, punctuation, digits and common endings of names."""
    return _AFTER.sub("", _words(text))


def _words(text: str) -> str:
    """As ``_fold``, with the common endings."""
    bare = unicodedata.normalize("NFKD", text.casefold().replace("ø", "o").replace("ł", "l"))
    kept = "".join(char for char in bare if not unicodedata.combining(char) and char not in ".'’")
    words = re.findall(r"\w+", _FIGURES.sub(" ", kept))
    return " ".join(_SHORT.get(word, word) for word in words)
