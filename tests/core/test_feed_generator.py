"""Made-up feeds: the same bytes for one seed, well-formed, recognised, varied, of a known size."""

import pytest
from lxml import etree

from handbill.demo.feeds import Dialect, feed
from handbill.dialects.inbound.known import discover, look

DIALECTS: tuple[Dialect, ...] = ("indeed", "talent", "jooble", "appcast")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_made_up_feed(dialect: Dialect) -> None:
    raw = b"".join(feed(dialect, 400, seed=3))
    assert raw == b"".join(feed(dialect, 400, seed=3))
    assert raw != b"".join(feed(dialect, 400, seed=4))
    jobs = etree.fromstring(raw).findall("job")
    assert len(jobs) == 400
    assert 1_500 < len(raw) / 400 < 2_100
    seen = look(raw)
    assert seen is not None
    title = discover(seen.nodes)["schemaMappingsTitle"]
    assert len({job.findtext(title) for job in jobs}) > 30


def test_a_job_does_not_depend_on_the_others() -> None:
    short, long = (b"".join(feed("indeed", count, seed=3)) for count in (10, 20))
    assert long.startswith(short.removesuffix(b"</source>\n"))
    without = b"".join(feed("indeed", 10, seed=3, without={4}))
    changed = b"".join(feed("indeed", 10, seed=3, changed={4}))
    jobs, others = short.split(b"  <job>"), changed.split(b"  <job>")
    assert without == b"  <job>".join(jobs[:5] + jobs[6:])
    assert [n for n in range(11) if jobs[n] != others[n]] == [5]


@pytest.mark.parametrize("node", ["partnerJobId", "job_number", "VacancyID", "posting-id"])
def test_a_reference_by_another_name_is_found(node: str) -> None:
    found = discover(["title", "description", "applyUrl", node])
    assert found["schemaMappingsRefNumber"] == node
