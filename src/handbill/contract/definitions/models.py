"""Click definitions, as they are read and told. **Source**: domain 7.4."""

from typing import Annotated, Final, Literal

from pydantic import Field

from handbill.contract.envelopes import Page
from handbill.core import click_definitions as core
from handbill.core.click_definitions import Grain, Preset
from handbill.kit.instants import DAY, SECOND
from handbill.wire.fields import AnyCase, Instant, Url, Whole
from handbill.wire.models import Model, partial

_MOST_DUPLICATE: Final = 7 * DAY // SECOND
_MOST_LATENT: Final = 90 * DAY // SECOND


class BotDetectors(Model):
    """Which detectors tell bots, while bot is true."""

    merged = True
    by_address: bool = Field(
        True,
        alias="joveoBotlogic",
        description="Whether listed addresses are bots (botIpsFileUrl).",
    )
    by_agent: bool = Field(
        True,
        alias="cmBotLogic",
        description="Whether user agents on the list of crawlers are bots.",
    )
    most_clicks: Annotated[int, Whole(1, 1_000_000)] | None = Field(
        None,
        alias="clicksPerAddressAndDay",
        description="So many clicks of one address on one day count; every further one is a "
        "bot's. Null: any number.",
    )


class _Rules(Model):
    enabled: bool = Field(
        True, alias="enable", description="Whether the definition is in force; true if absent."
    )
    bot: bool = Field(True, description="Whether clicks of bots are dropped; true if absent.")
    duplicate_seconds: Annotated[int, Whole(0, _MOST_DUPLICATE)] | None = Field(
        None,
        alias="duplicate",
        description="Seconds in which a further click by the same visitor on the same job is a "
        "duplicate, at most 7 days. Null or 0: none is.",
    )
    latent_seconds: Annotated[int, Whole(0, _MOST_LATENT)] | None = Field(
        None,
        alias="latent",
        description="Seconds of grace after the job left the publisher's feed, at most 90 days; "
        "later clicks are latent. Null: none is. 48 hours if absent.",
    )
    foreign: Annotated[Grain, AnyCase()] | None = Field(
        None,
        description="A click from outside the job's area of this grain is foreign. Null: none is. "
        "It needs HANDBILL_GEO_FILE; REGION is read as STATE.",
    )
    detectors: BotDetectors = Field(alias="newBot", description="Which detectors tell bots.")
    bot_ips_url: Url | None = Field(
        None,
        alias="botIpsFileUrl",
        description="Address of a CSV with the heading IP Address: addresses and prefixes of "
        "bots, one a line. Read at once, then every day. Null: no list.",
    )


class _Presettable(_Rules):
    preset: Annotated[Preset, AnyCase()] = Field(
        description="Begin with one of the platform's presets (Default, 1 to 5); what stands "
        "beside it goes before it.",
    )


DefinitionChange = partial(_Presettable, "ClickDefinitionChange")


class BotList(Model):
    """Addresses of bots, as they were read last."""

    count: int = Field(description="Addresses and prefixes on the list in force.")
    read_at: Instant | None = Field(alias="readOn", description="When the list was read.")
    failure: str | None = Field(description="Why the last reading failed; the former list stands.")


class _Whose(Model):
    publisher_id: str = Field(
        alias="publisherId", description="The publisher whose clicks it is about."
    )
    client_id: str | None = Field(
        alias="clientId", description="The client it holds for; null: every client."
    )


class _Kept(Model):
    bot_ips: BotList = Field(
        alias="botIps", description="The list of bots' addresses, as it is in force."
    )
    status: Literal["Approved"] = Field(description="Always Approved: there is no review.")
    created_at: Instant = Field(alias="createdAt", description="When it was made.")
    updated_at: Instant = Field(alias="updatedAt", description="When it was last changed.")


class ClickDefinition(_Kept, _Rules, _Whose):
    """What makes a publisher's clicks payable, for all clients or for one."""


class ClickDefinitionPage(Page[ClickDefinition]):
    """A publisher's definitions: the one for every client first."""


def definition_told(
    publisher_id: str, client_id: str | None, kept: core.ClickDefinition, listed: int
) -> ClickDefinition:
    """``listed``: how many addresses of bots are on its list."""
    rules = kept.body.rules
    return ClickDefinition.of(
        rules, publisher_id=publisher_id, client_id=client_id, enabled=kept.body.enabled,
        detectors=BotDetectors.of(rules), bot_ips_url=kept.body.bot_ips_url or None,
        bot_ips=BotList.of(count=listed, read_at=kept.ips_read_at, failure=kept.ips_failure),
        status="Approved", created_at=kept.created_at, updated_at=kept.updated_at,
    )  # fmt: skip
