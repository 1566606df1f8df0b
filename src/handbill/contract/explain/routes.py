"""Additions to the contract: why a job is, or is not, in each feed; what became of a click."""

from handbill.campaigns import service as campaigns
from handbill.clients import service as clients
from handbill.contract.explain import samples
from handbill.contract.explain.clicks import ClickExplanation
from handbill.contract.explain.entities import CapsAsked, EntityExplanation, explain_entity
from handbill.contract.explain.models import Explanation, explanation_of
from handbill.contract.explain.telling import click_told
from handbill.core.nouns import Client
from handbill.groups import service as groups
from handbill.http.operations import Call, Operation
from handbill.kit.faults import not_found
from handbill.ledger import explaining
from handbill.listings.explaining import explain
from handbill.listings.resolving import of_lowest
from handbill.publishers import service as publishers

_CAMPAIGN = "/clients/{client_id}/campaigns/{campaign_id}"


def _explain(call: Call) -> Explanation:
    ref = call.path["job_reference"]
    explained = explain(call.tx, call.desk.blobs, call.client, ref, call.now)
    return explanation_of(call.tx, call.settings, call.client, explained)


def _explain_click(call: Call) -> ClickExplanation:
    return _click(call, call.client)


def _explain_any_click(call: Call) -> ClickExplanation:
    no = explaining.client_of(call.tx, call.path["click_id"])
    named = clients.clients_by_number(call.tx, [no] if no else []).get(no or 0)
    if named is None:
        raise not_found()
    return _click(call, clients.client_of(call.tx, call.caller.agency_no, named.id))


def _click(call: Call, client: Client) -> ClickExplanation:
    desk = explaining.desk_of(call.tx, call.desk.blobs, call.settings, call.now)
    return click_told(call.tx, client, explaining.explain(desk, client, call.path["click_id"]))


def _explain_entity(call: Call) -> EntityExplanation:
    """The lowest that the path names."""
    campaign, group = None, None
    if "campaign_id" in call.path:
        campaign = campaigns.campaign_of(call.tx, call.client.no, call.path["campaign_id"])
        if "jobgroup_id" in call.path:
            group = groups.group_under(call.tx, campaign, call.path["jobgroup_id"])
    asked: CapsAsked = call.query
    if asked.publisher_id is not None:
        publishers.publisher_of(call.tx, call.caller.agency_no, asked.publisher_id)
    entity = of_lowest(call.tx, call.client, campaign, group, call.now)
    ceiling_ppm = call.settings.ceiling_ppm
    return explain_entity(call.tx, call.desk.blobs, ceiling_ppm, call.now, entity, asked)


OPERATIONS = [
    Operation(
        name="explain_job",
        verb="GET",
        path="/clients/{client_id}/jobs/{job_reference}/explain",
        title="Explain a job.",
        about="Why the job is, or is not, in each publisher's feed: the job group that it belongs "
        "to and the comparisons of its filter that decided it, the job groups that do not have it "
        "and why, the effective states, the bid and where it comes from, everything that keeps "
        "the job out, and what each feed contains now.",
        tag="Jobs",
        work=_explain,
        lane="slow",
        answer=Explanation,
        sample_answer=samples.JOB,
    ),
]
OPERATIONS += [
    Operation(
        name=name,
        verb="GET",
        path=f"{path}/clicks/{{click_id}}/explain",
        title=f"Explain a click{of}.",
        about="What became of a click, and why: its link and the version of the file that carried "
        "it, each check with what it saw, each cap as it stood then, the charge, and what "
        "followed from it. notKnown lists what is no longer known. The click is named by its "
        f"jClickId, or by the clickId of the ledger's export (32 hex digits){until}.",
        tag="Events",
        work=work,
        lane="slow",
        answer=ClickExplanation,
        sample_answer=samples.CLICK,
    )
    for name, path, of, until, work in (
        ("explain_click", "", "", ", where it is not older than 120 days", _explain_any_click),
        ("explain_click_of_client", "/clients/{client_id}", " of a client", "", _explain_click),
    )
]
OPERATIONS += [
    Operation(
        name=f"explain_{what.replace(' ', '')}",
        verb="GET",
        path=f"{path}/explain",
        title=f"Explain a {what}.",
        about="The effective state with its reasons, as in resolved-status; how many of its "
        "listings each publisher's file shows right now; and each of its caps: value, used, "
        "reserved, in flight, today's share, who uses it, and since when it is set so. To explain "
        "one cap, name it: ?cap=budget, and publisherId if it is for one publisher.",
        tag=tag,
        work=_explain_entity,
        lane="slow",
        query=CapsAsked,
        answer=EntityExplanation,
        sample_answer=samples.ENTITY,
    )
    for what, path, tag in (
        ("client", "/clients/{client_id}", "Clients"),
        ("campaign", _CAMPAIGN, "Campaigns"),
        ("job group", f"{_CAMPAIGN}/jobgroups/{{jobgroup_id}}", "Job groups"),
    )
]
