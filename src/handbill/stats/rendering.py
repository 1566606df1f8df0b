"""From a plan to SQL over the segments: fixed text, made of checked words and whole numbers."""

from typing import Any, Final

from handbill.core.metrics import RAW, Raw
from handbill.kit.zones import zone_of
from handbill.stats.questions import Plan
from handbill.store.events import day_text

_KEY_OF_LEVEL: Final = {
    "CLIENT": "client_no",
    "CAMPAIGN": "campaign_no",
    "JOBGROUP": "group_no",
    "JOB": "job_id",
    "PUBLISHER": "publisher_no",
    "DATE": "day",
}
ANSWER: Final = """SELECT * FROM answer ORDER BY {keys}"""
COUNT: Final = "SELECT count(*) FROM answer"


def _sum(raw: Raw) -> str:
    if raw.amount:
        return f"sum({raw.amount})::BIGINT"
    kinds = ", ".join(f"'{word}'" for word in raw.dispositions)
    return f"count(*) FILTER (kind = '{raw.kind}' AND disposition IN ({kinds}))"


_SUMS: Final = ", ".join(f'{_sum(raw)} AS "{raw.name}"' for raw in RAW)
_ANY: Final = " OR ".join(f'"{raw.name}" != 0' for raw in RAW)


def keys_of(plan: Plan) -> list[str]:
    """The columns that a row is keyed by, in the order of the levels."""
    return [_KEY_OF_LEVEL[level] for level in plan.levels]


def table_text(plan: Plan) -> tuple[str, dict[str, Any]]:
    """The statement that puts the answer's rows into table ``answer``, and its parameters but for
    ``files``. Rows that say nothing but zeros are left out.
    """
    day = day_text(plan.first, plan.end, zone_of(plan.zone))
    keys = [f"{day} AS day" if key == "day" else key for key in keys_of(plan)]
    where = ['"at" >= $first', '"at" < $end']
    params: dict[str, Any] = {"first": plan.first, "end": plan.end}
    for column, name, wanted in (
        ("campaign_no", "campaigns", plan.campaign_nos),
        ("group_no", "groups", plan.group_nos),
        ("publisher_no", "publishers", plan.publisher_nos),
        ("job_id", "jobs", plan.job_ids),
    ):
        if wanted:
            where.append(f"{column} IN (SELECT unnest(${name}))")
            params[name] = list(wanted)
    text = (
        f"CREATE TEMP TABLE answer AS SELECT {', '.join(keys)}, {_SUMS} "
        f"FROM read_parquet($files) WHERE {' AND '.join(where)} GROUP BY ALL HAVING {_ANY}"
    )
    return text, params


def rows_text(plan: Plan) -> str:
    return ANSWER.format(keys=", ".join(keys_of(plan)))
