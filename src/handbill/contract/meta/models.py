"""What is told of the names of campaigns and job groups. **Source**: domain 14.27."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import Field

from handbill.contract.envelopes import Child, child_told
from handbill.core import nouns
from handbill.wire.models import Model


class CampaignNames(Child):
    """A campaign and its job groups, by name."""

    groups: list[Child] = Field(alias="jobGroups", description="The campaign's job groups.")


class Meta(Model):
    """The names of a client's campaigns and job groups."""

    success: Literal[True] = Field(description="Always true.")
    campaigns: list[CampaignNames] = Field(description="The client's campaigns, oldest first.")


def meta_told(
    campaigns: Iterable[nouns.Campaign], groups: Mapping[int, Sequence[nouns.Group]]
) -> Meta:
    """``groups``: of each campaign, by its number."""
    rows = [
        CampaignNames.of(one, name=one.body.name, groups=list(map(child_told, groups[one.no])))
        for one in campaigns
    ]
    return Meta.of(success=True, campaigns=rows)
