"""The country that a text means: two letters, three, or a name in English or its own languages.

**Source**: ISO 3166-1 (codes and English names).
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

_COUNTRIES: Final = """
AD AND Andorra; AE ARE United Arab Emirates; AF AFG Afghanistan; AG ATG Antigua and Barbuda; AI
AIA Anguilla; AL ALB Albania; AM ARM Armenia; AO AGO Angola; AQ ATA Antarctica; AR ARG Argentina;
AS ASM American Samoa; AT AUT Austria; AU AUS Australia; AW ABW Aruba; AX ALA Åland Islands; AZ
AZE Azerbaijan; BA BIH Bosnia and Herzegovina; BB BRB Barbados; BD BGD Bangladesh; BE BEL Belgium;
BF BFA Burkina Faso; BG BGR Bulgaria; BH BHR Bahrain; BI BDI Burundi; BJ BEN Benin; BL BLM Saint
Barthélemy; BM BMU Bermuda; BN BRN Brunei; BO BOL Bolivia; BQ BES Bonaire; BR BRA Brazil; BS BHS
Bahamas; BT BTN Bhutan; BV BVT Bouvet Island; BW BWA Botswana; BY BLR Belarus; BZ BLZ Belize; CA
CAN Canada; CC CCK Cocos Islands; CD COD Democratic Republic of the Congo; CF CAF Central African
Republic; CG COG Congo; CH CHE Switzerland; CI CIV Côte d'Ivoire; CK COK Cook Islands; CL CHL
Chile; CM CMR Cameroon; CN CHN China; CO COL Colombia; CR CRI Costa Rica; CU CUB Cuba; CV CPV Cabo
Verde; CW CUW Curaçao; CX CXR Christmas Island; CY CYP Cyprus; CZ CZE Czechia; DE DEU Germany; DJ
DJI Djibouti; DK DNK Denmark; DM DMA Dominica; DO DOM Dominican Republic; DZ DZA Algeria; EC ECU
Ecuador; EE EST Estonia; EG EGY Egypt; EH ESH Western Sahara; ER ERI Eritrea; ES ESP Spain; ET ETH
Ethiopia; FI FIN Finland; FJ FJI Fiji; FK FLK Falkland Islands; FM FSM Micronesia; FO FRO Faroe
Islands; FR FRA France; GA GAB Gabon; GB GBR United Kingdom; GD GRD Grenada; GE GEO Georgia; GF
GUF French Guiana; GG GGY Guernsey; GH GHA Ghana; GI GIB Gibraltar; GL GRL Greenland; GM GMB
Gambia; GN GIN Guinea; GP GLP Guadeloupe; GQ GNQ Equatorial Guinea; GR GRC Greece; GS SGS South
Georgia and the South Sandwich Islands; GT GTM Guatemala; GU GUM Guam; GW GNB Guinea-Bissau; GY
GUY Guyana; HK HKG Hong Kong; HM HMD Heard Island and McDonald Islands; HN HND Honduras; HR HRV
Croatia; HT HTI Haiti; HU HUN Hungary; ID IDN Indonesia; IE IRL Ireland; IL ISR Israel; IM IMN
Isle of Man; IN IND India; IO IOT British Indian Ocean Territory; IQ IRQ Iraq; IR IRN Iran; IS ISL
Iceland; IT ITA Italy; JE JEY Jersey; JM JAM Jamaica; JO JOR Jordan; JP JPN Japan; KE KEN Kenya;
KG KGZ Kyrgyzstan; KH KHM Cambodia; KI KIR Kiribati; KM COM Comoros; KN KNA Saint Kitts and Nevis;
KP PRK North Korea; KR KOR South Korea; KW KWT Kuwait; KY CYM Cayman Islands; KZ KAZ Kazakhstan;
LA LAO Laos; LB LBN Lebanon; LC LCA Saint Lucia; LI LIE Liechtenstein; LK LKA Sri Lanka; LR LBR
Liberia; LS LSO Lesotho; LT LTU Lithuania; LU LUX Luxembourg; LV LVA Latvia; LY LBY Libya; MA MAR
Morocco; MC MCO Monaco; MD MDA Moldova; ME MNE Montenegro; MF MAF Saint Martin; MG MDG Madagascar;
MH MHL Marshall Islands; MK MKD North Macedonia; ML MLI Mali; MM MMR Myanmar; MN MNG Mongolia; MO
MAC Macao; MP MNP Northern Mariana Islands; MQ MTQ Martinique; MR MRT Mauritania; MS MSR
Montserrat; MT MLT Malta; MU MUS Mauritius; MV MDV Maldives; MW MWI Malawi; MX MEX Mexico; MY MYS
Malaysia; MZ MOZ Mozambique; NA NAM Namibia; NC NCL New Caledonia; NE NER Niger; NF NFK Norfolk
Island; NG NGA Nigeria; NI NIC Nicaragua; NL NLD Netherlands; NO NOR Norway; NP NPL Nepal; NR NRU
Nauru; NU NIU Niue; NZ NZL New Zealand; OM OMN Oman; PA PAN Panama; PE PER Peru; PF PYF French
Polynesia; PG PNG Papua New Guinea; PH PHL Philippines; PK PAK Pakistan; PL POL Poland; PM SPM
Saint Pierre and Miquelon; PN PCN Pitcairn; PR PRI Puerto Rico; PS PSE Palestine; PT PRT Portugal;
PW PLW Palau; PY PRY Paraguay; QA QAT Qatar; RE REU Réunion; RO ROU Romania; RS SRB Serbia; RU RUS
Russia; RW RWA Rwanda; SA SAU Saudi Arabia; SB SLB Solomon Islands; SC SYC Seychelles; SD SDN
Sudan; SE SWE Sweden; SG SGP Singapore; SH SHN Saint Helena; SI SVN Slovenia; SJ SJM Svalbard and
Jan Mayen; SK SVK Slovakia; SL SLE Sierra Leone; SM SMR San Marino; SN SEN Senegal; SO SOM
Somalia; SR SUR Suriname; SS SSD South Sudan; ST STP Sao Tome and Principe; SV SLV El Salvador; SX
SXM Sint Maarten; SY SYR Syria; SZ SWZ Eswatini; TC TCA Turks and Caicos Islands; TD TCD Chad; TF
ATF French Southern Territories; TG TGO Togo; TH THA Thailand; TJ TJK Tajikistan; TK TKL Tokelau;
TL TLS Timor-Leste; TM TKM Turkmenistan; TN TUN Tunisia; TO TON Tonga; TR TUR Turkey; TT TTO
Trinidad and Tobago; TV TUV Tuvalu; TW TWN Taiwan; TZ TZA Tanzania; UA UKR Ukraine; UG UGA Uganda;
UM UMI United States Minor Outlying Islands; US USA United States; UY URY Uruguay; UZ UZB
Uzbekistan; VA VAT Vatican City; VC VCT Saint Vincent and the Grenadines; VE VEN Venezuela; VG VGB
British Virgin Islands; VI VIR US Virgin Islands; VN VNM Vietnam; VU VUT Vanuatu; WF WLF Wallis
and Futuna; WS WSM Samoa; YE YEM Yemen; YT MYT Mayotte; ZA ZAF South Africa; ZM ZMB Zambia; ZW ZWE
Zimbabwe
"""
_NATIVE: Final = """
AE الإمارات العربية المتحدة, Emirats arabes unis, Vereinigte Arabische Emirate, Emiratos Árabes
Unidos; AL Shqipëri; AM Հայաստան; AR Argentinien, Argentine; AT Österreich, Autriche,
Oostenrijk, Österrike; AU Australien, Australie; AZ Azərbaycan; BA Bosna i Hercegovina, Босна и
Херцеговина; BD বাংলাদেশ; BE België, Belgique, Belgien, Bélgica, Belgio, Belgia; BG България;
BH البحرين; BR Brasil, Brasilien, Brésil, Brasile, Brazilië, Brazylia; BY Беларусь; CA Kanada;
CH Schweiz, Suisse, Svizzera, Suiza, Zwitserland, Suíça, Szwajcaria; CM Cameroun; CN 中国, PRC,
Mainland China, Chine, Cina, Chiny, Kina, 中國; CO Kolumbien, Colombie; CY Κύπρος, Kıbrıs; CZ
Česko, Tschechien, Tchéquie, Chequia, Cechia, Tsjechië, Tchéquia, Czechy, Tjeckien, Česká
republika, République tchèque, Tschechische Republik; DE Deutschland, Allemagne, Alemania,
Germania, Duitsland, Alemanha, Niemcy, Tyskland, Bundesrepublik Deutschland, BRD; DJ جيبوتي; DK
Danmark, Dänemark, Dinamarca, Danimarca, Denemarken, Dania; DO República Dominicana; DZ
الجزائر, Algérie; EE Eesti; EG مصر, Ägypten, Égypte, Egipto, Egitto; ES España, Spanien,
Espagne, Spagna, Spanje, Espanha, Hiszpania; FI Suomi, Finnland, Finlande, Finlandia; FR
Frankreich, Francia, Frankrijk, França, Francja, Frankrike; GB Vereinigtes Königreich,
Royaume-Uni, Reino Unido, Regno Unito, Verenigd Koninkrijk, Wielka Brytania, Storbritannien,
Grossbritannien, Grande-Bretagne, Gran Bretaña, Gran Bretagna, Groot-Brittannië,
Großbritannien; GE საქართველო; GR Ελλάδα, Griechenland, Grèce, Grecia, Griekenland, Grecja,
Grekland; HK Hong Kong SAR; HR Hrvatska, Kroatien, Croatie, Croacia, Croazia, Kroatië,
Chorwacja; HU Magyarország, Ungarn, Hongrie, Hungría, Ungheria, Hongarije, Węgry, Ungern; IE
Éire, Irland, Irlande, Irlanda, Ierland, Irlandia; IL ישראל; IN भारत, Indien, Inde, Indie; IQ
العراق; IR ایران; IS Ísland; IT Italia, Italien, Italie, Włochy; JO الأردن; JP 日本, Japon,
Giappone, Japão, Japonia; KG Кыргызстан; KP 북한; KR 대한민국, 한국, Südkorea, Corée du Sud,
Corea del Sur, Corea del Sud; KW الكويت; KZ Казахстан, Қазақстан; LB لبنان; LT Lietuva; LU
Lëtzebuerg,
Luxemburg, Luxemburgo, Lussemburgo, Luksemburg; LV Latvija; LY ليبيا; MA المغرب, Maroc,
Marokko, Marruecos, Marocco; MD Republica Moldova; ME Crna Gora; MK Северна Македонија; MN
Монгол; MU Maurice; MX Mexiko, Mexique, Messico, Meksyk; MZ Moçambique; NC Nouvelle-Calédonie;
NZ Neuseeland, Nouvelle-Zélande, Nueva Zelanda, Nuova Zelanda; NL Nederland, Niederlande,
Pays-Bas, Países Bajos, Paesi Bassi, Países Baixos, Holandia, Nederländerna, Die Niederlande,
Les Pays-Bas, Olanda, Holanda; NO Norge, Norwegen, Norvège, Noruega, Norvegia, Noorwegen,
Norwegia; NP नेपाल; PH Pilipinas, Philippinen, Filipinas; PK پاکستان; PL Polska, Polen,
Pologne, Polonia; PS الأراضي الفلسطينية; PT Portogallo, Portugalia; QA قطر; RE La Réunion; RO
Rumänien, Roumanie, Rumanía, Roemenië, Romênia, Rumunia; RS Србија, Srbija; RU Россия,
Russland, Russie, Rusia, Rusland, Rosja, Ryssland; SA المملكة العربية السعودية, KSA,
Saudi-Arabien, Arabie saoudite, Arabia Saudita; SD السودان; SE Sverige, Schweden, Suède,
Suecia, Svezia, Zweden, Szwecja; SG 新加坡, Singapur, Singapour; SI Slovenija; SK Slovensko,
Slowakei, Slovaquie, Eslovaquia, Slovacchia, Slowakije, Słowacja, Slovakien; ST São Tomé e
Príncipe; TD Tchad; TH ประเทศไทย, ไทย; TN تونس, Tunisie; TR Türkei, Turquie, Turquía, Turchia,
Turkije, Turcja, Turkiet; TW 台灣, 台湾; UA Україна, Украина, Ucrania, Ucraina, Oekraïne, Ukraina;
US Vereinigte Staaten, États-Unis, Estados Unidos, Stati Uniti, Verenigde Staten, Stany
Zjednoczone, EEUU, EE UU, EUA, États-Unis d'Amérique, Estados Unidos de América, Stati Uniti
d'America, Estados Unidos da América, Verenigde Staten van Amerika, Förenta staterna, США,
アメリカ, アメリカ合衆国, 美国, 美國, 미국; ZA Südafrika, Afrique du Sud, Sudáfrica, Sudafrica,
Zuid-Afrika, África do Sul; VA Città del Vaticano; XK Kosovo; YE اليمن
"""
"""By country: its names in its own languages, then those of neighbours and of large markets in
German, French, Spanish, Italian, Dutch, Portuguese, Polish and Swedish. **Source**: Unicode CLDR.
"""
_OTHER_NAMES: Final = {
    "bonaire sint eustatius and saba": "BQ",
    "brunei darussalam": "BN",
    "burma": "MM",
    "cape verde": "CV",
    "china peoples republic of": "CN",
    "cocos keeling islands": "CC",
    "congo brazzaville": "CG",
    "congo democratic republic of the": "CD",
    "congo drc": "CD",
    "congo kinshasa": "CD",
    "congo republic of": "CG",
    "congo republic of the": "CG",
    "congo the": "CG",
    "congo the democratic republic of the": "CD",
    "czech republic": "CZ",
    "democratic peoples republic of korea": "KP",
    "east timor": "TL",
    "england": "GB",
    "falkland islands malvinas": "FK",
    "great britain": "GB",
    "holland": "NL",
    "holy see": "VA",
    "holy see vatican city state": "VA",
    "ivory coast": "CI",
    "korea": "KR",
    "korea democratic peoples republic of": "KP",
    "korea north": "KP",
    "korea republic of": "KR",
    "korea south": "KR",
    "korea the democratic peoples republic of": "KP",
    "korea the republic of": "KR",
    "lao peoples democratic republic": "LA",
    "macau": "MO",
    "macedonia": "MK",
    "northern ireland": "GB",
    "oesterreich": "AT",
    "palestine state of": "PS",
    "peoples republic of china": "CN",
    "republic of ireland": "IE",
    "republic of korea": "KR",
    "republic of the congo": "CG",
    "russian federation": "RU",
    "scotland": "GB",
    "sint maarten dutch part": "SX",
    "st martin french part": "MF",
    "swaziland": "SZ",
    "syrian arab republic": "SY",
    "taiwan province of china": "TW",
    "turkiye": "TR",
    "uae": "AE",
    "uk": "GB",
    "united kingdom of great britain and northern ireland": "GB",
    "united republic of tanzania": "TZ",
    "united states of america": "US",
    "vereinigte staaten von amerika": "US",
    "viet nam": "VN",
    "virgin islands british": "VG",
    "virgin islands us": "VI",
    "wales": "GB",
}
_LETTERS: Final = str.maketrans("łøðıß", "lodis", ".'’ʼ")
_LONGEST: Final = 100
_STYLE_NAMES = (
    "the/republic of/republic of the/federal republic of/islamic republic of/united republic of"
    "/bolivarian republic of/former yugoslav republic of/plurinational state of/federation of"
    "/federated states of/kingdom of/kingdom of the/principality of/grand duchy of/sultanate of"
    "/commonwealth of/commonwealth of the"
)
_STYLES: Final = frozenset(_STYLE_NAMES.split("/"))
"""What may stand before or behind a country's name without meaning another country, folded."""
_DIVIDED: Final = frozenset(["korea", "congo", "china"])
"""Names that such words tell apart; their full names are listed."""
_LONGEST_CODE: Final = 3
_WITH_MORE: Final = re.compile(r"([^(,]+)(?:,([^(]+)|\(([^(]+)\))")


def _fold(text: str) -> str:
    """Words in small letters, without accents, marks and a leading article."""
    bare = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS).replace("&", " and "))
    kept = "".join(char for char in bare if not unicodedata.combining(char))
    return " ".join(re.findall(r"\w+", kept)).removeprefix("the ").replace("saint ", "st ")


def _spellings() -> dict[str, str]:
    known = dict(_OTHER_NAMES)
    for entry in " ".join(_NATIVE.split()).split("; "):
        code, _, names = entry.partition(" ")
        known |= dict.fromkeys(map(_fold, names.split(", ")), code)
    for entry in " ".join(_COUNTRIES.split()).split("; "):
        code, longer, name = entry.split(" ", 2)
        known |= dict.fromkeys(map(_fold, (code, longer, name)), code)
    return known


_CODE_OF: Final = _spellings()


@lru_cache(maxsize=4_096)
def country_code(text: str) -> str:
    """The two letters of the country that a text names; empty if it names none for certain.

    ``Tanzania, United Republic of``, ``Kingdom of Spain`` and ``Germany (DE)`` are read as the
    standard and forms write them; any other addition may mean another country: ``Sudan (South)``.
    """
    if len(text) > _LONGEST:
        return ""
    folded = _fold(text)
    exact = _CODE_OF.get(folded, "") or _in_full(folded)
    if exact or not (both := _WITH_MORE.fullmatch(text.strip())):
        return exact
    name, more = _fold(both[1]), _fold(both[2] or both[3])
    code = _CODE_OF.get(name, "")
    if both[3] and _CODE_OF.get(more) == code:
        return code
    return code if more in _STYLES and _may_have_style(name) else ""


def _in_full(folded: str) -> str:
    """The country of a name with its style before it: ``Kingdom of Saudi Arabia``."""
    names = (folded.removeprefix(f"{style} ") for style in _STYLES if style != "the")
    return next(
        (_CODE_OF[n] for n in names if n != folded and n in _CODE_OF and _may_have_style(n)), ""
    )


def _may_have_style(name: str) -> bool:
    return name not in _DIVIDED and len(name) > _LONGEST_CODE


class Territory(NamedTuple):
    """Of which country it is a part, and by which names and codes as a state; empty: of none."""

    whole: str = ""
    names: frozenset[str] = frozenset()


_NO_TERRITORY: Final = Territory()
_TERRITORIES: Final = {
    "US": "PR puerto rico; GU guam; VI virgin islands/us virgin islands/united states virgin "
    "islands/usvi; AS american samoa; MP northern mariana islands/northern marianas; UM minor "
    "outlying islands",
    "FR": "GP guadeloupe/971; MQ martinique/972; GF guyane/french guiana/guyane francaise/973; "
    "RE reunion/la reunion/974; YT mayotte/976; PM saint pierre et miquelon/975; "
    "BL saint barthelemy/977; MF saint martin/978; PF polynesie francaise/french polynesia/987; "
    "NC nouvelle caledonie/new caledonia/988; WF wallis et futuna/986",
    "FI": "AX aland/ahvenanmaa/aland islands",
    "NO": "SJ svalbard",
    "NL": "BQ bonaire/caribisch nederland",
    "AU": "CX christmas island; CC cocos islands; NF norfolk island",
}
"""By country: territories that ISO 3166-1 lists as countries, and ISO 3166-2 as its parts."""


def _territories() -> dict[str, Territory]:
    return {
        code: Territory(whole, frozenset([code.casefold(), *names.split("/")]))
        for whole, listed in _TERRITORIES.items()
        for code, _, names in (one.partition(" ") for one in listed.split("; "))
    }


_WHOLE_OF: Final = _territories()


def territory_of(code: str) -> Territory:
    """What a country's code means as a part of another country."""
    return _WHOLE_OF.get(code, _NO_TERRITORY)
