"""Every documented field of every noun, sent with a value of its own, comes back: at creation, and
by an update of one that was created with the least.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from contract.office import Body, Office, operation_of, plain
from contract.world import FEED
from handbill.core.feed_mappings import KEYS
from handbill.dialects.outbound import HEAD_NODES, JOB_NODES
from handbill.wire.models import Array, Model, schema_of
from handbill.wire.values import Schema

_SECRETS = {"password"}
_REFUSED = {"placementCaps/*/clicks", "placementCaps/*/applies"} | {
    f"{list_}/caps/{one}"
    for list_ in ("placements/*", "placementSettings/*")
    for one in ("clicks", "applies")
}
"""What is only named to be refused."""


def _cap(value: float, period: str = "Weekly", **more: Any) -> Body:
    return {
        "cap": period,
        "value": value,
        "pacing": False,
        "thresholdP": 70,
        "locked": False,
    } | more


def _caps(**more: Any) -> Body:
    return {
        "budget": _cap(500, "Monthly", pacing=True),
        "clicks": _cap(40),
        "applies": _cap(4),
        **more,
    }


@dataclass
class Noun:
    """``at``: where it is made, ``made``: where it is then. ``full``: each field with a value that
    none has by itself, ``least``: what it can be made with. ``named``: fields that come back under
    another name, ``spelled``: in another spelling, or (None) not at all. ``once``: not updated.
    """

    at: str
    full: Body
    made: str = "{at}/{id}"
    spelled: Body = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    least: Body = field(default_factory=dict)
    once: tuple[str, ...] = ()


_FILTER = {
    "operator": "OR",
    "rules": [
        {"operator": "IN", "field": "city", "data": ["Bonn", "Ulm"]},
        {
            "operator": "AND",
            "rules": [{"operator": "GREATER_THAN", "field": "postedDate", "data": "3"}],
        },
    ],
}


def _node_names(fields: Iterable[str]) -> dict[str, str]:
    """A name for each node of a publisher's feed."""
    return {name: f"n{number}" for number, name in enumerate(fields)}


_PLACE: Body = {
    "value": "TestExp1",
    "bid": 0.7,
    "is_active": False,
    "currency": "USD",
    "caps": {"budget": _cap(2, "Monthly", locked=True)},
}
_NOUNS = {
    "client": Noun(
        "/clients",
        {
            "companyName": "Mills",
            "timeZone": "UTC-10:00",
            "startDate": "11/01/2026",
            "clientType": "JobBoard",
            "ats": "Zoho",
            "country": "DE",
            "industry": "i7",
            "frequency": "6 hours",
            "startDefaultCampaign": True,
            "sjCreate": True,
            "exportedName": "mills_x",
            "advertiserName": "Mills AG",
            "applyConvWindow": 7,
            "endDate": "12/31/2030",
            "atsUrl": "https://ats.example.com/x",
            "markdown": 12.5,
            "enforceMinimumMarkdown": True,
            "excludedPublishers": ["TestExp1"],
            "globallyExcludedPublishers": ["TestExp1"],
            "caps": _caps(),
        },
        least={"companyName": "Mills", "caps": {"budget": _cap(1)}},
        once=(
            "timeZone",
            "startDate",
            "clientType",
            "ats",
            "country",
            "industry",
            "frequency",
            "startDefaultCampaign",
            "sjCreate",
            "companyName",
        ),
    ),
    "job": Noun(
        "{client}/jobs",
        {
            "refNumber": "R1",
            "title": "Nurse",
            "company": "Mills",
            "description": "<p>d</p>",
            "category": "Care",
            "url": "https://e.example.com/1",
            "city": "Bonn",
            "state": "NW",
            "alternateURL": "https://e.example.com/2",
            "country": "DE",
            "zip": 53111,
            "publishedDate": "2026-11-01T10:00:00.000Z",
            "endAtDate": "2027-11-01T10:00:00.000Z",
            "jobType": "PART_TIME",
            "additionalFields": {"shift": "night"},
            "publisherFields": {"publishers": ["TestExp1"], "TestExp1": {"logo": "x.png"}},
            "jobSetting": {
                "cpcBid": 0.31,
                "cpaBid": 3.1,
                "markdown": 5,
                "caps": _caps(budget=_cap(9)),
                "startDate": "11/02/2026",
                "endDate": "11/20/2027",
            },
            "placementSettings": [
                {
                    "value": "TestExp1",
                    "cpcBid": 0.32,
                    "cpaBid": 3.2,
                    "isActive": False,
                    "caps": {"budget": _cap(3)},
                    "currency": "USD",
                }
            ],
        },
        made="{at}/R1",
        named={"publishedDate": "pubDate", "jobType": "type"},
        least={
            "refNumber": "R1",
            "title": "t",
            "description": "d",
            "url": "https://e.example.com/",
        },
        once=("refNumber",),
        spelled={"placementSettings/0/currency": None},
    ),
    "campaign": Noun(
        "{client}/campaigns",
        {
            "name": "autumn",
            "startDate": "11/02/2026",
            "caps": _caps(),
            "endDate": "11/30/2027",
            "settingsOverride": {"markdown": 1.5, "markup": 2.5, "applyConvWindow": 9},
            "placementCaps": {"TestExp1": {"budget": _cap(3)}},
        },
        least={"name": "x"},
        once=("startDate",),
    ),
    "jobgroup": Noun(
        "{client}/campaigns/{campaign}/jobgroups",
        {
            "name": "nurses",
            "startDate": "11/02/2026",
            "endDate": "11/29/2027",
            "cpcBid": 0.4,
            "cpaBid": 4,
            "filters": _FILTER,
            "priority": 3,
            "daysToSchedule": [0, 2],
            "delivery": "ASAP",
            "caps": _caps(jobBudget=_cap(5, "Lifetime"), jobClicks=_cap(6), jobApplies=_cap(7)),
            "placements": [_PLACE | {"budget": _cap(2, "Monthly", locked=True)}],
            "performanceTargets": [{"type": "cpa", "value": 4.5}],
            "ioDetails": [
                {"number": "IO", "value": 5, "startDate": "11/03/2026", "endDate": "11/04/2026"}
            ],
            "categories": ["care"],
            "adWordsMetadata": {"id": 7},
            "settingsOverride": {"markdown": 1.5, "markup": 2.5, "applyConvWindow": 9},
        },
        least={
            "name": "x",
            "filters": _FILTER,
            "caps": {"budget": _cap(1)},
            "placements": [{"value": "TestExp1"}],
        },
        once=("startDate",),
        spelled={"placements/0/currency": None, "placements/0/budget": None},
    ),
    "feed": Noun(
        "{client}/feeds",
        {
            "xmlFeedUrl": "https://feeds.example.com/jobs.xml",
            "schemaMappings": {key: f"n{number}" for number, key in enumerate(KEYS)}
            | {
                "schemaMappingAdditional": {"shift": "shift"},
                "schemaMappingPublisher": {"boards": "publishers"},
            },
            "schemaMappingPublisher": {"boards": "publishers"},
            "urlParamsToStrip": ["utm_source"],
            "schemaValueOverrides": {"company": "Mills"},
            "schemaValueDefaults": {"country": "DE"},
            "mandatoryFields": ["title", "url"],
            "config": {"userAgent": "Mills/1", "auth": {"username": "u", "password": "p"}},
        },
        least=FEED,
        named={"xmlFeedUrl": "source"},
        spelled={"config/auth": None, "schemaMappingPublisher": None},
    ),
    "posting": Noun(
        "{client}/publishers/TestExp1/configs",
        {
            "startDate": "2026-11-01",
            "cost": 220.5,
            "endDate": "2026-12-01",
            "dateFormat": "yyyy-MM-dd",
            "availableCount": 9,
            "rotateFreqInDays": 2,
            "jobDuration": 10,
            "minJobDurationInDays": 3,
            "clientIds": ["{other}"],
            "billingType": "POSTPAID",
            "purchaseType": "AgencyBilled",
        },
        least={
            "startDate": "2026-11-01",
            "cost": 1,
            "endDate": "2026-12-02",
            "availableCount": 1,
            "rotateFreqInDays": 1,
        },
        once=("startDate",),
        spelled={
            "clientIds": ["{client_id}", "{other}"],
            "startDate": "2026-11-01T00:00:00.000Z",
            "endDate": "2026-12-01T23:59:59.999Z",
        },
    ),
    "publisher": Noun(
        "/publishers",
        {
            "id": "Board{n}",
            "name": "Board",
            "bidType": "FLAT_CPC",
            "minBid": 0.05,
            "flatBidValue": 0.25,
            "currency": "USD",
            "url": "https://board.example.com/",
            "country": "DE",
            "industry": ["care"],
            "placementType": "JobBoard",
            "placementAlias": "B",
            "perClientPlacements": True,
            "isCompressedFeed": True,
            "schema": {
                "headerSchema": _node_names(HEAD_NODES),
                "jobSchema": _node_names(JOB_NODES),
                "additionalFieldsV2": {"logo": "x"},
                "additionalFields": ["shift"],
                "fieldsWrappedInCdata": ["title"],
                "includeCurrencyInBidTag": True,
            },
            "payEveryApply": True,
            "feedIndexLatency": 30,
            "deliverFeedByFTP": True,
            "ftpConfig": {
                "credentials": {
                    "host": "ftp.example.com",
                    "port": 2121,
                    "username": "u",
                    "password": "p",
                    "tls": True,
                },
                "pathTemplate": "in/{{exportedName}}.xml",
                "alertRecipients": ["a@b.org"],
            },
            "publisherContactDetailsRevamp": [
                {
                    "email": "a@b.org",
                    "vpAccessEnabled": True,
                    "notificationEnabled": True,
                    "notificationAlertThreshold": 12.5,
                }
            ],
            "vendorPortalDetails": [
                {"url": "https://v.example.com/", "username": "u", "password": "p"}
            ],
            "publisherPortalDetails": {
                "url": "https://p.example.com/",
                "username": "u",
                "password": "p",
            },
            "publisherReconciliationDetails": {
                "mode": "Manual",
                "startDate": "11/02/2026",
                "frequency": "Weekly",
                "timezone": "UTC+1:00",
            },
        },
        least={"id": "Board{n}", "bidType": "FLAT_CPC", "flatBidValue": 1},
        once=("id",),
        spelled={
            "bidType": {"name": "FLAT_CPC"},
            "schema/additionalFields": None,
            "schema/additionalFieldsV2": {"logo": "x", "shift": "shift"},
        },
    ),
    "family": Noun(
        "/publisher-families",
        {"name": "Vendor", "publishers": ["TestExp1"]},
        least={"publishers": ["TestExp1"]},
    ),
    "markup": Noun(
        "/markups",
        {
            "effectiveFrom": 1_793_577_600,
            "value": 7.25,
            "name": "autumn",
            "entities": [
                {
                    "clientId": "{client_id}",
                    "entityId": "{campaign}",
                    "level": "Campaign",
                    "placementId": "TestExp1",
                }
            ],
        },
        least={
            "effectiveFrom": 1_793_577_601,
            "value": 1,
            "entities": [{"clientId": "{client_id}", "level": "Client"}],
        },
    ),
}


def _unsaid(of: type[Model] | Array, value: Any) -> list[str]:
    """The documented fields that a body does not say."""
    schema = schema_of(of, "validation") if isinstance(of, type) else of.schema()
    return list(_missing(schema, value, "", schema.get("$defs", {})))


def _missing(schema: Schema, value: Any, at: str, known: Schema) -> Iterator[str]:
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    forms = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    fitting = [one for one in forms if isinstance(value, list) is (one.get("type") == "array")]
    yield from min((list(_missing(one, value, at, known)) for one in fitting), key=len, default=())
    inside = schema.get("items", schema.get("additionalProperties", {}))
    inside = inside if isinstance(inside, dict) else {}  # true: of others, as it is
    if isinstance(value, list):
        for one in value:
            yield from _missing(inside, one, f"{at}*/", known)
    elif isinstance(value, dict):
        if inside:
            for one in value.values():
                yield from _missing(inside, one, f"{at}*/", known)
        for name, one in schema.get("properties", {}).items():
            if name in value:
                yield from _missing(one, value[name], f"{at}{name}/", known)
            elif f"{at}{name}" not in _REFUSED and "Another spelling" not in one["description"]:
                yield f"{at}{name}"


def _lost(sent: Any, got: Any, spelled: Body, at: str = "") -> list[str]:
    """Where what is read is not what was sent."""
    if at in spelled:
        return [] if spelled[at] is None or got == spelled[at] else [f"{at}: {got}"]
    if isinstance(sent, dict):
        if not isinstance(got, dict):
            return [f"{at}: {got}"]
        return [
            place
            for name, value in sent.items()
            if name not in _SECRETS
            for place in _lost(value, got.get(name, "nothing"), spelled, f"{at}/{name}".lstrip("/"))
        ]
    if isinstance(sent, list) and isinstance(got, list) and len(sent) == len(got):
        return [
            place
            for number, (one, other) in enumerate(zip(sent, got, strict=True))
            for place in _lost(one, other, spelled, f"{at}/{number}")
        ]
    return [] if sent == got else [f"{at}: {got}"]


def _renamed(got: Body, noun: Noun) -> Body:
    return got | {name: got.get(other, "nothing") for name, other in noun.named.items()}


def _filled(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**words) if "{" in value else value
    if isinstance(value, dict):
        return {name: _filled(one, words) for name, one in value.items()}
    return [_filled(one, words) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", _NOUNS)
def test_what_is_sent_comes_back(module_office: Office, name: str) -> None:
    office, noun = module_office, _NOUNS[name]
    client = office.client(endDate="12/31/2030", startDate="11/01/2026")
    words = {
        "client": client,
        "client_id": client.rsplit("/", 1)[1],
        "other": office.client().rsplit("/", 1)[1],
        "campaign": office.campaign(client).rsplit("/", 1)[1],
    }
    for number, first in enumerate((noun.full, noun.least)):
        words["n"] = str(number)
        at = noun.at.format(**words)
        full, spelled = _filled(noun.full, words), _filled(noun.spelled, words)
        path = noun.made.format(at=at, id=office.new(at, _filled(first, words)))
        if first is noun.full:
            assert _unsaid(operation_of("POST", at)[0].body, full) == []
        else:
            full = {field: value for field, value in full.items() if field not in noun.once}
            office.put(path, full)
        lost = _lost(full, _renamed(plain(office.get(path)), noun), spelled)
        assert lost == [], lost
        office.ask("DELETE", path)


_DEFINITION = {
    "preset": "3",
    "enable": False,
    "bot": False,
    "duplicate": 60,
    "latent": 3600,
    "foreign": None,
    "botIpsFileUrl": "https://x.example.com/bots.csv",
    "newBot": {"joveoBotlogic": False, "cmBotLogic": False, "clicksPerAddressAndDay": 5},
}


@pytest.mark.parametrize(
    ("at", "body"),
    [
        ("/publishers/TestExp1/click-definition", _DEFINITION),
        ("{client}/publishers/TestExp1/click-definition", _DEFINITION),
        ("{client}/stage-map", {"stageMap": {"in talks": "INTERVIEWED"}}),
        ("/agencies/acme", {"name": "Acme & Co", "currency": "USD"}),
    ],
)
def test_what_is_set_comes_back(module_office: Office, at: str, body: Body) -> None:
    path = at.format(client=module_office.client())
    shape = operation_of("PUT", path)[0].body
    assert shape is not None
    assert _unsaid(shape, body) == []
    module_office.put(path, body)
    lost = _lost(body, plain(module_office.get(path)), {"preset": None})
    assert lost == [], lost


_COMMON: Body = {
    "applyToChildren": False,
    "conditionOp": "OR",
    "name": "r",
    "startDate": "11/20/2026",
    "endDate": "11/30/2027",
    "notifyUser": True,
    "conditions": operation_of("POST", "/rules")[0].sample["conditions"],
}


def test_a_rule_comes_back(module_office: Office) -> None:
    office = module_office
    client = office.client()
    campaign = office.campaign(client)
    group = office.group(campaign)
    ids = [path.rsplit("/", 1)[1] for path in (client, campaign, group)]
    scope = dict(zip(("clientId", "campaignId", "jobGroupId"), ids, strict=True))
    of_jobs = {
        "filterLevel": "jobs",
        "actionType": "administration",
        "adminActions": {"type": "pause"},
        "jobFilter": {"filter": _FILTER},
        "jobFilterLevel": "clients",
        "allIds": True,
    }
    of_groups = {
        "repeatActionDuration": {"clause": "every", "value": 3, "unit": "days"},
        "filterLevel": "jobgroups",
        "actionType": "bidStrategy",
        "allIds": False,
        "filters": [
            {"id": ids[2], "name": "g", "placementIds": ["TestExp1"], "allPlacements": False}
        ],
        "actions": {"action": "increase", "parameter": "cpc bid", "value": 5, "unit": "%"},
    }
    body = operation_of("POST", "/rules")[0].body
    assert body is not None
    assert _unsaid(body, _COMMON | scope | of_jobs | of_groups) == []
    for special in (of_jobs, of_groups):
        sent = _COMMON | scope | special
        headers = {"x-client-id": ids[0]}
        made = office.ask("POST", "/rules", sent, headers)
        assert made.status == 200, made.raw
        got = office.ask("GET", f"/rules/{made.json['data']['id']}", headers=headers)
        lost = _lost(sent, plain(got.json), {})
        assert lost == [], lost
