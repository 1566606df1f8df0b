"""Publisher families as an agency minds them: an addition to the contract."""

from typing import Any

from handbill.kit.instants import Instant, iso_of
from handbill.wire.shapes import Field, ListOf, Object, Schema, Text
from handbill.wire.spelling import INSTANT, TEXT, described, listed, whole

MOST_PUBLISHERS = 1_000
_NAME = Field(Text(most=200), "Name of the vendor; empty if absent.")
_PUBLISHERS = ListOf(Text(1, 100), 1, MOST_PUBLISHERS)
CREATE = Object(
    {
        "name": _NAME,
        "publishers": Field(_PUBLISHERS, "Ids of its publishers, at least one.", required=True),
    }
)
UPDATE = Object(
    {
        "name": _NAME,
        "publishers": Field(_PUBLISHERS, "Ids of its publishers; the list replaces the former."),
    }
)


def spell_family(
    family_id: str, name: str, publishers: list[str], created_at: Instant, updated_at: Instant
) -> dict[str, Any]:
    return {
        "id": family_id,
        "name": name,
        "publishers": publishers,
        "createdOn": iso_of(created_at),
        "lastUpdated": iso_of(updated_at),
    }


FAMILY: Schema = whole(
    {
        "id": described(TEXT, "Its id: 24 hex digits, as publisher reports name it."),
        "name": described(TEXT, "Name of the vendor."),
        "publishers": described(listed(TEXT), "Ids of its publishers, deleted ones left out."),
        "createdOn": described(INSTANT, "When it was created."),
        "lastUpdated": described(INSTANT, "When it was last changed."),
    }
)
MADE: Schema = whole(
    {
        "result": described(TEXT, "The new family's id."),
        "apiKey": described(TEXT, "Its key. It is shown this once and kept nowhere."),
        "apiClientId": described(TEXT, "Its API client: what its POST /token names."),
        "message": described(TEXT, "What was done."),
    }
)
_AT = 1_575_021_600_000_000
_ID = "6576baba2f1c4d0e8a9b7c6d"
SAMPLE = spell_family(_ID, "Test Exp Group", ["TestExp1"], _AT, _AT)
SAMPLE_MADE = {
    "result": _ID,
    "apiKey": "hb_k0f3v1mx8c2b_7q9z5n4d6s1h0ak0f3v1mx8c2b7q9z5n4d6s1h0",
    "apiClientId": "l81n0sqr0la15s23g78h8aqaf",
    "message": "Publisher family created",
}
