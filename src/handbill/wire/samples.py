"""Answers as examples for the OpenAPI document, spelled by the code that spells real ones.

Names and values are those of the reference's samples where it has them.
"""

import msgspec

from handbill.core.nouns import (
    Job,
    JobBody,
)
from handbill.kit.instants import instant_of_iso
from handbill.wire.spelled_jobs import spell_job

_AT = instant_of_iso("2019-11-29T10:00:00Z")
_CLIENT_ID = "0b24ce32-5462-9024-a397-de37da501zzz"
_JOB = Job(
    no=0, id="e13cd1d459a7be781712aa2636a9580c", client_no=0, feed_no=None, status="A", valid=True,
    created_at=_AT, updated_at=_AT,
    body=JobBody(
        ref="test-job-ref-number-19", title="test title", company="test company",
        description="apply for this single job", category="Maintenance", city="Eluru",
        state="Telangana", country="US", zip=500081, type="FULL_TIME", published_at=_AT,
        posted_at=_AT, modified_at=_AT, url="https://jobs.example.com/19",
        additional={"external-data": "a12"},
    ),
)  # fmt: skip


JOB = msgspec.to_builtins(spell_job(_JOB, "40194b3f-7b49-41e8-b235-4d93a50330f3", _AT))
