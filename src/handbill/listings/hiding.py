"""The jobs that a client's listings leave out although their job group offers them: those that are
stopped by a cap of their own, and those whose turn it is not in a thinned job group.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from handbill.core.in_force import InForce
from handbill.core.pacing.thinning import Span, span_of, turn_of

NOWHERE: Final[frozenset[int]] = frozenset()


class Hiding:
    """``stopped``: where a job is left out, by its id. ``spans``: by job group, whose turn it is at
    each slot.
    """

    def __init__(
        self, stopped: dict[str, frozenset[int]], spans: dict[int, list[tuple[int, Span]]]
    ) -> None:
        self._stopped = stopped
        self._spans = spans

    def of(self, group_no: int, job_id: str) -> frozenset[int]:
        """The slots at which a job is left out."""
        slots = self._stopped.get(job_id, NOWHERE)
        if spans := self._spans.get(group_no):
            turn = turn_of(job_id)
            slots |= {slot for slot, span in spans if turn not in span}
        return slots


def hiding_of(
    force: InForce, slots: Mapping[int, int], turns: Mapping[int, Sequence[bytes]]
) -> Hiding | None:
    """What is left out; None: nothing. ``slots``: the publishers' numbers; ``turns``: of each job
    group that is thinned, those of its jobs, in order.
    """
    everywhere = frozenset(slots)
    stopped: dict[str, frozenset[int]] = {}
    for kind, entity in force.stopped:
        if kind == "job":
            stopped[entity] = everywhere
        elif kind == "job_placement":
            job_id, _, no = entity.partition("/")
            at = {slot for slot, publisher_no in slots.items() if publisher_no == int(no)}
            stopped[job_id] = stopped.get(job_id, NOWHERE) | at
    spans: dict[int, list[tuple[int, Span]]] = {}
    for group_no, of_jobs in turns.items():
        for slot, publisher_no in slots.items():
            paced = force.paced.get((group_no, publisher_no))
            window = None if paced is None else paced.window
            if window is not None:
                spans.setdefault(group_no, []).append((slot, span_of(window, of_jobs)))
    return Hiding(stopped, spans) if stopped or spans else None
