"""A series in one sentence, for those who do not see its picture or have no time for it."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from handbill.kit.figures import average, counted, number
from handbill.pages.charts.bars import Bar, StripMark
from handbill.pages.charts.marks import FigureRow, Number

_ONE = Decimal(1)
_PLURAL = frozenset({"Applies", "Clicks", "Hires", "Starts"})


def beside(name: str, now: Number | None, before: Number | None, of: str) -> str:
    """A figure beside another, in percent of it: "Spend is 12 % under plan"."""
    if now is None:
        return f"{name} is not known."
    if not before:
        return f"{name} has no {of} to compare with."
    off = (100 * (Decimal(now) - Decimal(before)) / Decimal(before)).quantize(_ONE, ROUND_HALF_EVEN)
    if not off:
        return f"{name} is on {of}."
    return f"{name} is {abs(off):f} % {'over' if off > 0 else 'under'} {of}."


def of_days(days: Sequence[str], series: FigureRow) -> str:
    """The highest day of a series, its last one, and how many days have nothing."""
    known = [place for place, value in enumerate(series.values) if value is not None]
    if not known:
        return f"{series.name} has no figures in these days."
    if not any(series.values) and len(known) == len(series.values):
        return f"{series.name}: none in these days."
    high = max(known, key=lambda place: (series.values[place] or 0, place))
    last = known[-1]
    was = "were" if series.name in _PLURAL else "was"
    text = f"{series.name} {was} highest on {days[high]}: {series.label(high)}."
    if last != high:
        text += f" On {days[last]}: {series.label(last)}."
    missing = len(series.values) - len(known)
    lacking = (
        f"{missing} of {counted(len(days), 'day')} {'has' if missing == 1 else 'have'} no figure."
    )
    return f"{text} {lacking}" if missing else text


def of_stages(stages: Sequence[Bar]) -> str:
    """How many of the first stage reach the last one."""
    known = [stage for stage in stages if stage.value is not None]
    if not known or not known[0].value:
        return "Nothing has come in these days."
    first, last = known[0], known[-1]
    assert first.value is not None, "only stages with a value are known"
    assert last.value is not None, "only stages with a value are known"
    share = (100 * Decimal(last.value) / Decimal(first.value)).quantize(Decimal("0.1"))
    reached = f"{first.label} {first.name}, {last.label} {last.name}"
    return f"{reached}: {share:f} %." if first is not last else f"{first.label} {first.name}."


def of_classes(classes: Sequence[Bar]) -> str:
    """How many of all are of the first class."""
    whole = sum((one.value for one in classes if one.value), 0)
    first = classes[0]
    if first.value is None or whole <= 0:
        return "Nothing has come in these days."
    share = (100 * Decimal(first.value) / Decimal(whole)).quantize(Decimal("0.1"))
    return f"{first.name}: {first.label} of {number(whole)}, {share:f} %."


def of_costs(costs: Sequence[tuple[str, Number | None]], currency: str) -> str:
    """Where an apply costs most and least, and what the size of a point is."""
    known = [(cost, name) for name, cost in costs if cost is not None]
    size = "The larger a point, the larger its spend."
    if not known:
        return "No cost per apply is known."
    (least, cheapest), (most, dearest) = min(known), max(known)
    if least == most:
        return f"An apply costs {average(most, currency)}. {size}"
    text = f"An apply costs most at {dearest}, {average(most, currency)}, and least at {cheapest}, "
    return f"{text}{average(least, currency)}. {size}"


def of_runs(runs: Sequence[StripMark]) -> str:
    """How many runs have failed, and how the last one ended."""
    if not runs:
        return "There are no runs yet."
    bad = sum(run.state == "bad" for run in runs)
    ended = {"good": "succeeded", "bad": "failed"}.get(runs[-1].state, "has not ended")
    return f"{bad} of {counted(len(runs), 'run')} failed; the last one {ended}."
