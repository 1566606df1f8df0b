"""Campaigns, as they are read and told. **Source**: contract 1 (19 to 25), domain 1.4, 14.7."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AliasChoices, Field

from handbill.contract.caps import Caps, NewPlacementCaps, PlacementCaps
from handbill.contract.envelopes import (
    STATUS,
    Child,
    Dated,
    EndDay,
    Identified,
    Page,
    StartDay,
    Status,
    child_told,
    in_order,
)
from handbill.contract.overrides import SettingsOverride
from handbill.core import nouns
from handbill.wire.fields import Filled, Key
from handbill.wire.models import UNREAD, Model, partial


class NewCampaign(Model):
    makes = nouns.CampaignBody
    name: Annotated[str, Filled()] = Field(description="Name of the campaign.")
    override: SettingsOverride = Field(
        UNREAD,
        alias="settingsOverride",
        description="Settings that override the client's.",
    )
    caps: Caps = Field(
        UNREAD,
        validation_alias=AliasChoices("caps", "Caps"),
        description="Limits on spend, clicks and applies per period; each is optional.",
    )
    placement_caps: Annotated[dict[Key, NewPlacementCaps], Field(max_length=200)] = Field(
        UNREAD, alias="placementCaps", description="Caps by publisher id."
    )
    start_on: StartDay = ""
    end_on: EndDay = ""

    _in_order = in_order


CampaignChange = partial(NewCampaign, "CampaignChange")


class _Standing(Model):
    status: Status = Field(alias="activeStatus", description=STATUS)
    children: dict[str, Child] = Field(description="Job groups, by id.")
    is_default: bool = Field(
        alias="isDefault", description="Whether it is the client's default campaign."
    )


class Campaign(Dated, _Standing, NewCampaign, Identified):
    """A campaign: a plan of the client with dates and caps, which holds job groups."""

    first = (
        "id",
        "name",
        "status",
        "override",
        "created_at",
        "children",
        "is_default",
        "caps",
        "placement_caps",
    )
    placement_caps: dict[str, PlacementCaps] = Field(  # type: ignore[assignment]
        alias="placementCaps", description="Caps by publisher id."
    )


class CampaignPage(Page[Campaign]):
    """A client's campaigns, oldest first."""


def campaign_told(campaign: nouns.Campaign, groups: Iterable[nouns.Group]) -> Campaign:
    body = campaign.body
    caps = {key: PlacementCaps.of(budget=cap) for key, cap in body.placement_caps.items()}
    return Campaign.of(
        body,
        id=campaign.id,
        status=campaign.status,
        children={one.id: child_told(one) for one in groups},
        is_default=campaign.is_default,
        placement_caps=caps,
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
    )
