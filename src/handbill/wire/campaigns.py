"""Campaigns on the wire. **Source**: contract 1 (19 to 25), domain 1.4, 14.7, 14.8."""

from typing import Any

from handbill.core.nouns import Campaign, Cap, Override
from handbill.kit.instants import iso_of
from handbill.kit.money import number_of
from handbill.wire.caps import caps_shape, spell_cap, spell_caps
from handbill.wire.changes import OVERRIDE, PLACEMENT_CAPS, caps_change_shape
from handbill.wire.clients import CHILD, dates_in_order
from handbill.wire.shapes import Day, Field, MapOf, Object, Schema, Text, spell_day
from handbill.wire.spelling import (
    BUDGET,
    CAPS,
    DAY,
    FLAG,
    INSTANT,
    STATUS,
    TEXT,
    described,
    mapped,
    whole,
)
from handbill.wire.spelling import OVERRIDE as OVERRIDE_SCHEMA

_NAME = Text(1, 200)
_EDITABLE = {
    "endDate": Field(Day(), "Last day, mm/dd/yyyy; a year after the first if absent."),
    "settingsOverride": Field(OVERRIDE, "What it has other than its client."),
    "placementCaps": Field(MapOf(PLACEMENT_CAPS), "Caps by publisher id."),
}
CREATE = Object(
    {
        "name": Field(_NAME, "Name of the campaign.", required=True),
        "startDate": Field(Day(), "First day, mm/dd/yyyy; today if absent. It stays."),
        "caps": Field(
            caps_shape(budget_required=False), "Its caps, each optional.", aliases=("Caps",)
        ),
    }
    | _EDITABLE,
    check=dates_in_order,
)
UPDATE = Object(
    {
        "name": Field(_NAME, "Name of the campaign."),
        "startDate": Field(Day(), "Only as it stands: it cannot be changed."),
        "caps": Field(
            caps_change_shape(), "Each that is given replaces its like.", aliases=("Caps",)
        ),
    }
    | _EDITABLE
)
NAMES = {"name": "name", "startDate": "start_on", "endDate": "end_on"}


def spell_override(override: Override) -> dict[str, Any]:
    """Only what is overridden."""
    found: dict[str, Any] = {}
    if override.markdown_ppm is not None:
        found["markdown"] = number_of(override.markdown_ppm * 100)
    if override.markup_ppm is not None:
        found["markup"] = number_of(override.markup_ppm * 100)
    if override.apply_window_days is not None:
        found["applyConvWindow"] = override.apply_window_days
    return found


def _spell_placement_caps(caps: dict[str, Cap]) -> dict[str, Any]:
    return {publisher: {"budget": spell_cap(cap, money=True)} for publisher, cap in caps.items()}


def spell_campaign(campaign: Campaign, children: dict[str, Any]) -> dict[str, Any]:
    """A campaign as the contract writes it; what we add stands behind."""
    body = campaign.body
    return {
        "id": campaign.id,
        "name": body.name,
        "activeStatus": campaign.status,
        "settingsOverride": spell_override(body.override),
        "createdOn": iso_of(campaign.created_at),
        "children": children,
        "isDefault": campaign.is_default,
        "caps": spell_caps(body.caps),
        "placementCaps": _spell_placement_caps(body.placement_caps),
        "startDate": spell_day(body.start_on),
        "endDate": spell_day(body.end_on),
        "lastUpdated": iso_of(campaign.updated_at),
    }


CAMPAIGN: Schema = whole(
    {
        "id": described(TEXT, "The campaign's id."),
        "name": described(TEXT, "Name of the campaign."),
        "activeStatus": described(STATUS, "A active, P paused."),
        "settingsOverride": described(OVERRIDE_SCHEMA, "What it has other than its client."),
        "createdOn": described(INSTANT, "When it was created."),
        "children": described(mapped(CHILD), "Its job groups by id."),
        "isDefault": described(FLAG, "Whether it is the client's default campaign."),
        "caps": described(CAPS, "What it may spend and get per period."),
        "placementCaps": described(mapped(whole({"budget": BUDGET})), "Caps by publisher id."),
        "startDate": described(DAY, "First day, mm/dd/yyyy."),
        "endDate": described(DAY, "Last day, mm/dd/yyyy."),
        "lastUpdated": described(INSTANT, "When it was last changed."),
    }
)
