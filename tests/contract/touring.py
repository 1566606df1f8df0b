"""What a sound call of each operation is made of, in a small world."""

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from contract.office import Body, Office
from contract.signed_in import PASSWORD, code_of, person, second_factor, session
from contract.test_golden import click_of
from contract.test_reports import Partner
from contract.world import FEED, World
from handbill.core.persons import Person
from handbill.http.operations import Operation
from handbill.kit.jsons import encode
from handbill.people import factors
from handbill.store.records.tables import person_sessions


@dataclass
class Tour:
    """A world, a partner, and a way to call."""

    office: Office
    world: World
    partner: Partner

    @cached_property
    def somebody(self) -> Person:
        """A person of the agency, with a password; another one in each world."""
        mail = f"{self.world.ids['client_id']}@acme.example"
        return person(self.office, "OWNER", mail=mail, password=PASSWORD)

    @cached_property
    def operator(self) -> Person:
        """A person who operates the installation; another one in each world."""
        mail = f"{self.world.ids['client_id']}@operator.example"
        return person(self.office, "OPERATOR", mail=mail)

    @cached_property
    def guarded(self) -> Person:
        """Another one, who begins a second factor and ends it."""
        mail = f"guarded-{self.world.ids['client_id']}@acme.example"
        return person(self.office, "TRADER", mail=mail, password=PASSWORD)

    def code(self, operation: Operation) -> Body:
        """A code that the operation takes, of what it needs to be there."""
        desk, of = self.office.desk, self.guarded
        if operation.name == "end_second_factor":
            with desk.records.read() as tx:
                mine = sa.select(sa.func.max(person_sessions.c.no))
                mine = mine.where(person_sessions.c.person_no == sa.bindparam("person_no"))
                spared = tx.value(mine, person_no=of.no)
            return {"code": second_factor(self.office, of, spared=spared).recoveries[0]}
        with desk.records.write() as tx:
            factors.end(tx, desk.clock.now(), of)
            secret = base64.b32decode(factors.offer(tx, desk.ids, of).secret)
        return {"code": code_of(secret, desk.clock.now())}

    def bound(self, operation: Operation) -> tuple[dict[str, str], dict[str, str]]:
        """The path's ids and the headers of a sound call."""
        if operation.role == "partner":
            names = ("publisherFamilyId", "reportId")
            ids = dict(zip(names, (self.partner.family, self.partner.report()), strict=True))
            return {name: ids[name] for name in ids if f"{{{name}}}" in operation.path}, {
                **self.partner.headers
            }
        if operation.role == "person":
            who = self.operator if operation.open_to == "operator" else self.somebody
            if "second-factor" in operation.path:
                who = self.guarded
            return {}, session(self.office, who)
        ids = {"token": "AQEAoJ3q", "link": "unknown"} | self.world.ids
        headers = self.office.headers | self.world.headers(operation)
        return {name: ids[name] for name in ids if f"{{{name}}}" in operation.path}, headers


def sound_body(tour: Tour, operation: Operation) -> Any:
    """The operation's own sample, with ids of this world; None: it has no body."""
    ids = tour.world.ids
    scope = {
        "clientId": ids["client_id"],
        "campaignId": ids["campaign_id"],
        "jobGroupId": ids["jobgroup_id"],
    }
    named: dict[str, Body] = {
        "create_token": {"client_id": tour.office.api_client_id},
        "create_feed": FEED,
        "create_publisher": {"id": "TestExp2"},
        "update_posting_config": {"endDate": "2026-12-31T00:00:00.000Z", "availableCount": 10_000},
        "create_markup": {
            "entities": [
                {"clientId": ids["client_id"], "entityId": ids["jobgroup_id"], "level": "JobGroup"}
            ]
        },
        "make_test_link": {"refNumber": ids["job_reference"]},
        "create_rule": scope,
        "preview_rule": scope,
        "update_rule": scope,
        "switch_rules": {"ids": [ids["rule_id"]]},
        "order_rules": {"ids": [ids["rule_id"]]},
        "send_s2s_events": {"clickId": click_of(tour.office)},
        "create_session": {"mail": tour.somebody.mail, "password": PASSWORD},
        "invite_person": {"mail": f"new-{ids['client_id']}@acme.example"},
        "begin_sign_in": {"agencyId": "nobody"},
        "renew_session": {"agencyId": tour.office.agency_id},
        "request_publisher_report": tour.partner.wish(publisherFamilyId=tour.partner.family),
    }
    if operation.body is None:
        return None
    sample = json.loads(encode(operation.sample))
    more = named.get(operation.name, {})
    if operation.name in {"confirm_second_factor", "end_second_factor"}:
        more = tour.code(operation)
    if operation.name in {"begin_second_factor", "end_second_factor"}:
        more = {"password": PASSWORD} | more
    if isinstance(sample, list):
        return [one | more for one in sample] if more else sample
    return sample | more
