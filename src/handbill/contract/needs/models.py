"""What needs somebody: where, since when, why, and a request that mends it.

**Source**: core.needs, and the rooms that keep each cause.
"""

from typing import Any, Final, Literal

from pydantic import Field

from handbill.contract.envelopes import Page
from handbill.contract.standing.fixes import request_of
from handbill.core.needs import Cause, Kind
from handbill.stats import needs
from handbill.wire.fields import Instant
from handbill.wire.models import Model

ABOUT: Final[dict[Cause, str]] = {
    Cause.CAPPED: "a cap of it stops it.",
    Cause.NO_BID: "nothing can be listed at the bids set.",
    Cause.NO_JOBS: "there is no job that may be listed.",
    Cause.NO_PLACEMENT: "there is no publisher where it may be listed.",
    Cause.IMPORT_FAILED: "the last run of a feed has failed.",
    Cause.NOT_FETCHED: "a publisher has not fetched its feed when it was expected to.",
    Cause.NOT_DELIVERED: "a feed cannot be delivered to a publisher.",
    Cause.CALLBACK_FAILED: "a notification was not delivered, and is no longer tried.",
    Cause.RULE_PAUSED: "a rule is paused.",
}
_CAUSES: Final = "".join(f"\n- {cause}: {text}" for cause, text in ABOUT.items())


class Concerned(Model):
    """What a need is about, by kind and id."""

    kind: Kind = Field(description="Its kind.")
    id: str = Field(description="Its id.")
    name: str = Field(description="Its name; of a feed or a callback, its address.")


class ClientNamed(Model):
    """A client."""

    id: str = Field(description="Its id.")
    name: str = Field(description="Its name.")


class FixRequest(Model):
    """A request that is ready to be sent."""

    method: Literal["PUT", "POST"] = Field(description="Its method.")
    path: str = Field(description="Its path.")
    headers: dict[str, str] = Field(description="Its headers, but those of the credential.")
    body: dict[str, Any] | None = Field(description="Its body. Null: none.")


class Need(Model):
    """Something that needs somebody."""

    cause: Cause = Field(description=f"Why:{_CAUSES}")
    entity: Concerned = Field(description="What needs somebody.")
    client: ClientNamed | None = Field(
        description="The client that it belongs to. Null: it is the agency's own."
    )
    campaign_id: str | None = Field(
        alias="campaignId", description="The campaign of a job group. Null: it is none."
    )
    since_at: Instant = Field(alias="since", description="Since when.")
    words: str = Field(alias="description", description="What is the matter, in words.")
    fix: FixRequest | None = Field(
        description="A request that mends it. Null: there is none, or the person may not see it."
    )


class Needs(Page[Need]):
    """What needs somebody, newest first."""

    total: int = Field(
        description=f"Number on all pages. At most {needs.MOST} of each cause are looked at."
    )


def needs_told(found: list[needs.Need], total: int, *, with_fixes: bool) -> Needs:
    return Needs.of(rows=[_need_model(one, with_fixes=with_fixes) for one in found], total=total)


def _need_model(one: needs.Need, *, with_fixes: bool) -> Need:
    group = one.around.group if one.around else None
    campaign = one.around.campaign if one.around else None
    return Need.of(
        cause=one.cause,
        entity=Concerned.of(kind=one.kind, id=one.id, name=one.name),
        client=one.client and ClientNamed.of(id=one.client.id, name=one.client.body.company_name),
        campaign_id=campaign.id if campaign and group else None,
        since_at=one.since_at,
        words=one.words,
        fix=_fix(one) if with_fixes else None,
    )


def _fix(one: needs.Need) -> FixRequest | None:
    if one.around is not None and one.reason is not None:
        ready = request_of(one.around, one.reason)
        return None if ready is None else FixRequest.of(headers={}, **ready)
    if one.cause is Cause.CALLBACK_FAILED:
        path = f"/callbacks/{one.id}/send-again"
        return FixRequest.of(method="POST", path=path, headers={}, body=None)
    if one.client is None:
        return None
    if one.cause is Cause.IMPORT_FAILED:
        path = f"/clients/{one.client.id}/feeds/{one.id}/run"
        return FixRequest.of(method="POST", path=path, headers={}, body=None)
    return FixRequest.of(
        method="PUT",
        path="/rules/status",
        headers={"x-client-id": one.client.id},
        body={"ids": [one.id], "status": "A"},
    )
