"""The existing currencies, their smallest units, and how they are written beside an amount.

**Source**: ISO 4217 (codes and exponents); the signs in use, with all their possible meanings.
"""

from collections.abc import Mapping
from typing import Final

from handbill.kit.money import MICROS

_WITHOUT: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_HUNDREDTHS: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
    "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_THOUSANDTHS: Final = "BHD IQD JOD KWD LYD OMR TND"
_FINER: Final = "CLF UYW"

PLACES: Final[Mapping[str, int]] = {
    code: places
    for codes, places in ((_WITHOUT, 0), (_HUNDREDTHS, 2), (_THOUSANDTHS, 3), (_FINER, 4))
    for code in codes.split()
}
"""Decimals of each currency's amounts, by code."""

NEVER_DIVIDED: Final = frozenset(
    [code for code, places in PLACES.items() if places == 0]
    + ["COP", "HUF", "IDR", "IRR", "KHR", "LAK", "LBP", "MMK", "MNT", "SYP", "TZS", "UZS", "YER"]
)
"""Currencies of which nobody writes parts, also where ISO 4217 has hundredths."""
_DOLLARS: Final = (
    "USD CAD AUD NZD HKD SGD TWD MXN ARS CLP COP UYU DOP BBD BMD BND BSD BZD FJD GYD JMD KYD LRD "
    "NAD SBD SRD TTD XCD"
)
SIGNS: Final[Mapping[str, frozenset[str]]] = {
    sign: frozenset(codes.split())
    for sign, codes in {
        "$": _DOLLARS,
        "US$": "USD",
        "$US": "USD",
        "$USD": "USD",
        "U$S": "USD",
        "U$D": "USD",
        "C$": "CAD NIO",
        "CA$": "CAD",
        "CAN$": "CAD",
        "$CA": "CAD",
        "$CAN": "CAD",
        "$CAD": "CAD",
        "$AU": "AUD",
        "A$": "AUD",
        "AU$": "AUD",
        "NZ$": "NZD",
        "HK$": "HKD",
        "S$": "SGD",
        "SG$": "SGD",
        "NT$": "TWD",
        "MX$": "MXN",
        "R$": "BRL",
        "€": "EUR",
        "£": "GBP EGP FKP GIP SHP",
        "¥": "JPY CNY",
        "JP¥": "JPY",
        "CN¥": "CNY",
        "₹": "INR",
        "RS": "INR PKR LKR NPR MUR SCR",
        "₽": "RUB",
        "РУБ": "RUB BYN",
        "₩": "KRW",
        "₪": "ILS",
        "₺": "TRY",
        "TL": "TRY",
        "₫": "VND",
        "₱": "PHP",
        "฿": "THB",
        "₴": "UAH",
        "₦": "NGN",
        "₸": "KZT",
        "ZŁ": "PLN",
        "ZL": "PLN",
        "KČ": "CZK",
        "FT": "HUF",
        "KR": "SEK NOK DKK ISK",
        "FR": "CHF",
        "SFR": "CHF",
        "R": "ZAR",
        "RM": "MYR",
        "RP": "IDR",
        "LEI": "RON MDL",
        "ЛВ": "BGN",
        "DOLLAR": _DOLLARS,
        "DOLLARS": _DOLLARS,
        "USDOLLAR": "USD",
        "USDOLLARS": "USD",
        "U.S.DOLLAR": "USD",
        "U.S.DOLLARS": "USD",
        "DOLLARSUS": "USD",
        "POUND": "GBP EGP FKP GIP SHP",
        "POUNDS": "GBP EGP FKP GIP SHP",
        "E£": "EGP",
        "YEN": "JPY",
        "WON": "KRW",
        "원": "KRW",
        "Đ": "VND",
        "NIS": "ILS",
        "TK": "BDT",
        "৳": "BDT",
        "₡": "CRC",
        "₲": "PYG",
        "₵": "GHS",
        "GH₵": "GHS",
        "KSH": "KES",
        "S/": "PEN",
        "M.N": "MXN",
        "MN": "MXN",
        "EURO": "EUR",
        "EUROS": "EUR",
        "RMB": "CNY",
        "円": "JPY",
        "元": "CNY TWD HKD",
    }.items()
}
"""The possible meanings of a sign beside an amount; compared in capitals, without a final dot."""


def unit_micros(currency: str) -> int:
    """The smallest payable amount of a currency. An unknown one has hundredths."""
    return MICROS // int(10 ** PLACES.get(currency, 2))


def named_by(sign: str) -> frozenset[str] | None:
    """The currencies that a code or sign may name; None: it names no existing one."""
    word = "".join(sign.split()).replace("-", "").upper().rstrip(".")
    code, rest = word[:3], word[3:]
    if code in PLACES and (not rest or code in SIGNS.get(rest, ())):
        return frozenset({code})  # USD, or USD$
    return SIGNS.get(word)
