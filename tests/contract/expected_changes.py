"""What each operation that changes something leaves: its changes, from a small body to all."""

from collections.abc import Callable
from typing import Any

import msgspec

from contract.asgi import Reply, call
from contract.change_rows import (
    ABSENT,
    GONE,
    Case,
    Fields,
    Row,
    of_agency,
    of_provider,
    of_question,
)
from contract.office import Body
from contract.signed_in import guard
from contract.test_matrices import SOUND
from contract.world import World
from handbill.api import operations
from handbill.http.operations import Operation
from handbill.kit.jsons import encode

OPERATIONS = {operation.name: operation for operation in operations()}


def _sent(name: str) -> Callable[[World], Any]:
    """What must have been asked before."""
    return lambda world: send(world, OPERATIONS[name])


def _refs(world: World) -> list[str]:
    return [world.ids["job_reference"]]


def _rule(world: World) -> Body:
    scope = {"clientId": "client_id", "campaignId": "campaign_id", "jobGroupId": "jobgroup_id"}
    sample: Body = OPERATIONS["create_rule"].sample
    return sample | {n: world.ids[slot] for n, slot in scope.items()}


def _another_rule(world: World) -> None:
    made = send(world, OPERATIONS["create_rule"], _rule(world)).json
    world.ids["another_rule"] = made["data"]["id"]


def _markup(world: World) -> Body:
    entity = {"clientId": world.ids["client_id"], "entityId": world.ids["client_id"]}
    return {
        "effectiveFrom": 1_793_491_200,
        "value": 12.5,
        "entities": [entity | {"level": "Client"}],
    }


def _job_of_posting(act: str = "CHANGE", **fields: tuple[Any, Any]) -> list[Row]:
    return [Row("POSTING_JOB", "", act, {f"/{name}": pair for name, pair in fields.items()})]


PAUSED: Fields = {"/status": ("A", "P")}
ENABLED: Fields = {"/status": ("P", "A")}
LOGIN = "ftp://u@ftp.example.com:21".replace("/", "~1")
CASES: dict[str, Case] = {
    "update_agency": Case(
        [of_agency("AGENCY", "agency_id", fields={"/name": ("Acme", "Acme Ads")})]
    ),
    "create_api_key": Case([of_agency("API_KEY", "", "CREATE", {"/owner": (ABSENT, "agency")})]),
    "rotate_api_key": Case(
        [
            of_agency("API_KEY", "prefix", fields={"/expires_at": (None, 1_795_089_600_000_000)}),
            of_agency("API_KEY", "", "CREATE"),
        ]
    ),
    "revoke_api_key": Case(
        [of_agency("API_KEY", "prefix", fields={"/revoked_at": (None, 1_795_003_200_000_000)})]
    ),
    "create_api_client": Case(
        [of_agency("API_CLIENT", "", "CREATE", {"/scope": (ABSENT, "handbill/read")})]
    ),
    "revoke_api_client": Case(
        [
            of_agency(
                "API_CLIENT", "api_client_id", fields={"/revoked_at": (None, 1_795_003_200_000_000)}
            )
        ]
    ),
    "invite_person": Case([of_agency("PERSON", "", "CREATE", {"/role": (ABSENT, "TRADER")})]),
    "update_person": Case(
        [of_agency("PERSON", "person_id", fields={"/role": ("TRADER", "ANALYST")})]
    ),
    "remove_person": Case(
        [of_agency("PERSON", "person_id", "DELETE", {"/role": ("TRADER", GONE)})]
    ),
    "reset_second_factor": Case(
        [of_agency("PERSON", "person_id", fields={"/secondFactor": (True, False)})],
        first=lambda world: guard(world.office, world.ids["person_id"]),
    ),
    "set_sign_in_provider": Case(
        [
            of_provider(fields={"/claim": ("", "groups")}),
            of_provider(fields={"/secret": (GONE, GONE)}),
        ]
    ),
    "remove_sign_in_provider": Case([of_provider("DELETE", {"/client_id": ("handbill", GONE)})]),
    "create_client": Case(
        [
            Row("CLIENT", "", "CREATE", {"/company_name": (ABSENT, "New External API-789")}),
            Row("CAMPAIGN", "", "CREATE", {"/name": (ABSENT, "Default Campaign")}),
            Row("JOB_GROUP", "", "CREATE", {"/name": (ABSENT, "Default JobGroup")}),
        ]
    ),
    "update_client": Case(
        [Row("CLIENT", "client_id", fields={"/caps/budget/pacing": (False, True)})]
    ),
    "pause_client": Case([Row("CLIENT", "client_id", fields=PAUSED)]),
    "enable_client": Case(
        [Row("CLIENT", "client_id", fields=ENABLED)], first=_sent("pause_client")
    ),
    "delete_client": Case([Row("CLIENT", "client_id", "DELETE", {"/status": ("A", GONE)})]),
    "add_job": Case([Row("JOB", "", "CREATE", {"/title": (ABSENT, "test title")})]),
    "update_job": Case([Row("JOB", "", fields={"/title": ("t", "test title")})]),
    "pause_job": Case([Row("JOB", "", fields=PAUSED)]),
    "enable_job": Case([Row("JOB", "", fields=ENABLED)], first=_sent("pause_job")),
    "delete_job": Case([Row("JOB", "", "DELETE", {"/title": ("t", GONE)})]),
    "create_campaign": Case(
        [Row("CAMPAIGN", "", "CREATE", {"/name": (ABSENT, "test-campaign-api-1")})]
    ),
    "update_campaign": Case(
        [
            Row(
                "CAMPAIGN",
                "campaign_id",
                fields={"/caps/budget/value": (1_000_000_000, 750_000_000)},
            )
        ]
    ),
    "pause_campaign": Case([Row("CAMPAIGN", "campaign_id", fields=PAUSED)]),
    "enable_campaign": Case(
        [Row("CAMPAIGN", "campaign_id", fields=ENABLED)], first=_sent("pause_campaign")
    ),
    "delete_campaign": Case(
        [
            Row("CAMPAIGN", "campaign_id", "DELETE", {"/name": ("autumn", GONE)}),
            Row("JOB_GROUP", "jobgroup_id", "DELETE", {"/cpc_bid_micros": (500_000, GONE)}),
        ]
    ),
    "create_jobgroup": Case(
        [Row("JOB_GROUP", "", "CREATE", {"/cpc_bid_micros": (ABSENT, 120_000)})]
    ),
    "update_jobgroup": Case(
        [
            Row(
                "JOB_GROUP",
                "jobgroup_id",
                fields={
                    "/cpc_bid_micros": (500_000, 700_000),
                    "/caps/clicks": (
                        None,
                        {
                            "period": "Monthly",
                            "value": 9,
                            "pacing": False,
                            "threshold_ppm": 800_000,
                            "locked": False,
                        },
                    ),
                    "/placements/0/bid_micros": (None, 550_000),
                },
            )
        ],
        lambda world: {
            "cpcBid": 0.7,
            "caps": {"clicks": {"cap": "Monthly", "value": 9}},
            "placements": [{"value": world.ids["publisher_id"], "bid": 0.55}],
        },
    ),
    "pause_jobgroup": Case([Row("JOB_GROUP", "jobgroup_id", fields=PAUSED)]),
    "enable_jobgroup": Case(
        [Row("JOB_GROUP", "jobgroup_id", fields=ENABLED)], first=_sent("pause_jobgroup")
    ),
    "delete_jobgroup": Case(
        [Row("JOB_GROUP", "jobgroup_id", "DELETE", {"/cpc_bid_micros": (500_000, GONE)})]
    ),
    "create_feed": Case(
        [Row("FEED", "", "CREATE", {"/url": (ABSENT, "https://feeds.example.com/jobs.xml")})]
    ),
    "update_feed": Case(
        [
            Row(
                "FEED",
                "feed_id",
                fields={
                    "/url": (
                        "https://feeds.example.com/jobs.xml",
                        "https://feeds.example.com/2.xml",
                    )
                },
            ),
            Row("FEED", "feed_id", fields={"/config/auth/password": (ABSENT, ABSENT)}),
        ],
        lambda _: {
            "xmlFeedUrl": "https://feeds.example.com/2.xml",
            "config": {"auth": {"username": "u", "password": "hush-hush"}},
        },
    ),
    "pause_feed": Case([Row("FEED", "feed_id", fields=PAUSED)]),
    "enable_feed": Case([Row("FEED", "feed_id", fields=ENABLED)], first=_sent("pause_feed")),
    "run_feed": Case([Row("FEED", "feed_id")], query="force=true"),
    "delete_feed": Case(
        [Row("FEED", "feed_id", "DELETE", {"/url": ("https://feeds.example.com/jobs.xml", GONE)})]
    ),
    "create_publisher": Case(
        [
            of_agency("PUBLISHER", "", "CREATE", {"/min_bid_micros": (ABSENT, 250_000)}),
            of_agency("PUBLISHER", "", fields={f"/passwords/{LOGIN}": (ABSENT, ABSENT)}),
        ],
        lambda world: {
            "id": "Fresh" + world.ids["publisher_id"],
            "minBid": 0.25,
            "deliverFeedByFTP": True,
            "ftpConfig": {
                "credentials": {"host": "ftp.example.com", "username": "u", "password": "hush-hush"}
            },
        },
    ),
    "update_publisher": Case(
        [
            of_agency("PUBLISHER", "publisher_id", fields={"/min_bid_micros": (0, 250_000)}),
            of_agency(
                "PUBLISHER", "publisher_id", fields={f"/passwords/{LOGIN}": (ABSENT, ABSENT)}
            ),
        ],
        lambda _: {
            "minBid": 0.25,
            "ftpConfig": {
                "credentials": {"host": "ftp.example.com", "username": "u", "password": "hush-hush"}
            },
        },
    ),
    "pause_publisher": Case([of_agency("PUBLISHER", "publisher_id", fields=PAUSED)]),
    "enable_publisher": Case(
        [of_agency("PUBLISHER", "publisher_id", fields=ENABLED)],
        first=_sent("pause_publisher"),
    ),
    "delete_publisher": Case(
        [of_agency("PUBLISHER", "publisher_id", "DELETE", {"/status": ("A", GONE)})]
    ),
    "create_publisher_family": Case(
        [
            of_agency("PUBLISHER_FAMILY", "", "CREATE", {"/publishers": (ABSENT, ["TestExp1"])}),
            of_agency("API_KEY", "", "CREATE", {"/owner": (ABSENT, "partner")}),
            of_agency("API_CLIENT", "", "CREATE", {"/owner": (ABSENT, "partner")}),
        ]
    ),
    "update_publisher_family": Case(
        [of_agency("PUBLISHER_FAMILY", "publisher_family_id", fields={"/name": ("", "Vendor")})],
        lambda _: {"name": "Vendor"},
    ),
    "delete_publisher_family": Case(
        [
            of_agency("PUBLISHER_FAMILY", "publisher_family_id", "DELETE", {"/name": ("", GONE)}),
            of_agency("API_KEY", ""),
            of_agency("API_CLIENT", ""),
        ]
    ),
    "update_click_definition": Case(
        [of_agency("CLICK_DEFINITION", "publisher_id", fields={"/rules/bot": (False, True)})]
    ),
    "delete_click_definition": Case(
        [of_agency("CLICK_DEFINITION", "publisher_id", "DELETE", {"/enabled": (True, GONE)})]
    ),
    "update_click_definition_of_client": Case(
        [Row("CLICK_DEFINITION", "publisher_id", fields={"/rules/bot": (False, True)})]
    ),
    "delete_click_definition_of_client": Case(
        [Row("CLICK_DEFINITION", "publisher_id", "DELETE", {"/enabled": (True, GONE)})]
    ),
    "create_posting_config": Case(
        [Row("POSTING", "", "CREATE", {"/cost_micros": (ABSENT, 220_000_000)})]
    ),
    "update_posting_config": Case(
        [Row("POSTING", "config_id", fields={"/available": (10, 12)})],
        lambda _: {"availableCount": 12},
    ),
    "delete_posting_config": Case(
        [Row("POSTING", "config_id", "DELETE", {"/cost_micros": (220_000_000, GONE)})]
    ),
    "add_posting_jobs": Case(
        _job_of_posting("CREATE", pinned=(ABSENT, False)),
        _refs,
        lambda world: send(world, OPERATIONS["remove_posting_jobs"], _refs(world)),
    ),
    "set_stage_map": Case(
        [Row("STAGE_MAP", "client_id", fields={"/stages/Met": (ABSENT, "INTERVIEWED")})],
        lambda _: {"stageMap": {"Met": "INTERVIEWED"}},
    ),
    "create_rule": Case([Row("RULE", "", "CREATE", {"/place": (ABSENT, 2)})], _rule),
    "switch_rules": Case(
        [Row("RULE", "rule_id", fields=PAUSED)],
        lambda world: {"ids": [world.ids["rule_id"]], "status": "P"},
    ),
    "order_rules": Case(
        [
            Row("RULE", "another_rule", fields={"/place": (2, 1)}),
            Row("RULE", "rule_id", fields={"/place": (1, 2)}),
        ],
        lambda world: {"ids": [world.ids["another_rule"], world.ids["rule_id"]]},
        _another_rule,
    ),
    "pause_rule": Case([Row("RULE", "rule_id", fields=PAUSED)]),
    "enable_rule": Case([Row("RULE", "rule_id", fields=ENABLED)], first=_sent("pause_rule")),
    "delete_rule": Case(
        [
            Row("JOB_GROUP", "jobgroup_id"),
            Row("RULE", "rule_id", "DELETE", {"/place": (1, GONE)}),
        ]
    ),
    "update_rule": Case(
        [Row("RULE", "rule_id", fields={"/name": ("Pause Job", "other")})],
        lambda world: _rule(world) | {"name": "other"},
    ),
    "undo_rule_run": Case([Row("JOB_GROUP", "jobgroup_id")]),
    "lift_hold": Case([Row("JOB_GROUP", "jobgroup_id")]),
    "set_rules_control": Case([Row("CLIENT", "client_id", fields={"/control": ("ADVISE", "ACT")})]),
    "create_markup": Case([Row("MARKUP", "", "CREATE", {"/ppm": (ABSENT, 125_000)})], _markup),
    "update_markup": Case(
        [Row("MARKUP", "markup_id", fields={"/ppm": (100_000, 125_000)})], lambda _: {"value": 12.5}
    ),
    "undo_change": Case(
        [Row("MARKUP", "markup_id", fields={"/name": ("m", "")})], lambda _: {"validateOnly": False}
    ),
    "set_rates": Case([of_agency("RATE", "", "CREATE", {"/rate": (ABSENT, "1.0825")})]),
    "delete_rate": Case([of_agency("RATE", "rate_id", "DELETE", {"/rate": ("1.25", GONE)})]),
    "save_report_question": Case([Row("REPORT_QUESTION", "", "CREATE", {"/days": (ABSENT, 30)})]),
    "share_report_question": Case([of_question()]),
    "end_report_link": Case([of_question()], first=_sent("share_report_question")),
    "delete_report_question": Case([of_question(act="DELETE")]),
    "create_rejudging": Case([Row("REJUDGING", "", "CREATE", {"/only_looks": (ABSENT, True)})]),
    "delete_markup": Case([Row("MARKUP", "markup_id", "DELETE", {"/ppm": (100_000, GONE)})]),
    "get_callback_secret": Case([of_agency("OWN_KEY", "", "CREATE", {"/kid": (ABSENT, 1)})]),
} | {
    f"{name}{where}": case
    for where in ("", "_at_publisher")
    for name, case in {
        "remove_posting_jobs": Case(_job_of_posting("DELETE", pinned=(False, GONE)), _refs),
        "pin_posting_jobs": Case(_job_of_posting(pinned=(False, True)), _refs),
        "unpin_posting_jobs": Case(
            _job_of_posting(pinned=(True, False)),
            _refs,
            lambda world: send(world, OPERATIONS["pin_posting_jobs"], _refs(world)),
        ),
        "pause_posting_jobs": Case(_job_of_posting(paused=(False, True)), _refs),
        "enable_posting_jobs": Case(
            _job_of_posting(paused=(True, False)),
            _refs,
            lambda world: send(world, OPERATIONS["pause_posting_jobs"], _refs(world)),
        ),
    }.items()
}
LEAVES_NONE = {
    "create_token": "it is signed, and kept nowhere",
    "invite_person_again": "a link of a person who is there; its use is told",
    "sign_person_out": "sessions are no settings",
    "get_publisher": "may make the address of a file, which was settled when the publisher came",
    "get_publisher_feed": "the same",
    "deliver_publisher": "asks for work; each file's delivery tells what came of it",
    "send_callback_again": "asks for work; the callback tells what came of it",
    "submit_stats_report": "a question; the report is its own record",
    "stream_stats_report": "the same",
    "generate_stats_report": "the same",
    "generate_ip_report": "the same",
    "request_publisher_report": "the same",
    "record_funnel": "tells what happened; the batch is its own record",
}
"""Operations that may write records and change nothing that somebody set."""


def send(
    world: World, operation: Operation, body: Any = msgspec.UNSET, query: str = "", **headers: str
) -> Reply:
    if body is msgspec.UNSET:
        body = SOUND.get(operation.name, operation.sample) if operation.body else None
    raw, url = None if operation.body is None else encode(body), world.url(operation)
    url += f"{'&' if '?' in url else '?'}{query}" if query else ""
    named = world.office.headers | world.headers(operation) | headers
    reply = call(world.office.app, operation.verb, url, headers=named, raw=raw)
    assert reply.status in {200, 202}, (operation.name, reply.raw)
    return reply
