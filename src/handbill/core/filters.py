"""Job filters: which fields and operators exist, and which filters depend on the day.

Fields, operators and data are those of domain 3.1 to 3.3. A name that is no field of ours is one of
the client's own fields (domain 14.15), compared as text; ``cif3`` is the third of them.
"""

from typing import Final, Literal

from handbill.core.nouns import Branch

Kind = Literal["text", "date", "number"]

TEXT_FIELDS = (
    "category",
    "country",
    "state",
    "city",
    "zip",
    "type",
    "title",
    "company",
    "refNumber",
)
DATE_FIELD = "postedDate"
NUMBER_FIELD = "cpcBid"

OPERATORS: Final[dict[Kind, frozenset[str]]] = {
    "text": frozenset(
        {
            "EQUAL",
            "NOT_EQUAL",
            "IN",
            "NOT_IN",
            "BEGINS_WITH",
            "NOT_BEGINS_WITH",
            "CONTAINS",
            "NOT_CONTAINS",
            "ENDS_WITH",
            "NOT_ENDS_WITH",
        }
    ),
    "date": frozenset({"GREATER_THAN", "LESS_THAN", "ON", "BEFORE", "AFTER", "BETWEEN"}),
    "number": frozenset(
        {
            "EQUAL",
            "GREATER_THAN",
            "LESS_THAN",
            "GREATER_THAN_EQUAL",
            "LESS_THAN_EQUAL",
            "BETWEEN",
        }
    ),
}
LISTS: Final = frozenset({"IN", "NOT_IN"})
"""The operators that compare with each item of a list."""
AGES: Final = frozenset({"GREATER_THAN", "LESS_THAN"})
"""The operators of a date that compare its age in days, so that their result depends on today."""


def kind_of(field: str) -> Kind:
    """The type by which a field is compared."""
    if field == DATE_FIELD:
        return "date"
    return "number" if field == NUMBER_FIELD else "text"


def asks_age(branch: Branch) -> bool:
    """Whether the result may change from one day to the next while the job stays the same."""
    return any(
        asks_age(rule)
        if isinstance(rule, Branch)
        else rule.field == DATE_FIELD and rule.operator in AGES
        for rule in branch.rules
    )
