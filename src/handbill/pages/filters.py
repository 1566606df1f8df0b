"""Job filters in words, and as a form of rows."""

from collections.abc import Mapping
from typing import Any

from handbill.pages.amounts import amount

OPERATORS = {
    "EQUAL": "is",
    "NOT_EQUAL": "is not",
    "IN": "is one of",
    "NOT_IN": "is none of",
    "BEGINS_WITH": "begins with",
    "NOT_BEGINS_WITH": "does not begin with",
    "CONTAINS": "contains",
    "NOT_CONTAINS": "does not contain",
    "ENDS_WITH": "ends with",
    "NOT_ENDS_WITH": "does not end with",
    "GREATER_THAN": "is more than",
    "LESS_THAN": "is less than",
    "GREATER_THAN_EQUAL": "is at least",
    "LESS_THAN_EQUAL": "is at most",
    "ON": "is on",
    "BEFORE": "is before",
    "AFTER": "is after",
    "BETWEEN": "is between",
}
FIELDS = {
    "title": "Title",
    "category": "Category",
    "company": "Company",
    "city": "City",
    "state": "State",
    "country": "Country",
    "zip": "Zip",
    "type": "Type",
    "refNumber": "Reference",
    "postedDate": "Posted",
    "cpcBid": "Bid of the feed",
}
_LISTS = {"IN", "NOT_IN", "BETWEEN"}
_ALL = {"AND", "ALL"}
MOST_ROWS = 20
_BLANK = {"field": "", "operator": "CONTAINS", "data": ""}


def words(found: Any) -> str:
    """A filter as a sentence."""
    rules = found.get("rules") if found else None
    if not rules:
        return "all jobs"
    word = " and " if str(found["operator"]).upper() in _ALL else " or "
    return word.join(f"({words(one)})" if "rules" in one else _leaf(one) for one in rules)


def _leaf(leaf: Any) -> str:
    name = FIELDS.get(leaf["field"], leaf["field"])
    return f"{name} {OPERATORS.get(leaf['operator'], leaf['operator'])} {_text(leaf['data'])}"


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def is_flat(found: Any) -> bool:
    """Whether a form of rows can show it."""
    rules = found.get("rules", []) if found else []
    return len(rules) < MOST_ROWS and all(map(_is_row, rules))


def _is_row(rule: Any) -> bool:
    """Whether a comparison can be typed: its terms are told apart by commas."""
    terms = rule.get("data")
    return "rules" not in rule and not (
        isinstance(terms, list) and any("," in str(term) for term in terms)
    )


def rows_of(found: Any) -> list[dict[str, str]]:
    """The rows of a form, and some blank ones; none of a filter that such a form cannot show."""
    if not is_flat(found):
        return []
    rules = found.get("rules", []) if found else []
    shown = [
        {"field": one["field"], "operator": one["operator"], "data": _text(one["data"])}
        for one in rules
    ]
    return [*shown, *[_BLANK] * min(2, MOST_ROWS - len(shown))]


def typed_rows(fields: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows as they were typed."""
    return [
        {part: fields.get(f"{part}{place}", "") for part in ("field", "operator", "data")}
        for place in range(MOST_ROWS)
        if f"field{place}" in fields
    ]


def filter_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """The filter that a form states; rows without a field are left out."""
    rules = [{**row, "data": _terms(row)} for row in typed_rows(fields) if row["field"]]
    return {"operator": "OR" if fields.get("any") == "OR" else "AND", "rules": rules}


def _terms(row: Mapping[str, str]) -> Any:
    is_bid = row["field"] == "cpcBid"
    if row["operator"] not in _LISTS:
        return amount(row["data"]) if is_bid else row["data"]
    parts = [part.strip() for part in row["data"].split(",")]
    said = [part for part in parts if part]  # a comma at the end would take jobs without a value
    return [amount(part) for part in said] if is_bid else said
