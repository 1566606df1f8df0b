"""The tills of a client's places, for a run of its events: which caps apply where, on a day."""

from datetime import date, tzinfo

from handbill.core.charging import Place
from handbill.core.received import ReceivedClick, ReceivedConversion
from handbill.core.spending import Spending, Till
from handbill.kit.instants import Instant
from handbill.kit.zones import bounds_of, day_of
from handbill.ledger.runs import FormerRecords
from handbill.ledger.terms import ClientTerms

_NO_PLACE = Place(0, 0, 0, 0)


class Tills:
    """``open_at``: the first instant that is in no closed month."""

    def __init__(
        self, terms: ClientTerms | None, known: FormerRecords, zone: tzinfo, open_at: Instant
    ) -> None:
        self.spending = Spending(known.used)
        self._terms = terms
        self._of_jobs = known.of_jobs
        self._zone = zone
        self._open_at = open_at
        self._tills: dict[tuple[int, int, int, bytes], Till] = {}
        self._caps_jobs = terms is not None and bool(terms.each_job or terms.jobs)
        self._day = date.min
        self._day_bounds = (0, 0)

    def at(self, event: ReceivedClick | ReceivedConversion, at: Instant) -> Till:
        """The till of the event's place on the day that counts it."""
        at = max(at, self._open_at)
        first, end = self._day_bounds
        if not first <= at < end:
            self._day = day_of(at, self._zone)
            first, end = self._day_bounds = bounds_of(self._day, self._day, self._zone)
            assert first <= at < end, "a day holds its instants"
            self._tills.clear()
        job_id = event.job_id if self._caps_jobs else b""
        key = (event.campaign_no, event.group_no, event.publisher_no, job_id)
        till = self._tills.get(key)
        if till is None:
            place, terms = Place(event.client_no, *key[:3]), self._terms
            limits = terms.limits.get(place, ()) if terms else ()
            of_job = self._of_jobs.get(key[1:], ())
            till = self._tills[key] = self.spending.till(place, self._day, limits, of_job)
        return till


def place_of(event: ReceivedClick | ReceivedConversion) -> Place:
    """Where an event happened, by the numbers that its token froze; zeros for another client's."""
    if isinstance(event, ReceivedConversion) and event.click_client_no != event.client_no:
        return _NO_PLACE._replace(client_no=event.client_no)
    return Place(event.client_no, event.campaign_no, event.group_no, event.publisher_no)
