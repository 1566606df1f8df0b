"""Whose turn it is: whatever is asked, and in whatever order, slots are never exceeded."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from handbill.core.rotation import PostingTerms, RotatingJob, after, has_credit, next_look, turn
from handbill.kit.instants import DAY

BOUGHT = PostingTerms(
    slots=2,
    credits_left=None,
    rotate_every=2 * DAY,
    least_stay=DAY,
    most_stay=10 * DAY,
    start_at=0,
    end_at=100 * DAY,
)


def job(no: int, **more: Any) -> RotatingJob:
    standing = RotatingJob(no, pinned=False, paused=False, able=True, times=0, waiting_at=0)
    return standing._replace(**more)


def test_free_slots_go_by_right() -> None:
    jobs = [
        job(1, waiting_at=5),
        job(2, waiting_at=3),
        job(3, waiting_at=1, times=4),
        job(4, waiting_at=9, times=1, pinned=True),
        job(5, paused=True),
        job(6, able=False),
    ]
    four = msgspec.structs.replace(BOUGHT, slots=4)
    assert turn(four, jobs, DAY, rotate=False).into == (4, 2, 1, 3)
    assert turn(BOUGHT, jobs, DAY, rotate=False).into == (4, 2)


def test_a_due_run_swaps_the_ripe_for_those_who_wait() -> None:
    jobs = [job(1, posted_at=0), job(2, posted_at=DAY), job(3, waiting_at=1), job(4, waiting_at=2)]
    made = turn(BOUGHT, jobs, DAY + DAY // 2, rotate=True)
    assert (made.into, made.out, made.ended) == ((3,), (1,), ())
    assert turn(BOUGHT, jobs, 2 * DAY, rotate=True).into == (3, 4)
    assert turn(BOUGHT, jobs, 2 * DAY, rotate=False) == ((), (), ())
    pinned = [job(1, posted_at=0, pinned=True), *jobs[1:]]
    assert turn(BOUGHT, pinned, 2 * DAY, rotate=True) == ((3,), (2,), ())
    lonely = jobs[:2]
    assert turn(BOUGHT, lonely, 5 * DAY, rotate=True) == ((), (), ()), "nobody waits"


def test_a_stay_ends_but_not_of_the_pinned() -> None:
    jobs = [job(1, posted_at=0), job(2, posted_at=0, pinned=True)]
    assert turn(BOUGHT, jobs, 10 * DAY - 1, rotate=False) == ((), (), ())
    assert turn(BOUGHT, jobs, 10 * DAY, rotate=False) == ((), (), (1,))
    bought = msgspec.structs.replace(BOUGHT, credits_left=0)
    held = [job(1, posted_at=0, credit_at=0, pinned=True)]
    assert turn(bought, held, 10 * DAY, rotate=False) == ((), (), (1,))
    assert next_look(bought, held, 0) == 10 * DAY
    assert next_look(BOUGHT, jobs, 7 * DAY) == 9 * DAY


def test_a_paused_job_keeps_a_slot_only_when_pinned() -> None:
    jobs = [job(1, posted_at=0, paused=True), job(2, posted_at=0, paused=True, pinned=True)]
    assert turn(BOUGHT, jobs, 1, rotate=False) == ((), (1,), ())


def test_after_the_end_nobody_is_posted() -> None:
    jobs = [job(1, posted_at=0, pinned=True), job(2)]
    assert turn(BOUGHT, jobs, 100 * DAY, rotate=False).into == (2,)
    assert turn(BOUGHT, jobs, 100 * DAY + 1, rotate=True) == ((), (1,), ())


@dataclass
class Market:
    """A purchase as the room keeps it, without the room."""

    terms: PostingTerms
    jobs: dict[int, RotatingJob] = field(default_factory=dict)
    used: int = 0

    def look(self, now: int, *, rotate: bool) -> None:
        counted = self.terms.credits_left is not None
        terms = self.terms
        if counted:
            terms = msgspec.structs.replace(terms, credits_left=terms.slots - self.used)
        standing = list(self.jobs.values())
        made = turn(terms, standing, now, rotate=rotate)
        assert made == turn(terms, standing[::-1], now, rotate=rotate), "order says nothing"
        assert not set(made.into) & set(made.out)
        for no in made.out:
            left = self.jobs[no]
            assert left.posted_at is not None
            if terms.in_force(now) and left.able and not left.paused:
                assert rotate
                assert not left.pinned, "a pinned job is never rotated out"
                assert now - left.posted_at >= terms.least_stay, "nobody before the least stay"
        assert counted or not any(self.jobs[no].pinned for no in made.ended)
        credited = {no for no in made.into if not has_credit(terms, self.jobs[no], now)}
        self.used += len(credited)
        former, stands = self.jobs, after(standing, made, credited, now)
        self.jobs = {one.no: one for one in stands}
        assert self.jobs.keys() == former.keys() - set(made.ended)
        assert all(self.jobs[no].posted_at is None for no in made.out)
        assert all(self.jobs[no].times == former[no].times + 1 for no in made.into)
        assert all(self.jobs[no].credit_at == now for no in credited)
        held = [one for one in self.jobs.values() if one.posted_at is not None]
        assert len(held) <= self.terms.slots
        assert all(one.able and (one.pinned or not one.paused) for one in held)
        assert self.used <= self.terms.slots
        if counted:
            terms = msgspec.structs.replace(terms, credits_left=terms.slots - self.used)
        again = turn(terms, list(self.jobs.values()), now, rotate=False)
        assert again == ((), (), ()), "what is settled stays so"


_DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["add", "pin", "unpin", "pause", "enable", "lame", "drop", "look", "run"]),
        st.integers(0, 7),
        st.integers(0, 3 * DAY),
    ),
    max_size=60,
)


@settings(max_examples=150)
@given(st.integers(1, 4), st.booleans(), st.integers(0, 3), st.integers(1, 6), _DEEDS)
def test_a_market_over_time(
    slots: int, of_credits: bool, least: int, most: int, deeds: list[tuple[str, int, int]]
) -> None:
    terms = PostingTerms(
        slots=slots,
        credits_left=0 if of_credits else None,
        rotate_every=2 * DAY,
        least_stay=min(least, most) * DAY,
        most_stay=most * DAY,
        start_at=0,
        end_at=60 * DAY,
    )
    names: dict[int, int] = {}
    market, now = Market(terms), 0
    for at, (deed, name, by) in enumerate(deeds):
        now += by
        no = names.get(name)
        if deed == "add" and (no is None or no not in market.jobs):
            names[name] = at
            market.jobs[at] = job(at, waiting_at=now)
        elif no in market.jobs:
            changes: dict[str, dict[str, Any]] = {
                "pin": {"pinned": True},
                "unpin": {"pinned": False},
                "pause": {"paused": True},
                "enable": {"paused": False},
                "lame": {"able": False},
            }
            market.jobs[no] = market.jobs[no]._replace(**changes.get(deed, {}))
            if deed == "drop":
                del market.jobs[no]
        pins = sum(one.pinned for one in market.jobs.values())
        if pins > slots:  # the room refuses it
            market.jobs = {n: one._replace(pinned=False) for n, one in market.jobs.items()}
        market.look(now, rotate=deed == "run")
