"""What the numbers in the ledger stand for, by the ids that the agency knows."""

from handbill.campaigns.service import campaigns_by_number
from handbill.clients.service import clients_by_number
from handbill.core.nouns import Publisher
from handbill.groups.service import groups_by_number
from handbill.publishers.service import publishers_by_number
from handbill.simulate.employers import Employer
from handbill.simulate.facts import EntryPlace, Fact
from handbill.simulate.trade import Trade
from handbill.store.records import Tx


class KnownIds:
    """The ids of the agency's entities by number, learnt anew when it has more job groups."""

    def __init__(self, trade: Trade) -> None:
        self._trade = trade
        self._group_count = -1
        self._employers: dict[str, Employer] = {}
        self.of: dict[str, dict[int, str]] = {}
        self.publishers: dict[str, Publisher] = {}

    def learn(self, tx: Tx) -> None:
        count = sum(len(one.groups) for one in self._trade.employers)
        if count == self._group_count:
            return
        self._group_count = count
        numbers = range(1, 10_000)
        publishers = publishers_by_number(tx, numbers)
        self.of = {
            "client": {no: it.id for no, it in clients_by_number(tx, numbers).items()},
            "campaign": {no: it.id for no, it in campaigns_by_number(tx, numbers).items()},
            "group": {no: it.id for no, it in groups_by_number(tx, numbers).items()},
            "publisher": {no: it.id for no, it in publishers.items()},
        }
        self.publishers = {it.id: it for it in publishers.values()}
        self._employers = {one.id: one for one in self._trade.employers}

    def numbers(self, kind: str) -> dict[str, int]:
        """The numbers of all entities of a kind, by id."""
        return {id_: no for no, id_ in self.of[kind].items()}

    def employer_of(self, fact: Fact) -> Employer:
        return self._employers[self.of["client"][fact.client_no]]

    def place_of(self, fact: Fact) -> EntryPlace:
        employer = self.employer_of(fact)
        day = employer.day(fact.at)
        if not fact.group_no:
            return EntryPlace(employer.id, day)
        return EntryPlace(
            employer.id,
            day,
            campaign=self.of["campaign"][fact.campaign_no],
            group=self.of["group"][fact.group_no],
            publisher=self.of["publisher"][fact.publisher_no],
            job=fact.job_id,
        )
