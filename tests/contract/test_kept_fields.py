"""Every documented field of every noun, sent with a value of its own, comes back: at creation, and
by an update of one that was created with the least.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from contract.kept_nouns import FILTER, NOUNS, Noun
from contract.office import Body, Office, operation_of, plain
from handbill.wire.bodies import Array, OneOrMany
from handbill.wire.described import schema_of
from handbill.wire.models import Model
from handbill.wire.values import Schema

_SECRETS = {"password"}
_REFUSED = {"placementCaps/*/clicks", "placementCaps/*/applies"} | {
    f"{list_}/caps/{one}"
    for list_ in ("placements/*", "placementSettings/*")
    for one in ("clicks", "applies")
}
"""What is only named to be refused."""


def _unsaid(of: type[Model] | OneOrMany | Array | None, value: Any) -> list[str]:
    """The documented fields that a body does not say."""
    assert isinstance(of, type | Array)
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


@pytest.mark.parametrize("name", NOUNS)
def test_what_is_sent_comes_back(module_office: Office, name: str) -> None:
    office, noun = module_office, NOUNS[name]
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
    "callBackUrl": "https://hear.example.com/rules",
    "guards": {
        "minClicks": 5,
        "minSpend": 2.5,
        "minMaturity": 70,
        "coolDownHours": 12,
        "maxActsPerDay": 2,
        "maxChange": 25,
        "maxShare": 10,
        "minBid": 0.1,
        "maxBid": 2,
        "minBudget": 10,
        "maxBudget": 500,
    },
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
        "jobFilter": {"filter": FILTER},
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
