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
    id: str = Field(description="Its id: 24 hex digits, as publisher reports name it.")


class NewFamily(Model):
    name: Name = Field("", description="Name of the vendor.")
    publishers: list[PublisherId] = Field(
        min_length=1,
        max_length=1_000,
        description="Ids of its publishers; an update replaces the whole list. Deleted ones are "
        "not told.",
    )


FamilyChange = partial(NewFamily, "PublisherFamilyChange")


class PublisherFamily(Dated, NewFamily, _Identified):
    """The vendor behind several publishers, with a login of its own."""


class PublisherFamilyPage(Page[PublisherFamily]):
    """Publisher families, oldest first."""


class FamilyMade(Model):
    """What was made, and what lets it in."""

    result: str = Field(description="The new family's id.")
    api_key: str = Field(
        alias="apiKey", description="Its key. It is shown this once and kept nowhere."
    )
    api_client_id: str = Field(
        alias="apiClientId", description="Its API client: what its POST /token names."
    )
    message: str = Field(description="What was done.")


def family_told(tx: Tx, family: Family) -> PublisherFamily:
    return PublisherFamily.of(family, publishers=families.publisher_ids(tx, family))
