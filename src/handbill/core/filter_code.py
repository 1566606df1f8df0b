"""Checked filters compiled to Python, so that each job finds its group in microseconds.

The compiled text is our own: fixed operators around constants written by ``repr``. Texts of users
are only ever constants, and their field names are keys looked up in the job, never code.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from handbill.core.feed_text import ALSO, AND
from handbill.core.filters import AGES, DATE_FIELD, NUMBER_FIELD, TEXT_FIELDS
from handbill.core.nouns import Branch, Leaf
from handbill.core.spellings import folded
from handbill.kit.money import micros_of

FIELDS = (*TEXT_FIELDS, DATE_FIELD, NUMBER_FIELD)
_MOST_PLANS = 4_096


class JobFacts(NamedTuple):
    """What filters can ask about a job: our fields in the order of FIELDS, then the client's own.

    A plain tuple in this order works as well. ``posted_on`` is an ISO day, or None. ``ALSO`` comes
    between the values of a field that has several: a comparison holds if it does for one of them,
    or for all of them as people read them, ``Nursing, Healthcare``.
    """

    category: str
    country: str
    state: str
    city: str
    zip: str
    type: str
    title: str
    company: str
    ref: str
    posted_on: str | None
    cpc_micros: int | None
    custom: Mapping[str, str]


class Contender(NamedTuple):
    """A job group that may take jobs. The lowest ``rank`` wins, and no two are equal."""

    rank: tuple[int, int]
    group_no: int
    filters: Branch


Folded = tuple[Any, ...]
_Step = Callable[[Folded], int | None]


class Matcher:
    """All filters of a client in order of rank, compiled for one day.

    Groups that require certain values of one field (EQUAL, IN) are only tried on jobs with one of
    them, so that many groups cost little more than few. A step takes the folded job and returns a
    group's number or None; a plan is the list of steps to try, best first.
    """

    def __init__(
        self, contenders: Iterable[Contender], today: date, places: Mapping[str, int]
    ) -> None:
        """``today``: the client's day; ``places``: its own fields, name to N of cifN."""
        ranked = sorted(contenders)
        names = names_of(places)
        slots = _slots_of(ranked, names)
        self.asks_custom = any(field not in FIELDS for field in slots)
        self._fold = _folding(slots)
        self._free: list[tuple[int, _Step]] = []
        self._steps: dict[int, _Step] = {}
        self._tables: list[tuple[int, dict[str, tuple[int, ...]]]] = []
        self._plans: dict[tuple[tuple[int, ...], ...], tuple[_Step, ...]] = {}
        self._build(ranked, _Writer(slots, names, today))

    def best(self, facts: Sequence[Any]) -> int | None:
        """The number of the best ranked group whose filter holds for the job, or None."""
        job = self._fold(facts)
        key = tuple(
            [
                table.get(job[slot], ()) if job[slot].__class__ is str else job[slot].found(table)
                for slot, table in self._tables
            ]
        )
        plan = self._plans.get(key)
        if plan is None:
            plan = self._planned(key)
        for step in plan:
            group_no = step(job)
            if group_no is not None:
                return group_no
        return None

    def _build(self, ranked: list[Contender], writer: "_Writer") -> None:
        tables: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        run: list[Contender] = []
        for at, contender in enumerate(ranked):
            anchor = writer.anchor(contender.filters)
            if anchor is None:
                run.append(contender)
                continue
            if run:
                self._free.append((at - len(run), writer.step(run)))
                run = []
            slot, values = anchor
            for value in values:
                tables[slot][value].append(at)
            self._steps[at] = writer.step([contender])
        if run:
            self._free.append((len(ranked) - len(run), writer.step(run)))
        for slot, table in tables.items():
            ready = {value: tuple(ranks) for value, ranks in table.items()}
            self._tables.append((slot, ready))

    def _planned(self, found: tuple[tuple[int, ...], ...]) -> tuple[_Step, ...]:
        steps = self._free + [(at, self._steps[at]) for ranks in found for at in ranks]
        plan = tuple(step for _, step in sorted(steps, key=lambda pair: pair[0]))
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        self._plans[found] = plan
        return plan


def compile_leaves(
    leaves: Sequence[Leaf], today: date, places: Mapping[str, int]
) -> Callable[[Sequence[Any]], tuple[bool, ...]]:
    """The results of some comparisons for a job, by the same code that ``Matcher`` uses."""
    names = names_of(places)
    slots = _slots_of([Contender((0, 0), 0, Branch(True, tuple(leaves)))], names)
    fold = _folding(slots)
    says = _Writer(slots, names, today).leaves(leaves)
    return lambda facts: says(fold(facts))


class _Several(str):
    """All values of a field as they are read, folded, where a comparison may hold for one alone."""

    __slots__ = ("every",)
    every: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        return other in self.every

    __hash__ = str.__hash__

    def among(self, terms: Collection[str]) -> bool:
        return any(one in terms for one in self.every)

    def startswith(self, term: str) -> bool:  # type: ignore[override] # comparisons have one term
        return any(one.startswith(term) for one in self.every)

    def endswith(self, term: str) -> bool:  # type: ignore[override]
        return any(one.endswith(term) for one in self.every)

    def found(self, table: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
        """What a table has for any of the values, in order."""
        return tuple(sorted({at for one in self.every for at in table.get(one, ())}))


def _text_of(text: str) -> str:
    """A text ready for comparison."""
    if ALSO not in text:
        return folded(text)
    values = text.split(ALSO)
    several = _Several(folded(AND.join(values)))
    several.every = (str(several), *map(folded, values))
    return several


def _term(term: str, operator: str) -> str:
    """What a job's text is compared with; blanks around a part of a text count."""
    if operator.endswith(("EQUAL", "IN")):
        return folded(term)
    inner = folded(term)
    if not inner:
        return " " if term.isspace() else term
    before, after = term[0].isspace(), term[-1].isspace()
    return f"{' ' * before}{inner}{' ' * after}"


def names_of(places: Mapping[str, int]) -> dict[str, str]:
    """The client's own name of each field, by cifN."""
    return {f"cif{place}": name for name, place in places.items()}


def field_of(leaf: Leaf, names: Mapping[str, str]) -> str:
    """The field that a comparison reads: one of FIELDS, or the client's own by its name."""
    return leaf.field if leaf.field in FIELDS else names.get(leaf.field, leaf.field)


def _slots_of(contenders: Iterable[Contender], names: Mapping[str, str]) -> dict[str, int]:
    """A position in the folded tuple for each field that any filter uses."""
    asked: dict[str, int] = {}

    def visit(branch: Branch) -> None:
        for rule in branch.rules:
            if isinstance(rule, Branch):
                visit(rule)
            else:
                asked.setdefault(field_of(rule, names), len(asked))

    for contender in contenders:
        visit(contender.filters)
    return asked


def _folding(slots: Mapping[str, int]) -> Callable[[Sequence[Any]], Folded]:
    """A function that prepares a job for comparison: each field is folded once, and None becomes a
    value that no comparison finds.
    """
    parts = []
    for field in slots:
        if field == DATE_FIELD:
            parts.append(f"f[{FIELDS.index(field)}] or ''")
        elif field == NUMBER_FIELD:
            place = FIELDS.index(field)
            parts.append(f"-1 if f[{place}] is None else f[{place}]")
        elif field in FIELDS:
            parts.append(f"text_of(f[{FIELDS.index(field)}])")
        else:
            parts.append(f"text_of(c.get({field!r}, ''))")
    return _made(
        f"def made(f):\n c = f[{len(FIELDS)}]\n return ({''.join(p + ', ' for p in parts)})"
    )


def _made(source: str) -> Callable[..., Any]:
    space: dict[str, Any] = {}
    # Fixed text around constants by repr, from a tree that was checked on input.
    known = {"__builtins__": {}, "text_of": _text_of, "several": _Several}
    exec(compile(source, "<filters>", "exec"), known, space)  # noqa: S102
    made: Callable[..., Any] = space["made"]
    return made


class _Writer:
    """Writes comparisons over the folded job ``r`` as Python expressions."""

    def __init__(self, slots: Mapping[str, int], names: Mapping[str, str], today: date) -> None:
        self._slots = slots
        self._names = names
        self._today = today

    def step(self, run: Sequence[Contender]) -> _Step:
        """The number of the first of some groups whose filter holds."""
        lines = [
            f" if {self._branch(contender.filters)}: return {contender.group_no:d}"
            for contender in run
        ]
        return _made("\n".join(["def made(r):", *lines, " return None"]))

    def leaves(self, leaves: Sequence[Leaf]) -> Callable[[Folded], tuple[bool, ...]]:
        """The result of each comparison, in their order."""
        tests = "".join(f"({self._leaf(leaf)}), " for leaf in leaves)
        return _made(f"def made(r):\n return ({tests})")

    def anchor(self, rule: Branch | Leaf) -> tuple[int, frozenset[str]] | None:
        """A field and the values of which a job must have one for the rule to hold, if any."""
        if isinstance(rule, Leaf):
            field = field_of(rule, self._names)
            if field in {DATE_FIELD, NUMBER_FIELD} or rule.operator not in {"EQUAL", "IN"}:
                return None
            return self._slots[field], frozenset(map(folded, rule.terms))
        anchors = [self.anchor(inner) for inner in rule.rules]
        known = [anchor for anchor in anchors if anchor is not None]
        if rule.all_of:
            return min(known, key=lambda anchor: len(anchor[1]), default=None)
        if len(known) < len(anchors) or len({slot for slot, _ in known}) != 1:
            return None
        return known[0][0], frozenset().union(*(values for _, values in known))

    def _branch(self, branch: Branch) -> str:
        parts = [
            f"({self._branch(rule)})" if isinstance(rule, Branch) else self._leaf(rule)
            for rule in branch.rules
        ]
        return (" and " if branch.all_of else " or ").join(parts)

    def _leaf(self, leaf: Leaf) -> str:
        field = field_of(leaf, self._names)
        place = f"r[{self._slots[field]:d}]"
        if field == DATE_FIELD:
            return self._date(place, leaf)
        if field == NUMBER_FIELD:
            return _number(place, leaf)
        return _text(place, leaf)

    def _date(self, place: str, leaf: Leaf) -> str:
        """ISO days sort as their texts do; a job without the date has ''."""
        first = leaf.terms[0]
        if leaf.operator in AGES:
            day = (self._today - timedelta(days=int(first))).isoformat()
            older = leaf.operator == "GREATER_THAN"
            return f"'' < {place} < {day!r}" if older else f"{place} > {day!r}"
        if leaf.operator == "ON":
            return f"{place} == {first!r}"
        if leaf.operator == "BEFORE":
            return f"'' < {place} < {first!r}"
        if leaf.operator == "AFTER":
            return f"{place} > {first!r}"
        return f"{first!r} <= {place} <= {leaf.terms[1]!r}"


def _number(place: str, leaf: Leaf) -> str:
    """Exact micros; a job without the number has -1, which no comparison finds."""
    first, *rest = (micros_of(Decimal(term)) for term in leaf.terms)
    return {
        "EQUAL": f"{place} == {first:d}",
        "GREATER_THAN": f"{place} > {first:d}",
        "GREATER_THAN_EQUAL": f"{place} >= {first:d}",
        "LESS_THAN": f"0 <= {place} < {first:d}",
        "LESS_THAN_EQUAL": f"0 <= {place} <= {first:d}",
        "BETWEEN": f"{first:d} <= {place} <= {(rest or [0])[0]:d}",
    }[leaf.operator]


def _text(place: str, leaf: Leaf) -> str:
    """Ignores case; a negative operator holds exactly where its positive one does not."""
    terms = [_term(term, leaf.operator) for term in leaf.terms]
    first = repr(terms[0])
    listed = f"{{{', '.join(map(repr, terms))}}}"
    positive = leaf.operator.removeprefix("NOT_")
    test = {
        "EQUAL": f"{place} == {first}",
        "IN": f"({place} in {listed} or {place}.__class__ is several and {place}.among({listed}))",
        "BEGINS_WITH": f"{place}.startswith({first})",
        "CONTAINS": f"{first} in {place}",
        "ENDS_WITH": f"{place}.endswith({first})",
    }[positive]
    return test if positive == leaf.operator else f"not {test}"
