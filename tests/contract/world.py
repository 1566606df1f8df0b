"""A small world in an office: one of everything that a path can name, under one client."""

import itertools
import re
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from contract.office import Body, Office
from handbill.access import service as access
from handbill.access.keys import secret
from handbill.callbacks import rows as callbacks
from handbill.clients import service as clients
from handbill.contract.funnel.routes import OPERATIONS as FUNNEL
from handbill.contract.rules.routes import OPERATIONS as RULES
from handbill.core.listing_tokens import Listing, SealedClick, click_id
from handbill.core.rules.acts import Act
from handbill.core.rules.running import RuleFinding
from handbill.groups import service as groups
from handbill.host.ids import new_uuid
from handbill.http.operations import Operation
from handbill.rules import acting, history, holding
from handbill.rules import service as rules
from handbill.rules.history import RuleRun, RuleRunBody
from handbill.store.records import Records
from handbill.store.records.tables import metadata
from handbill.wire.queries import parameters

_ROWS = {table.name: sa.select(*table.c) for table in metadata.tables.values()}
"""Statements that stay the same objects are compiled once."""
UNKNOWN = {
    "publisher_id": "Nobody",
    "job_reference": "no such job",
    "prefix": "nosuchkey",
    "api_client_id": "nobodynobodynobodynobody1",
    "publisher_family_id": "0" * 24,
    "agency_id": "nobody",
    "change_id": "999999999",
    "person_id": "0" * 24,
}
OF_THE_AGENCY = {
    "publisher_id",
    "prefix",
    "api_client_id",
    "agency_id",
    "markup_id",
    "publisher_family_id",
    "rate_id",
    "change_id",
    "person_id",
    "callback_id",
}
"""Path ids that belong to the agency itself, so that no client of it is a wrong parent."""

FEED: Body = {
    "xmlFeedUrl": "https://feeds.example.com/jobs.xml",
    "schemaMappings": {
        "schemaMappingsJobCollection": "source",
        "schemaMappingsJob": "job",
        "schemaMappingsTitle": "title",
        "schemaMappingsDescription": "description",
        "schemaMappingsURL": "url",
        "schemaMappingsRefNumber": "referencenumber",
        "schemaMappingsCompany": "company",
    },
}
_DELIVERED: Body = {
    "deliverFeedByFTP": True,
    "ftpConfig": {"credentials": {"host": "ftp.example.com", "username": "u", "password": "p"}},
}
PROVIDER: Body = {
    "issuer": "https://login.acme.example",
    "clientId": "handbill",
    "clientSecret": "s",
}
_CONFIG: Body = {
    "cost": 220,
    "startDate": "2026-11-01T00:00:00.000Z",
    "endDate": "2026-12-01T00:00:00.000Z",
    "dateFormat": "yyyy-MM-dd'T'HH:mm:ssZ",
    "availableCount": 10,
    "rotateFreqInDays": 2,
    "jobDuration": 10,
    "minJobDurationInDays": 2,
}
_STATS: Body = {
    "filters": {"startDate": "2026-11-01", "endDate": "2026-11-17"},
    "aggregationLevel": {"primaryLevel": "CAMPAIGN"},
}
_NUMBERS = itertools.count(1)


@dataclass
class World:
    """``ids``: what each slot of a path is called here. ``client``: the client's path."""

    office: Office
    client: str
    ids: dict[str, str] = field(default_factory=dict)

    def url(self, operation: Operation, **instead: str) -> str:
        """The operation's path, filled from this world; with a sound query."""

        def filled(found: re.Match[str]) -> str:
            slot = found.group(1)
            return quote(instead.get(slot, self.ids[slot]), safe="")

        path = re.sub(r"{(\w+)}", filled, operation.path)
        query = "&".join(f"{name}={value}" for name, value in self.query(operation).items())
        return f"{path}?{query}" if query else path

    def query(self, operation: Operation) -> dict[str, str]:
        sound = {"page": "1", "limit": "10", "client_id": self.ids["client_id"]}
        return {
            name: sound[name]
            for name, known in parameters(operation.query).items()
            if known.required
        }

    def headers(self, operation: Operation) -> dict[str, str]:
        name = {"": None, "s2s": "client_id"}.get(operation.client_header, "x-client-id")
        return {name: self.ids["client_id"]} if name else {}


def build(office: Office, company: str = "client of") -> World:
    """Everything once; names are unique to the world. ``company``: how the client's begins."""
    mark = f"w{next(_NUMBERS)}"
    client = office.client(companyName=f"{company} {mark}")
    world = World(office, client)
    publisher = office.new("/publishers", {"id": f"Pub{mark}", "bidType": "CPC"} | _DELIVERED)
    for owner in ("", client):
        office.put(f"{owner}/publishers/{publisher}/click-definition", {"preset": "2"})
    campaign = office.campaign(client)
    group = office.group(campaign, placements=[{"value": publisher}])
    ref = f"job {mark}/1"
    job = {"refNumber": ref, "title": "t", "description": "d", "url": "https://e.example.com/1"}
    office.new(f"{client}/jobs", job | {"company": "c", "country": "US"})
    config = office.new(f"{client}/publishers/{publisher}/configs", _CONFIG)
    office.ask("POST", f"{client}/configs/{config}/jobs", [ref])
    feed = office.new(f"{client}/feeds", FEED)
    run = office.ask("POST", f"{client}/feeds/{feed}/run").json["result"]
    client_id = client.rsplit("/", 1)[1]
    task = office.ask("POST", "/stats", _STATS, headers={"x-client-id": client_id}).json["taskId"]
    asked = {"filterBy": _STATS["filters"]}
    named = {"x-client-id": client_id}
    report = office.ask("POST", "/reports/stats", asked, headers=named).json["reportId"]
    world.ids = {
        "client_id": client_id,
        "publisher_id": publisher,
        "config_id": config,
        "feed_id": feed,
        "run_id": run,
        "job_reference": ref,
        "taskId": task,
        "report_id": report,
        "campaign_id": campaign.rsplit("/", 1)[1],
        "jobgroup_id": group.rsplit("/", 1)[1],
        "prefix": office.ask("POST", "/api-keys").json["result"].split("_")[1],
        "api_client_id": office.ask("POST", "/api-clients").json["result"],
        "publisher_family_id": office.new("/publisher-families", {"publishers": [publisher]}),
        "agency_id": office.agency_id,
    }
    headers = {"x-client-id": client_id}
    scope = {"clientId": "client_id", "campaignId": "campaign_id", "jobGroupId": "jobgroup_id"}
    rule = RULES[0].sample | {name: world.ids[slot] for name, slot in scope.items()}
    made = office.ask("POST", "/rules", rule, headers=headers).json
    sent = office.ask("POST", "/funnel", FUNNEL[0].sample, headers=headers).json
    world.ids |= {"rule_id": made["data"]["id"], "batch_id": sent["value"]}
    world.ids |= held(world)
    world.ids["click_id"] = _click_of(world)
    world.ids["callback_id"] = _callback_of(office, task)
    named = {"name": "By campaign", "by": "campaign"}
    world.ids["question_id"] = office.new(f"{client}/report-questions", named)
    somebody = {"mail": f"trader-{client_id}@acme.example", "role": "TRADER"}
    world.ids["person_id"] = office.new("/people", somebody)
    entity = {"clientId": client_id, "entityId": world.ids["campaign_id"], "level": "Campaign"}
    markup = {"effectiveFrom": 1_793_491_200, "value": 10, "entities": [entity]}
    world.ids["markup_id"] = office.new("/markups", markup)
    office.put(f"/markups/{world.ids['markup_id']}", {"name": "m"})
    world.ids["change_id"] = str(office.get("/changes?limit=1")["data"][0]["id"])
    # What names a rate may be the same in two agencies: each here has another currency.
    euro = {"date": "10/27/2026", "from": "EUR", "to": "USD", "rate": 1.25}
    code = "GBP" if office.agency_id == "acme" else "CHF"
    assert office.ask("POST", "/rates", [euro, euro | {"from": code}]).status == 200
    for only_looks in (True, False):
        asked = {"month": "2026-11", "validateOnly": only_looks}
        office.new(f"/clients/{client_id}/rejudgings", asked)
    office.put(f"/agencies/{office.agency_id}/sign-in-provider", PROVIDER)
    world.ids["rate_id"] = f"2026-10-27-{code}-USD"
    return world


def held(world: World) -> dict[str, str]:
    """A run of the rule that holds the job group: its id, and that of the hold."""
    desk, now = world.office.desk, world.office.clock.now()
    with desk.records.write() as tx:
        found = clients.client_at_work(tx, world.ids["client_id"])
        assert found is not None
        client = found[0]
        rule = rules.rule_of(tx, client, world.ids["rule_id"])
        group = groups.group_of(tx, client.no, world.ids["jobgroup_id"])
        act = Act(kind="group", entity=f"{group.no}", id=group.id, name="g", what="pause")
        finding = RuleFinding(level="JOBGROUP", id=group.id, name="g", matched=True, acts=(act,))
        run = RuleRun(
            no=0,
            id=new_uuid(desk.ids),
            client_no=client.no,
            rule_no=rule.no,
            at=now,
            mode="ACT",
            body=RuleRunBody(evaluated=1, matched=1, findings=(finding,)),
        )
        history.add(tx, run)
        acting.do(tx, desk.ids, now, client, (rule.no, run.id), act)
        (hold,) = holding.holds_of(tx, client.no)
    return {"rule_run_id": run.id, "hold_id": hold.id}


def _callback_of(office: Office, subject: str) -> str:
    """A callback that was given up; its id."""
    desk, now = office.desk, office.clock.now()
    with desk.records.write() as tx:
        agency_no = access.agency_of(tx, office.agency_id).no
        url, id_ = "https://acme.example/told", f"msg_{new_uuid(desk.ids)}"
        callbacks.add(
            tx, id=id_, agency_no=agency_no, subject=subject, url=url, body="{}", created_at=now
        )
        made = callbacks.by_id(tx, id_)
        assert made is not None
        callbacks.change(tx, made.no, state="DEAD", attempts=8, status=503, ended_at=now)
    return id_


def _click_of(world: World) -> str:
    """A click id that is ours, of the client's link; nobody has followed it."""
    desk = world.office.desk
    with desk.records.read() as tx:
        found = clients.client_at_work(tx, world.ids["client_id"])
        assert found is not None
        group = groups.group_of(tx, found[0].no, world.ids["jobgroup_id"])
        kid, key = max(secret(tx, "listing").items())
    listing = Listing(
        client_no=found[0].no,
        campaign_no=group.campaign_no,
        group_no=group.no,
        publisher_no=1,
        job_id=bytes(16),
        bid_type="CPC",
        bid_micros=1,
        price_micros=1,
    )
    return click_id(SealedClick(desk.ids.bytes(16), desk.clock.now(), listing), kid, key)


def unknown_id(slot: str) -> str:
    return UNKNOWN.get(slot, str(uuid.UUID(int=7, version=4)))


def fingerprint(records: Records) -> dict[str, Any]:
    """Every row of every table, so that "no effect" can be seen."""
    with records.read() as tx:
        return {name: sorted(map(repr, tx.all(rows))) for name, rows in _ROWS.items()}
