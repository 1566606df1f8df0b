"""Random histories of changes by several actors over all kinds, undone in reverse order."""

import random
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict

from contract.office import Office
from contract.world import build
from handbill.access import service as access
from handbill.api import operations
from handbill.campaigns import service as campaigns
from handbill.changes import service as changes
from handbill.changes.service import ChangeFilter, RecordedChange
from handbill.clients import service as clients
from handbill.core.click_definitions import DefinitionBody
from handbill.core.feeds import FeedBody
from handbill.core.markups import MarkupScopeIds
from handbill.core.nouns import (
    CampaignBody,
    Cap,
    Caps,
    Client,
    ClientBody,
    GroupBody,
    JobPlacement,
    JobSetting,
    Override,
    Placement,
    PublisherBody,
    PublisherFields,
)
from handbill.core.rule_conditions import Action, Condition, Guards, RuleBody
from handbill.core.trail import Occasion, trail_state
from handbill.definitions import service as definitions
from handbill.feeds import service as feeds
from handbill.funnel import service as funnel
from handbill.groups import service as groups
from handbill.http.app import Application
from handbill.jobs import editing
from handbill.jobs import service as jobs
from handbill.kit.instants import Instant
from handbill.listings import minding
from handbill.markups import service as markups
from handbill.publishers import service as publishers
from handbill.rules import service as rules
from handbill.store.records import Tx
from handbill.store.records import tables as t
from handbill.undoing import service as undoing

HISTORIES, ON_A_SERVER = 200, 40
"""The same histories in both: of the slower one, the first ones."""
ACTORS = (
    Occasion("API_CLIENT", "k1", "r1", "op"),
    Occasion("PERSON", "ann", "r2", "op"),
    Occasion("CLI", "bob", None, "op"),
    Occasion("RULE", "rule-7", None, "run"),
)
TABLES = (
    t.agencies,
    t.publishers,
    t.clients,
    t.campaigns,
    t.groups,
    t.feeds,
    t.rules,
    t.markups,
    t.click_definitions,
)
_TIMES = {"updated_at", "next_run_at", "modified_at", "former_placements"}
"""When something was set, and what the house derives: whose links are still about."""


BODIES: dict[str, type[msgspec.Struct]] = {
    "publishers": PublisherBody,
    "clients": ClientBody,
    "campaigns": CampaignBody,
    "groups": GroupBody,
    "feeds": FeedBody,
    "rules": RuleBody,
    "click_definitions": DefinitionBody,
}


def _state(tx: Tx) -> bytes:
    """All that users set, byte for byte: each body in full, keys of maps in one order."""
    found: dict[str, list[Any]] = {}
    for table in TABLES:
        names = [column.name for column in table.columns if column.name not in _TIMES]
        rows = tx.all(sa.select(*(table.c[n] for n in names)).order_by(*table.primary_key.columns))
        found[table.name] = [
            [_plain(table.name, *pair) for pair in zip(names, row, strict=True)] for row in rows
        ]
    found["stages"] = [funnel.stage_map(tx, one)[0] for one in clients.clients_at_work(tx)]
    found["jobs"] = [
        [{n: v for n, v in trail_state(asdict(job.body)).items() if n not in _TIMES}, job.status]
        for job in jobs.walk(tx, 1)
    ]
    return msgspec.json.encode(found, order="sorted")


def _plain(table: str, name: str, value: Any) -> Any:
    """A column; of a body, what it says in full."""
    if name != "body":
        return repr(value)
    body = msgspec.json.decode(value, type=BODIES[table])
    return {field: one for field, one in trail_state(asdict(body)).items() if field not in _TIMES}


class Play:
    """Changes one thing or another, each as its own service does."""

    def __init__(self, office: Office, seed: int) -> None:
        office.app = Application(operations(), office.desk)
        world = build(office)
        self.ids = world.ids
        self.rng = random.Random(seed)
        self.now = office.clock.now()
        self.names: dict[str, Callable[[Tx, Client], Any]] = {
            name: getattr(self, name) for name in vars(Play) if name[0] != "_" and name != "step"
        }

    def step(self, tx: Tx) -> None:
        tx.occasion = self.rng.choice(ACTORS)
        client = clients.client_of(tx, 1, self.ids["client_id"])
        self.names[self.rng.choice(sorted(self.names))](tx, client)

    def _money(self) -> int:
        return self.rng.randint(1, 9) * 1_000_000

    def _cap(self) -> Cap | None:
        if self.rng.random() < 0.4:
            return None
        return Cap(self.rng.choice(("Daily", "Weekly", "Monthly")), self.rng.randint(1, 99))

    def _caps(self) -> Caps:
        budget = Cap("Monthly", self.rng.randint(50, 99) * 1_000_000)
        return Caps(budget=budget, clicks=self._cap(), applies=self._cap())

    def _word(self) -> str:
        return self.rng.choice(("a", "b", "c~d", "e/f", "ü"))

    def _status(self) -> str:
        return self.rng.choice("AP")

    def agency(self, tx: Tx, _: Client) -> None:
        access.update_agency(tx, self.now, access.agency_by_number(tx, 1), {"name": self._word()})

    def client(self, tx: Tx, client: Client) -> None:
        said = {
            "advertiser_name": self._word(),
            "caps": self._caps(),
            "markdown_ppm": self._money(),
        }
        clients.update(tx, self.now, client, said)

    def client_switch(self, tx: Tx, client: Client) -> None:
        clients.switch(tx, self.now, client, self._status())

    def campaign(self, tx: Tx, client: Client) -> None:
        one = campaigns.campaign_of(tx, client.no, self.ids["campaign_id"])
        budget = Cap("Daily", self._money())
        said = {
            "name": self._word(),
            "override": Override(markdown_ppm=self.rng.choice((None, 5, 6))),
            "placement_caps": {
                name: budget
                for name in (self.ids["publisher_id"], "TestExp1")
                if self.rng.random() < 0.5
            },
        }
        campaigns.update(tx, self.now, client, one, said)

    def group(self, tx: Tx, client: Client) -> None:
        one = groups.group_of(tx, client.no, self.ids["jobgroup_id"])
        names = self.rng.sample((self.ids["publisher_id"], "TestExp1"), self.rng.randint(1, 2))
        said = {
            "placements": [
                Placement(name, bid_micros=self.rng.choice((None, self._money()))) for name in names
            ],
            "priority": self.rng.randint(0, 3),
            "categories": [self._word() for _ in range(self.rng.randint(0, 2))],
            "ad_words": {self._word(): self.rng.choice((1, "x", None, [1, {"y": 2}]))},
        }
        chosen = {name: value for name, value in said.items() if self.rng.random() < 0.6}
        groups.update(tx, self.now, client, one, chosen)

    def group_switch(self, tx: Tx, client: Client) -> None:
        one = groups.group_of(tx, client.no, self.ids["jobgroup_id"])
        groups.switch(tx, self.now, client, one, self._status())

    def job(self, tx: Tx, client: Client) -> None:
        one = editing.job_to_change(tx, client, self.ids["job_reference"])
        if not one.valid:
            return
        ids = (self.ids["publisher_id"], "TestExp1")
        said = {
            "title": self._word(),
            "zip": self.rng.choice((8000, "8000", "")),
            "additional": {self._word(): self._word()},
            "setting": JobSetting(cpc_bid_micros=self._money(), caps=Caps(clicks=self._cap())),
            "placements": [JobPlacement(name, active=self.rng.random() < 0.5) for name in ids],
            "publisher_fields": PublisherFields(
                self.rng.choice((None, ids, ids[:1])), {ids[0]: {"node": self._word()}}
            ),
            "published_at": self.now - self.rng.randint(0, 3) * 86_400_000_000,
        }
        chosen = {name: value for name, value in said.items() if self.rng.random() < 0.4}
        editing.update(tx, self.now, client, one, chosen)

    def job_switch(self, tx: Tx, client: Client) -> None:
        one = editing.job_to_change(tx, client, self.ids["job_reference"])
        editing.switch(tx, self.now, client, one, self._status())

    def feed(self, tx: Tx, client: Client) -> None:
        one = feeds.feed_of(tx, client.no, self.ids["feed_id"])
        said = {
            "value_defaults": {self._word(): self._word()},
            "url_params_to_strip": [self._word()],
            "config": self.rng.choice((None, {"userAgent": self._word()})),
        }
        feeds.update(tx, self.now, client, one, said)

    def feed_switch(self, tx: Tx, client: Client) -> None:
        one = feeds.feed_of(tx, client.no, self.ids["feed_id"])
        feeds.switch(tx, self.now, client, one, self._status())

    def publisher(self, tx: Tx, _: Client) -> None:
        one = publishers.publisher_of(tx, 1, "TestExp1")
        said = {"url": self._word(), "country": self._word(), "rest": {self._word(): [1, {"x": 2}]}}
        minding.update(tx, self.now, one, said)

    def definition(self, tx: Tx, client: Client) -> None:
        one = publishers.publisher_of(tx, 1, self.ids["publisher_id"])
        said = {
            "preset": self.rng.choice(("Default", "2", "3")),
            "latent_seconds": self.rng.choice((None, 60, 3_600)),
            "enabled": self.rng.random() < 0.5,
        }
        whose = self.rng.choice((client, None))
        definitions.put(tx, self.now, one, whose, said, can_locate=False)

    def markup(self, tx: Tx, client: Client) -> None:
        where = self.rng.choice(
            (
                MarkupScopeIds(client.id, client.id, "Client"),
                MarkupScopeIds(client.id, self.ids["campaign_id"], "Campaign", "TestExp1"),
            )
        )
        said = {"ppm": self._money(), "name": self._word(), "entities": [where]}
        markups.update(tx, self.now, 1, self.ids["markup_id"], said)

    def rule(self, tx: Tx, client: Client) -> None:
        one = rules.rule_of(tx, client, self.ids["rule_id"])
        budget = Action(self.rng.random() < 0.5, "budget", self._money(), "%")
        acts = self.rng.random() < 0.5
        said = {
            "name": self._word(),
            "level": self.rng.choice(("clients", "campaign", "jobgroups")),
            "conditions": tuple(
                Condition("clicks", "greater than", self._money(), "#", "today")
                for _ in range(self.rng.randint(1, 3))
            ),
            "action_type": "performance" if acts else "administration",
            "action": budget if acts else None,
            "admin": "" if acts else self.rng.choice(("pause", "resume")),
            "repeat_days": self.rng.randint(0, 3) if acts else 0,
            "job_filter": None,
            "job_level": "",
            "filters": (),
            "guards": Guards(least_clicks=self.rng.randint(0, 30)),
            "notify": self.rng.random() < 0.5,
        }
        rules.update(tx, self.now, client, one.id, msgspec.structs.replace(one.body, **said))

    def rule_switch(self, tx: Tx, client: Client) -> None:
        rules.switch(tx, self.now, client, [self.ids["rule_id"]], self._status())

    def stages(self, tx: Tx, client: Client) -> None:
        funnel.set_stage_map(tx, self.now, client, {self._word(): "HIRED"})


def _since(tx: Tx, no: int) -> list[RecordedChange]:
    return [one for one in changes.page(tx, ChangeFilter(), 100) if one.no > no]


def test_what_is_undone_in_reverse_order_never_was(office: Office) -> None:
    play, done = Play(office, 7), set()
    many = ON_A_SERVER if office.desk.records.url.startswith("postgresql") else HISTORIES
    with office.desk.records.write() as tx:
        for history in range(many):
            before, last = _state(tx), changes.page(tx, ChangeFilter(), 1)[0].no
            for _ in range(play.rng.randint(1, 5)):
                play.step(tx)
            made = _since(tx, last)
            done |= {(one.kind, one.actor) for one in made}
            for one in made:
                tx.occasion = play.rng.choice(ACTORS)
                _undone(tx, play.now, one)
            assert _state(tx) == before, (history, [(one.kind, one.fields) for one in made])
            undos = [one for one in _since(tx, made[0].no) if one.undoes] if made else []
            assert {one.undoes for one in undos} == {one.no for one in made}
    assert len({kind for kind, _ in done}) == 11, "each kind was changed"
    assert {actor for _, actor in done} == {one.actor for one in ACTORS}


def _undone(tx: Tx, now: Instant, one: RecordedChange) -> None:
    assert undoing.undo(tx, now, one.no, 1, can_locate=False), "it sets something"
