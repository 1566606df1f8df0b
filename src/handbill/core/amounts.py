"""Amounts as people write them: "1.50", ".50", "US$ 1.00", "1.234,50 EUR"; and their currency."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from handbill.core.currencies import NEVER_DIVIDED, PLACES, named_by
from handbill.core.feed_text import ALSO, unmarked
from handbill.kit.money import MICROS, NotMoney, micros_of

_AMOUNT = re.compile(
    r"(?P<before>[^\d.,]*?\.??)\s*(?P<figures>[.,]?[0-9][0-9.,\s']*?)\s*(?P<after>[^\d.,]*\.??)"
)
# Thousands in threes, all with the same mark; in India only the last three, before them twos.
_GROUPED = re.compile(
    r"[1-9][0-9]{0,2}([.,' ])[0-9]{3}(?:\1[0-9]{3})*|[1-9][0-9]?,(?:[0-9]{2},)+[0-9]{3}"
)
_SHORTENED = re.compile(
    r"(?<![A-Za-z])(?:rs|fr|s?fr|kr|kč|rp|tk|ksh|руб|лв|s/|gs|bs)$", re.IGNORECASE
)
"""Short words that end with a dot of their own: "Rs.50" is no part of one."""
_NO_MINOR = re.compile(r"(?<=[0-9])[.,:/](?:--?|[–—])(?![0-9])")  # "5,-": five, nothing more

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    ord(wide): sign for wide, sign in zip("￠￡￥￦", "¢£¥₩", strict=True)
}
"""Signs and figures in full width, as Japanese and Chinese programs write them."""
_AROUND = str.maketrans("", "", "()[]:=")  # "(USD)", "USD: "

_OF_AMOUNT = ("curr", "cur", "ccy", "unit", "units", "iso", "isocode", "symbol")
_WHOSE = ("bid", "cpc", "cpa", "price", "cost")
_CENTS = frozenset(
    ["cent", "cents", "ct", "cts", "c", "¢", "pence", "penny", "p", "micros", "minor"]
)
COST_MODELS: Final = ("costmodel", "bidtype", "bidmodel", "pricingmodel", "pricemodel")
"""Names, without marks, of what says for what a bid is paid."""
_PER_CLICK: Final = frozenset(["cpc", "ppc", "click", "clicks", "perclick", "costperclick"])
_NOT_PER_CLICK: Final = frozenset(
    f"{before}{what}"
    for what in ("apply", "application", "applicant", "lead", "hire", "view", "impression")
    for before in ("", "per", "costper")
) | {"cpa", "ppa", "cpl", "cph", "cpm", "cpv", "ppl", "pph", "cpqa", "cpas"}
_KINDS: Final = frozenset(["type", "kind", "model"])
_PAY = ("salary", "pay", "wage", "compensation", "remuneration")
_WORDS: Final = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+")
_BY_CHANCE: Final = frozenset(["all", "top", "try", "cup", "pen", "mop"])
"""Words that are a currency's code by chance, unless they alone are in capitals."""


class Amount(NamedTuple):
    """``currencies``: those that it may be in; None: it names none."""

    micros: int
    currencies: frozenset[str] | None

    def may_be_in(self, currency: str, said: str) -> bool:
        """Whether it can be in that currency; ``said``: what another node says about it, if any."""
        own = self.currencies is None or currency in self.currencies
        return own and (not said or currency in (named_by(said) or ()))

    def must_be_in(self, said: str) -> str:
        """The single currency that it and ``said`` name; empty if they name none, or several."""
        beside = named_by(said)
        if said and beside is None:
            return ""
        named = [one for one in (self.currencies, beside) if one is not None]
        both = frozenset[str].intersection(*named) if named else frozenset[str]()
        return next(iter(both)) if len(both) == 1 else ""


def read_amount(text: str, currency: str = "") -> Amount | None:
    """The amount in a text, rounded down to the micro; None: the text is no amount.

    ``currency``: the likely one. A single comma or dot before exactly three digits is a decimal
    mark; if nobody writes parts of that currency, it separates thousands.
    """
    # At most one space: with many in a row, the expression would try every way to split them.
    line = " ".join(text.translate(_WIDE).split())
    line = _NO_MINOR.sub("", line.replace("’", "'"))
    match = _AMOUNT.fullmatch(line)
    if match is None:
        return None
    currencies: frozenset[str] | None = None
    figures = match["figures"]
    if figures[0] == "." and _SHORTENED.search(match["before"]):
        figures = figures[1:] if match.end("before") == match.start("figures") else figures
    for sign in (match["before"], match["after"].removeprefix(".")):
        if sign:
            named = _named_by_all(sign)
            if named is None:
                return None
            currencies = named if currencies is None else currencies & named
    try:
        number = Decimal(_plain(figures, are_whole=currency in NEVER_DIVIDED))
        return Amount(micros_of(Decimal(int(number * MICROS)) / MICROS), currencies)
    except (NotMoney, InvalidOperation):
        return None


def _named_by_all(signs: str) -> frozenset[str] | None:
    """The currencies that all of these words may name: "USD $", "US $", "(USD)"."""
    signs = signs.translate(_AROUND)
    every = [named_by(sign) for sign in signs.split()]
    known = [named for named in every if named is not None]
    if len(known) < len(every) or not known:
        return named_by("".join(signs.split()))
    return frozenset.intersection(*known)


def _plain(figures: str, *, are_whole: bool) -> str:
    """Digits without thousands marks, with a dot as decimal mark; empty if they are no number."""
    marks = re.sub("[0-9]", "", figures)
    last = marks[-1:]
    whole, part = figures, ""
    is_thousands = are_whole and len(marks) == 1 and _GROUPED.fullmatch(figures)
    if last in {".", ","} and marks.count(last) == 1 and not is_thousands:
        whole, _, part = figures.rpartition(last)
    if len(marks) > (whole != figures):
        if not _GROUPED.fullmatch(whole):
            return ""
        whole = re.sub("[^0-9]", "", whole)
    return f"{whole or 0}.{part}"


class Tellers(NamedTuple):
    """The nodes of an item that give the currency of its bid, and those that give that of all its
    amounts. ``pays``: the item also has an amount of pay. ``models``: those that say for what the
    bid is paid.
    """

    of_amount: list[str]
    of_item: list[str]
    pays: bool
    models: tuple[str, ...] = ()


def tellers(node: str, names: Iterable[str]) -> Tellers:
    """Which of an item's nodes give the currency of one amount, and which that of all its amounts;
    in any case, with any separator between words.

    For the amount: beside it if both have their own parent (``bid/amount``, ``bid/currency_code``),
    as its attribute, or under its name. For the item: in its own node, unless that may be the
    currency of the job's pay.
    """
    of_amount, of_item, models, pays = [], [], [], False
    if not node:
        return Tellers([], [], pays)
    own = unmarked(node)
    parent = own.rpartition("/")[0]
    for name in names:
        bare = unmarked(name)
        before, slash, last = bare.rpartition("/")
        ending = bare.removeprefix(own) if bare.startswith(own) else last if slash else ""
        is_beside = bare.startswith(own) or (slash and before == parent)
        is_currency = "currency" in last
        if any(word in bare for word in _PAY):
            pays = True
        elif last.strip("@") in COST_MODELS or (is_beside and ending.strip("/@") in _KINDS):
            models.append(name)
        elif is_beside and (is_currency or ending.strip("/@") in _OF_AMOUNT):
            of_amount.append(name)
        elif is_currency and not slash:
            if last.startswith(_WHOSE):
                of_amount.append(name)
            elif not parent:
                of_item.append(name)
    is_per_click = any(word in own for word in ("cpc", "ppc", "click"))
    return Tellers(of_amount, [] if pays else of_item, pays, () if is_per_click else tuple(models))


def said_by_name(node: str) -> str:
    """The currency, or the part of one, that a bid's node has in its own name: ``cpc_eur``,
    ``bidEUR``, ``bid/EUR``, ``cpcInCents``; empty: none.
    """
    words = _WORDS.findall(node)
    units = [word for word in words if is_of_cents(word) and len(word) > 1]
    units += [word for word in words if word.upper() in PLACES and not _by_chance(word, node)]
    return units[0] if units and len(words) > 1 else ""


def _by_chance(word: str, node: str) -> bool:
    return word.lower() in _BY_CHANCE and (not word.isupper() or node.isupper())


def is_of_cents(said: str) -> bool:
    """Whether a unit is a part of a currency's unit, such as a cent."""
    return said.strip().lower() in _CENTS


def other_model(telling: Tellers, fields: Mapping[str, str]) -> str:
    """What an item says that its bid is paid for, if that is not a click; empty if it may be."""
    texts = (fields[name].split(ALSO, 1)[0] for name in telling.models)
    return next((one for one in texts if _model(one) in _NOT_PER_CLICK), "")


def is_per_click(said: str) -> bool:
    """Whether this says that a bid is paid for a click: "CPC", "Cost per click"."""
    return _model(said) in _PER_CLICK


def _model(said: str) -> str:
    return unmarked("".join(said.split()))


def said_of(telling: Tellers, fields: Mapping[str, str], by_name: str = "") -> str:
    """What an item says about its bid's currency: preferably a part of a currency, else a currency;
    empty if it says nothing. ``by_name``: what the bid's node says by its own name. That counts
    after what is said beside the bid, and before what is said of the whole item.
    """
    told = [
        *((name, fields[name].split(ALSO, 1)[0]) for name in telling.of_amount),
        ("", by_name),
        *((name, fields[name].split(ALSO, 1)[0]) for name in telling.of_item),
    ]
    every = [(name, text) for name, text in told if text]
    cents = next((text for _, text in every if is_of_cents(text)), "")
    return cents or next(
        (
            text
            for name, text in every
            if named_by(text) or not name.lower().endswith(("unit", "units"))
        ),
        "",
    )
