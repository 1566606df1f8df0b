"""The dates in feeds. **Source**: domain 5.5.

Tried in this order: ISO-8601, RFC-822, day and month in figures, epoch seconds, milli- or
microseconds; the rest by dateutil, and only if it finds year, month and day all three. A text that
can be read in two ways is read in one way only: with slashes the month comes first, with other
marks the day, unless that is impossible.
"""

import re
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from typing import NamedTuple

from dateutil import parser as dateutil_parser

from handbill.kit.instants import Instant, instant_of
from handbill.kit.zones import NotZone, day_of, start_of, zone_of

_MOST = 100
_TURN = 50
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_END = instant_of(datetime(_LAST_YEAR + 1, 1, 1, tzinfo=UTC))
_MONTH_NAMES = """
january januar janvier enero gennaio januari janeiro janner jan janv ene gen stycznia styczen sty
ledna leden led tammikuuta januarie ocak oca января январь янв;
february februar fevrier febrero febbraio februari fevereiro feber feb fevr fev lutego luty lut
unora unor helmikuuta februarie subat sub февраля февраль фев февр;
march marz maerz mars marzo maart marco mar mrz mrt marca marzec brezna brezen maaliskuuta martie
mart марта март мар;
april avril abril aprile apr avr abr kwietnia kwiecien kwi dubna duben huhtikuuta aprilie nisan
nis апреля апрель апр;
may mai mayo maggio mei maio mag maj maja kvetna kveten toukokuuta mayis мая маи;
june juni juin junio giugno junho jun giu czerwca czerwiec cze cervna cerven kesakuuta iunie
haziran haz июня июнь июн;
july juli juillet julio luglio julho jul juil lug lipca lipiec lip cervence cervenec heinakuuta
iulie temmuz tem июля июль июл;
august aout agosto augustus augusti aug ago sierpnia sierpien sie srpna srpen elokuuta agustos
августа август авг;
september septembre septiembre setiembre settembre setembro sep sept set wrzesnia wrzesien wrz
zari syyskuuta septembrie eylul eyl сентября сентябрь сен сент;
october oktober octobre octubre ottobre outubro oct okt ott out pazdziernika pazdziernik paz rijna
rijen lokakuuta octombrie ekim eki октября октябрь окт;
november novembre noviembre novembro nov listopada listopad lis listopadu marraskuuta noiembrie
kasim kas ноября ноябрь ноя нояб;
december dezember decembre diciembre dicembre dezembro dec dez dic desember des grudnia grudzien
gru prosince prosinec joulukuuta decembrie aralik ara декабря декабрь дек
"""
"""Folded: English, German, French, Spanish, Italian, Dutch, Portuguese, Polish, Czech, Finnish,
Romanian, Turkish, Russian; Nordic names are like these. ``listopad`` is October in Croatian, which
writes dates in figures. **Source**: Unicode CLDR.
"""
_MONTHS = {
    name: number
    for number, names in enumerate(_MONTH_NAMES.split(";"), 1)
    for name in names.split()
}
# Names with one offset only (hours).
_ZONES = {
    "Z": 0,
    "UT": 0,
    "UTC": 0,
    "GMT": 0,
    "WET": 0,
    "WEST": 1,
    "CET": 1,
    "MEZ": 1,
    "CEST": 2,
    "MESZ": 2,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "SAST": 2,
    "SGT": 8,
    "HKT": 8,
    "JST": 9,
    "KST": 9,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "AKST": -9,
    "AKDT": -8,
    "HST": -10,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
}
_AT_HOME: dict[str, dict[int, int]] = {
    "BST": {0: 60, 60: 60, 360: 360},  # Britain, Bangladesh
    "IST": {330: 330, 120: 120, 0: 60},  # India, Israel, Ireland; not guessed elsewhere
    "CST": {480: 480},  # China; elsewhere America
}
"""Names with several offsets, by that of the client's zone in winter; in minutes."""
_UTC_NAMES = ("UTC", "GMT")
_TIME = (
    r"(?:[T ,]+(?:(?:um|kl\.?|at|à|às|alle|ore|o|в) )?"
    r"(?P<hour>\d{1,2})[:.h]?(?P<minute>\d\d)(?:[:.]?(?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?| Uhr)?"
    r"\s?(?P<zone>[A-Za-z]{1,5}|(?:UTC|GMT)?[+-]\d\d?:?(?:\d\d)?)?)?\Z"
)
_ISO = re.compile(r"(?P<year>\d{4})([-/.]?)(?P<month>\d\d)\2(?P<day>\d\d)" + _TIME)
_COMPACT = re.compile(
    r"(?P<year>(?:19|20)\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)(?P<hour>[0-2]\d)(?P<minute>[0-5]\d)"
    r"(?P<second>[0-5]\d)?(?P<part>)(?P<half>)(?P<zone>)\Z"
)
_MAIL = re.compile(
    r"(?:[^\W\d_]{2,12}\.?,?\s+)?(?P<day>\d{1,2})(?:\.|er|º)?[ -](?:de )?"
    r"(?P<name>[^\W\d_]{3,12})\.?(?: de)?[ -](?P<year>\d{4}|\d\d(?!\d))(?: г\.)?" + _TIME
)
_NAME_FIRST = re.compile(
    r"(?:[^\W\d_]{2,12}\.?,?\s+)?(?P<name>[^\W\d_]{3,12})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})"
    + _TIME
)
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})([-.])(?P<month>\d{1,2})\2(?P<year>\d{4})" + _TIME)
_MONTH_FIRST = re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})" + _TIME)
_SWAPS = (_DAY_FIRST, _MONTH_FIRST)
"""Of these, day and month are swapped where only that makes a date."""
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_OF_DATE = re.compile(r"(?<![\d+:])(?:19|20)\d\d(?=[-/.])")
_NAMED_ZONE = re.compile(
    r"\[!?([A-Za-z0-9_+/-]{1,40})\](?:\[!?[a-z0-9_-]{1,20}=[A-Za-z0-9-]{1,40}\]){0,5}\Z"  # RFC 9557
    r"|\s([A-Z][A-Za-z]{2,12}/[A-Za-z0-9_+/-]{1,40})\Z"
)
_DAY_OF_ZONE = re.compile(r"(\d{4}-\d\d-\d\d)(Z|[+-]\d\d:\d\d)\Z")  # XML Schema 2, 3.2.9
_MARKS = str.maketrans("\u2010\u2011\u2012\u2013\u2212", "-----", '\u200e\u200f"')
_CJK_DAY = re.compile(r"(\d{4})\s?[年년]\s?(\d\d?)\s?[月월]\s?(\d\d?)\s?[日일]")
_CJK_TIME = re.compile(r"(\d\d?)\s?[時时시]\s?(\d\d)\s?[分분]")
_ZONE_TWICE = re.compile(r"(?<=[+-]00:00)Z\Z|(?<=[+-]0000)Z\Z")
_WEEKDAY = re.compile(r"[^\W\d_]{2,12}(?:\.,?|,)\s+(?:den\s|the\s|le\s)?(?=\d)")
_TWO_TIMES = re.compile(r"T\d\d-\d\d|\d:\d\d.*\s\d\d?:\d\d")
_NAMED_OFFSET = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(_ZONES)})(?=[+-]\d)")
_REMARK = re.compile(r"\s\([^\W\d_][^()\d]{0,60}\)\Z")
_WRAPPED = re.compile(r"/Date\((\d{9,13})(?:[+-]\d{4})?\)/")
_MICROS = r"(?!20\d\d[01]\d[0-3]\d)[1-3]\d{15}"  # 2001 to 2096; no day with a longer time
_EPOCH = re.compile(r"\d{9,10}(?:\.\d{1,9})?|\d{12,13}|" + _MICROS)


def read_instant(text: str, zone: tzinfo, last: bool = False) -> Instant | None:
    """The instant of a date in a feed; without a zone it is in ``zone``. None: cannot be read.

    A day alone is its first moment; ``last``: its last millisecond. Years from 1970 to 2200.
    """
    text = text.translate(_MARKS).strip()
    if not text or len(text) > _MOST:
        return None
    try:
        text, zone = _plain(text, zone)
        when = _read(text, zone)
        if when is not None and when.day_only and last:
            return start_of(day_of(when.at, zone) + timedelta(days=1), zone) - 1_000
    except (ValueError, OverflowError):
        return None
    return None if when is None else when.at


class _Found(NamedTuple):
    """``day_only``: the text has no time of day."""

    at: Instant
    day_only: bool


def _plain(text: str, zone: tzinfo) -> tuple[str, tzinfo]:
    """The text without what some writers put around a date; a zone that it names is its zone."""
    if not text.isascii():
        text = _CJK_TIME.sub(r"\1:\2", _CJK_DAY.sub(r"\1/\2/\3", text))
    text = _ZONE_TWICE.sub("", text)
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped is not None:
        return wrapped[1], zone
    day = _DAY_OF_ZONE.match(text)
    if day is not None:
        return day[1], _zone(day[2], zone)
    named = _NAMED_ZONE.search(text) if "/" in text or text[-1] == "]" else None
    if named is not None:
        with suppress(NotZone):
            zone = zone_of(named[1] or named[2])
        text = text[: named.start()]
    return text, zone


def _read(text: str, zone: tzinfo) -> _Found | None:
    if text[4:5] == "-" and text[13:14] != ".":  # 10.30 is no fraction of an hour
        # The common case by the standard library, in a tenth of the time.
        with suppress(ValueError):
            bare = text.removesuffix(" UTC").removesuffix(" GMT")
            moment = datetime.fromisoformat(bare)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC if text[-3:] in _UTC_NAMES else zone)
            return _Found(_in_years(moment), len(bare) <= len("2026-11-27"))
    weekday = _WEEKDAY.match(text)
    if weekday is not None:
        text = text[weekday.end() :]
    for form in (_ISO, _COMPACT, _MAIL, _NAME_FIRST, _DAY_FIRST, _MONTH_FIRST):
        parts = form.match(text)
        if parts is not None:
            return _assembled(parts.groupdict(), zone, swaps=form in _SWAPS)
    if _EPOCH.fullmatch(text):
        whole, _, part = text.partition(".")
        micros = int(whole) * (10**6 if len(whole) < 12 else 1_000 if len(whole) < 14 else 1)
        micros += int(part.ljust(6, "0")[:6])
        return _Found(micros, day_only=False) if micros < _END else None
    return _last_resort(text, zone)


def _assembled(parts: dict[str, str | None], zone: tzinfo, *, swaps: bool) -> _Found:
    year, day = int(parts["year"] or 0), int(parts["day"] or 0)
    name = parts.get("name")
    month = _month(name) if name else int(parts["month"] or 0)
    if swaps and month > 12 >= day:
        month, day = day, month
    if len(parts["year"] or "") == 2:
        if parts["hour"] is None:
            raise ValueError("which of the two is the year is not said")
        year += 2000 if year < _TURN else 1900  # RFC 5322, 4.3
    hour = int(parts["hour"] or 0)
    half = parts["half"]
    if half:
        if hour > (23 if half in "pP" else 12):
            raise ValueError("no such hour")
        if hour <= 12:  # many write 13:00 PM
            hour = hour % 12 + (12 if half in "pP" else 0)
    second, micros = int(parts["second"] or 0), int((parts["part"] or "").ljust(6, "0")[:6])
    # The end of a day, and a leap second, are the moment after (ISO 8601-1).
    later = timedelta(days=hour == 24, seconds=second == 60)
    if hour == 24:
        if int(parts["minute"] or 0) or second or micros:
            raise ValueError("no such hour")
        hour = 0
    named = parts["zone"]
    moment = later + datetime(
        year,
        month,
        day,
        hour,
        int(parts["minute"] or 0),
        min(second, 59),
        micros,
        tzinfo=_zone(named, zone) if named else zone,
    )
    return _Found(_in_years(moment), parts["hour"] is None)


def _month(name: str) -> int:
    """The number of a month; 0: an unknown name."""
    return _MONTHS.get(_folded(name), 0)


def _folded(name: str) -> str:
    """In small letters, without accents."""
    bare = unicodedata.normalize("NFD", name.lower().replace("ı", "i"))
    return "".join(char for char in bare if not unicodedata.combining(char))


def _zone(text: str, home: tzinfo) -> tzinfo:
    """The zone of a name or an offset; ``home``: the client's, which decides between several."""
    at_home = _AT_HOME.get(text.upper())
    if at_home is not None:
        own = home.utcoffset(datetime(2026, 1, 1))  # noqa: DTZ001 (as its clocks show it)
        minutes = at_home.get(own // timedelta(minutes=1)) if own is not None else None
        if minutes is not None:
            return timezone(timedelta(minutes=minutes))
    hours = _ZONES.get(text.upper())
    if hours is not None:
        return UTC if hours == 0 else timezone(timedelta(hours=hours))
    figures = text.upper().removeprefix("UTC").removeprefix("GMT").replace(":", "")
    if figures[:1] not in {"+", "-"} or not figures[1:].isdigit():
        raise ValueError("unknown time zone")
    digits = figures[1:] if len(figures) > 3 else figures[1:] + "00"
    minutes = int(digits[:-2]) * 60 + int(digits[-2:])
    return timezone(timedelta(minutes=-minutes if figures[0] == "-" else minutes))


def _in_years(moment: datetime) -> Instant:
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError("year out of range")
    return instant_of(moment)


def _last_resort(text: str, zone: tzinfo) -> _Found | None:
    """By dateutil, with two different defaults: parts that it fills in itself would differ."""
    if not _YEAR.search(text) or len(_OF_DATE.findall(text)) > 1 or _TWO_TIMES.search(text):
        return None  # no date, or several
    # Dateutil reads "GMT+1" like POSIX, west of Greenwich, and "EST-5" as 5 hours west of there;
    # writers of dates repeat the zone by its offset.
    text = _NAMED_OFFSET.sub("", _REMARK.sub("", text))
    offset = partial(_offset, zone)
    moments = [
        dateutil_parser.parse(text, default=default, tzinfos=offset)
        for default in (datetime(2001, 1, 1), datetime(2002, 2, 2, 23))  # noqa: DTZ001
    ]
    if moments[0].date() != moments[1].date():
        return None
    moment = moments[0] if moments[0].tzinfo is not None else moments[0].replace(tzinfo=zone)
    return _Found(_in_years(moment), moments[0].hour != moments[1].hour)


def _offset(home: tzinfo, name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    return _zone(name, home) if name else None
