"""Click definitions on the wire. **Source**: domain 7.4."""

from collections.abc import Mapping
from typing import Any

import msgspec

from handbill.core.click_definitions import GRAINS, PRESETS, DefinitionBody
from handbill.kit.instants import DAY, SECOND
from handbill.kit.urls import MOST_URL
from handbill.wire.feeds import FeedUrl
from handbill.wire.shapes import Choice, Field, Flag, Integer, Object, Schema
from handbill.wire.spelling import FLAG, INSTANT, TEXT, WHOLE, described, nullable, whole

MOST_DUPLICATE = 7 * DAY // SECOND
MOST_LATENT = 90 * DAY // SECOND
_MOST_CLICKS = 1_000_000
_DETECTORS = Object(
    {
        "joveoBotlogic": Field(
            Flag(), "Whether listed addresses are bots (botIpsFileUrl); true if absent."
        ),
        "cmBotLogic": Field(
            Flag(), "Whether user agents on the list of crawlers are bots; true if absent."
        ),
        "clicksPerAddressAndDay": Field(
            Integer(1, _MOST_CLICKS),
            "So many clicks of one address on one day count; every further one is a bot's. "
            "Null: any number.",
        ),
    }
)
UPDATE = Object(
    {
        "preset": Field(
            Choice(tuple(PRESETS)),
            "Begin with one of the platform's presets (Default, 1 to 5); what stands beside it "
            "goes before it.",
        ),
        "enable": Field(Flag(), "Whether the definition is in force; true if absent."),
        "bot": Field(Flag(), "Whether clicks of bots are dropped; true if absent."),
        "duplicate": Field(
            Integer(0, MOST_DUPLICATE),
            "Seconds in which a further click by the same visitor on the same job is a duplicate, "
            "at most 7 days. Null or 0: none is.",
        ),
        "latent": Field(
            Integer(0, MOST_LATENT),
            "Seconds of grace after the job left the publisher's feed, at most 90 days; later "
            "clicks are latent. Null: none is. 48 hours if absent.",
        ),
        "foreign": Field(
            Choice(GRAINS),
            "A click from outside the job's area of this grain is foreign. Null: none is. It "
            "needs HANDBILL_GEO_FILE; REGION is read as STATE.",
        ),
        "newBot": Field(_DETECTORS, "Which detectors tell bots, while bot is true."),
        "botIpsFileUrl": Field(
            FeedUrl(most=MOST_URL),
            "Address of a CSV with the heading IP Address: addresses and prefixes of bots, one a "
            "line. Read at once, then every day. Null: no list.",
        ),
    }
)
_RULES = {
    "bot": "bot", "duplicate": "duplicate_seconds", "latent": "latent_seconds",
    "foreign": "foreign",
}  # fmt: skip
_DETECTOR_RULES = {
    "joveoBotlogic": "by_address", "cmBotLogic": "by_agent",
    "clicksPerAddressAndDay": "most_clicks",
}  # fmt: skip
_FLAGS = {"bot", "by_agent", "by_address"}


def changed(body: DefinitionBody, found: Mapping[str, Any]) -> DefinitionBody:
    """A definition after what ``UPDATE`` read. Null switches a rule off; of a flag, it is true."""
    rules = PRESETS[found["preset"]] if found.get("preset") else body.rules
    said = {_RULES[key]: value for key, value in found.items() if key in _RULES}
    detectors = found.get("newBot", {})
    if detectors is None:
        detectors = dict.fromkeys(_DETECTOR_RULES)
    said |= {_DETECTOR_RULES[key]: value for key, value in detectors.items()}
    for key, value in said.items():
        if value is None and key in _FLAGS:
            said[key] = True
    return DefinitionBody(
        enabled=found.get("enable", body.enabled) is not False,
        rules=msgspec.structs.replace(rules, **said),
        bot_ips_url=found.get("botIpsFileUrl", body.bot_ips_url) or "",
    )


def spell_definition(
    publisher_id: str, client_id: str | None, body: DefinitionBody
) -> dict[str, Any]:
    """A definition as it is answered, but for its list of addresses and its instants."""
    rules = body.rules
    return {
        "publisherId": publisher_id,
        "clientId": client_id,
        "enable": body.enabled,
        "bot": rules.bot,
        "duplicate": rules.duplicate_seconds,
        "latent": rules.latent_seconds,
        "foreign": rules.foreign,
        "newBot": {
            "joveoBotlogic": rules.by_address,
            "cmBotLogic": rules.by_agent,
            "clicksPerAddressAndDay": rules.most_clicks,
        },
        "botIpsFileUrl": body.bot_ips_url or None,
    }


DEFINITION: Schema = whole(
    {
        "publisherId": described(TEXT, "The publisher whose clicks it is about."),
        "clientId": described(nullable(TEXT), "The client it holds for; null: every client."),
        "enable": described(FLAG, "Whether it is in force."),
        "bot": described(FLAG, "Whether clicks of bots are dropped."),
        "duplicate": described(nullable(WHOLE), "Seconds of the window of duplicates."),
        "latent": described(nullable(WHOLE), "Seconds of grace after a job left the feed."),
        "foreign": described(
            nullable({"enum": list(GRAINS)}), "Grain of the area that a click must come from."
        ),
        "newBot": described(
            whole(
                {
                    "joveoBotlogic": described(FLAG, "Whether listed addresses are bots."),
                    "cmBotLogic": described(FLAG, "Whether listed user agents are bots."),
                    "clicksPerAddressAndDay": described(
                        nullable(WHOLE), "Clicks of one address on one day that count."
                    ),
                }
            ),
            "Which detectors tell bots.",
        ),
        "botIpsFileUrl": described(nullable(TEXT), "Address of the list of bots' addresses."),
        "botIps": described(
            whole(
                {
                    "count": described(WHOLE, "Addresses and prefixes on the list in force."),
                    "readOn": described(nullable(INSTANT), "When the list was read."),
                    "failure": described(
                        nullable(TEXT), "Why the last reading failed; the former list stands."
                    ),
                }
            ),
            "The list of bots' addresses, as it is in force.",
        ),
        "status": described({"const": "Approved"}, "Always Approved: there is no review."),
        "createdAt": described(INSTANT, "When it was made."),
        "updatedAt": described(INSTANT, "When it was last changed."),
    }
)
