"""Operation 52."""

from handbill.campaigns import service as campaigns
from handbill.contract import examples
from handbill.contract.meta.models import Meta, meta_told
from handbill.groups import service as groups
from handbill.http.operations import Call, Operation
from handbill.wire.models import spelled


def _meta(call: Call) -> Meta:
    every = campaigns.campaigns_of(call.tx, call.client.no)
    return meta_told(every, groups.children_of(call.tx, (campaign.no for campaign in every)))


OPERATIONS = [
    Operation(
        name="get_meta",
        number=52,
        verb="GET",
        path="/meta",
        title="Get the meta data.",
        about="The names of the client's campaigns and of the job groups in each.",
        work=_meta,
        client_header="x-client-id",
        answer=Meta,
        sample_answer=spelled(meta_told([examples.CAMPAIGN], {0: [examples.GROUP]})),
    ),
]
