"""Publisher families, as they are read and told."""

from typing import Annotated

from pydantic import Field, StringConstraints

from handbill.contract.envelopes import Dated, Page
from handbill.core.nouns import Family
from handbill.publishers import families
from handbill.store.records import Tx
from handbill.wire.fields import Name
from handbill.wire.models import Model, partial
from handbill.wire.schemas import NOT_BLANK

PublisherId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NOT_BLANK)]


class _Identified(Model):
    id: str = Field(description="The id, 24 hex digits, as used in publisher reports.")


class NewFamily(Model):
    name: Name = Field("", description="Name of the vendor.")
    publishers: list[PublisherId] = Field(
        min_length=1,
        max_length=1_000,
        description="Ids of the family's publishers, without deleted ones. An update replaces the"
        " whole list.",
    )


FamilyChange = partial(NewFamily, "PublisherFamilyChange")


class PublisherFamily(Dated, NewFamily, _Identified):
    """The vendor behind several publishers, with its own login."""


class PublisherFamilyPage(Page[PublisherFamily]):
    """Publisher families, oldest first."""


class FamilyMade(Model):
    """The new family with its credentials."""

    result: str = Field(description="The new family's id.")
    api_key: str = Field(
        alias="apiKey", description="The API key. It is shown only this once and not stored."
    )
    api_client_id: str = Field(
        alias="apiClientId", description="The family's API client, named in POST /token."
    )
    message: str = Field(description="Confirmation.")


def family_told(tx: Tx, family: Family) -> PublisherFamily:
    return PublisherFamily.of(family, publishers=families.publisher_ids(tx, family))
