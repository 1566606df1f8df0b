"""What a job looks like when it is answered. **Source**: domain 1.7, 14.15 to 14.19."""

from handbill.wire.shapes import Schema
from handbill.wire.spelling import (
    BUDGET,
    CAPS,
    DAY,
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    described,
    listed,
    mapped,
    nullable,
    whole,
)

_SETTING = whole(
    {
        "cpcBid": described(NUMBER, "CPC bid in place of the job group's."),
        "cpaBid": described(NUMBER, "CPA bid in place of the job group's."),
        "markdown": described(NUMBER, "Percent taken off the bid that publishers see."),
        "caps": described(CAPS, "Caps of the job alone."),
        "startDate": described(DAY, "First day on which it is advertised."),
        "endDate": described(DAY, "Last day on which it is advertised."),
    },
    ("cpcBid", "cpaBid", "markdown", "caps", "startDate", "endDate"),
)
_PLACEMENT = whole(
    {
        "value": described(TEXT, "Publisher id."),
        "cpcBid": described(NUMBER, "CPC bid of the job over this publisher."),
        "cpaBid": described(NUMBER, "CPA bid of the job over this publisher."),
        "isActive": described(FLAG, "False excludes the job from this publisher."),
        "caps": described(whole({"budget": BUDGET}), "Cap for this publisher."),
        "currency": described(TEXT, "As it was said: the publisher's."),
    },
    ("cpcBid", "cpaBid", "caps", "currency"),
)
_PUBLISHER_FIELDS: Schema = {
    "type": "object",
    "properties": {
        "publishers": described(listed(TEXT), "Only these publishers may carry the job.")
    },
    "additionalProperties": described(mapped(TEXT), "Nodes in that publisher's feed."),
}
_MOMENT = nullable(INSTANT)
JOB: Schema = whole(
    {
        "refNumber": described(TEXT, "Reference number, unique in the client."),
        "title": described(TEXT, "Title."),
        "company": described(TEXT, "Company name."),
        "description": described(TEXT, "Description, text or HTML."),
        "category": described(TEXT, "Category."),
        "city": described(TEXT, "City."),
        "state": described(TEXT, "State."),
        "country": described(TEXT, "Country."),
        "jobId": described(
            {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "The job's id, for life."
        ),
        "zip": described({"type": ["string", "integer"]}, "Zip code, as it came."),
        "createdAtDate": described(INSTANT, "When it first came."),
        "updatedAtDate": described(INSTANT, "When it was last changed."),
        "pubDate": described(_MOMENT, "Time of publication. Null: unknown."),
        "postedDate": described(_MOMENT, "When the job was posted. Null: unknown."),
        "modifiedDate": described(_MOMENT, "When the source last changed the job. Null: unknown."),
        "type": described(TEXT, "Type of job, such as FULL_TIME."),
        "additionalFields": described(mapped(TEXT), "The client's own fields."),
        "publisherFields": described(
            _PUBLISHER_FIELDS,
            "Publishers that may carry the job, and additional nodes by publisher.",
        ),
        "jobSetting": described(_SETTING, "Bids, markdown, caps and dates of this job alone."),
        "placementSettings": described(
            listed(_PLACEMENT), "Settings of this job for single publishers."
        ),
        "clientId": described(TEXT, "Id of its client."),
        "valid": described(FLAG, "Whether it has all that is mandatory; else it is not shown."),
        "status": described({"enum": ["ACTIVE", "PAUSED", "EXPIRED"]}, "The entity's own state."),
        "url": described(TEXT, "The feed's URL."),
        "alternateURL": described(TEXT, "Target of clicks if there is no url."),
        "endAtDate": described(_MOMENT, "End. Null: never."),
        "missingFields": described(listed(TEXT), "Mandatory fields that are empty."),
        "fromFeed": described(
            FLAG, "Whether the job comes from a feed. Otherwise it was added by API."
        ),
    }
)
