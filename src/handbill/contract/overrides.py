"""What a campaign or job group has instead of what its parent has (settingsOverride)."""

from typing import Annotated

from pydantic import Field

from handbill.core.nouns import Override
from handbill.wire.fields import Percent, Whole
from handbill.wire.models import Model, is_none


class SettingsOverride(Model):
    """Settings that override the parent's."""

    makes = Override
    merged = True
    markdown_ppm: Annotated[int, Percent()] | None = Field(
        None,
        alias="markdown",
        exclude_if=is_none,
        description="Percent taken off the bid that publishers see.",
    )
    markup_ppm: Annotated[int, Percent(1_000)] | None = Field(
        None,
        alias="markup",
        exclude_if=is_none,
        description="Percent added to what the customer pays.",
    )
    apply_window_days: Annotated[int, Whole(1, 90)] | None = Field(
        None,
        alias="applyConvWindow",
        exclude_if=is_none,
        description="Days within which an apply counts.",
    )
