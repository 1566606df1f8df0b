"""Click definitions, as they are read and told. **Source**: domain 7.4."""

from typing import Annotated, Final, Literal

from pydantic import Field

from handbill.contract.envelopes import Page
from handbill.core import click_definitions as core
from handbill.core.click_definitions import Grain, Preset
from handbill.kit.instants import DAY, SECOND
from handbill.wire.fields import Instant, Url, Whole
from handbill.wire.models import Model, partial
from handbill.wire.words import AnyCase

_MOST_DUPLICATE: Final = 7 * DAY // SECOND
_MOST_LATENT: Final = 90 * DAY // SECOND


class BotDetectors(Model):
    """Detectors of bots, used while bot is true."""

    merged = True
    by_address: bool = Field(
        True,
        alias="joveoBotlogic",
        description="Whether clicks from listed addresses (botIpsFileUrl) are bot clicks.",
    )
    by_agent: bool = Field(
        True,
        alias="cmBotLogic",
        description="Whether clicks by user agents on the list of crawlers are bot clicks.",
    )
    most_clicks: Annotated[int, Whole(1, 1_000_000)] | None = Field(
        None,
        alias="clicksPerAddressAndDay",
        description="Number of clicks from one address per day that count. Further ones are bot "
        "clicks. Null: no limit.",
    )


class _Rules(Model):
    enabled: bool = Field(
        True, alias="enable", description="Whether the definition applies. Default: true."
    )
    bot: bool = Field(True, description="Whether clicks of bots are excluded. Default: true.")
    duplicate_seconds: Annotated[int, Whole(0, _MOST_DUPLICATE)] | None = Field(
        None,
        alias="duplicate",
        description="Seconds within which a repeated click by the same visitor on the same job is"
        " a duplicate, at most 7 days. Null or 0: no click is.",
    )
    latent_seconds: Annotated[int, Whole(0, _MOST_LATENT)] | None = Field(
        None,
        alias="latent",
        description="Seconds after the job left the publisher's feed from which clicks are "
        "latent, at most 90 days. Null: no click is. Default: 48 hours.",
    )
    foreign: Annotated[Grain, AnyCase()] | None = Field(
        None,
        description="Clicks from outside the job's country, state or city are foreign. Null: none"
        " are. Requires HANDBILL_GEO_FILE. REGION is read as STATE.",
    )
    detectors: BotDetectors = Field(alias="newBot", description="Detectors of bots.")
    bot_ips_url: Url | None = Field(
        None,
        alias="botIpsFileUrl",
        description="URL of a CSV with the heading IP Address and one address or prefix of a bot "
        "per line. It is read at once, then daily. Null: no list.",
    )


class _Presettable(_Rules):
    preset: Annotated[Preset, AnyCase()] = Field(
        description="Preset to start from (Default, 1 to 5). Other fields of the body override it.",
    )


DefinitionChange = partial(_Presettable, "ClickDefinitionChange")


class BotList(Model):
    """A list of bots' addresses."""

    count: int = Field(description="Number of addresses and prefixes in the current list.")
    read_at: Instant | None = Field(alias="readOn", description="When the list was read.")
    failure: str | None = Field(
        description="Why the list could not be read the last time. The former list remains."
    )


class _Whose(Model):
    publisher_id: str = Field(
        alias="publisherId", description="The publisher whose clicks are defined."
    )
    client_id: str | None = Field(
        alias="clientId", description="The client the definition applies to. Null: all clients."
    )


class _Kept(Model):
    bot_ips: BotList = Field(alias="botIps", description="The current list of bots' addresses.")
    status: Literal["Approved"] = Field(description="Always Approved: there is no review.")
    created_at: Instant = Field(alias="createdAt", description="Time of creation.")
    updated_at: Instant = Field(alias="updatedAt", description="When it was last changed.")


class ClickDefinition(_Kept, _Rules, _Whose):
    """Defines which clicks of a publisher are payable, for all clients or for one."""


class ClickDefinitionPage(Page[ClickDefinition]):
    """The definitions of a publisher, beginning with the one for all clients."""


def definition_told(
    publisher_id: str, client_id: str | None, kept: core.ClickDefinition, listed: int
) -> ClickDefinition:
    """``listed``: how many addresses of bots are on its list."""
    rules = kept.body.rules
    return ClickDefinition.of(
        rules,
        publisher_id=publisher_id,
        client_id=client_id,
        enabled=kept.body.enabled,
        detectors=BotDetectors.of(rules),
        bot_ips_url=kept.body.bot_ips_url or None,
        bot_ips=BotList.of(count=listed, read_at=kept.ips_read_at, failure=kept.ips_failure),
        status="Approved",
        created_at=kept.created_at,
        updated_at=kept.updated_at,
    )
