"""The names of a pixel's parameters: in any case, and first in their own."""

import pytest

from handbill.tracking.pixel import report_of


@pytest.mark.parametrize(
    "query",
    ["c=px1&a=3", "C=px1&A=3", "C=site&c=px1&a=3", "c=px1&C=site&a=3&A=1", "A=1&c=px1&a=3&C=site"],
)
def test_a_name_in_its_own_case_counts_before_others(query: str) -> None:
    report = report_of(query.encode(), b"")
    assert report is not None
    assert (report.pixel_id, report.action) == ("px1", 3)


def test_the_longer_names_too() -> None:
    said = (
        b"c=px1&a=3&JOBAPPLICATIONID=x&jobApplicationId=one&candidateid=y&candidateId=two&R=z&r=3"
    )
    report = report_of(said, b"")
    assert report is not None
    assert (report.application_id, report.candidate_id) == ("one", "two")
    assert report.job_reference == "3"
