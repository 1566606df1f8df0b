"""How a feed's nodes are mapped to fields: as it is read, checked and told."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, Any, Final

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    WrapValidator,
    create_model,
)

from handbill.core.feed_mappings import ADDED_KEYS, ADDITIONAL, KEYS, PUBLISHER
from handbill.core.mapping import FIELD_NAME, MOST_ADDITIONAL
from handbill.kit.faults import Fault, pointed
from handbill.wire.fields import Key, Matching
from handbill.wire.models import Model
from handbill.wire.wrong import Wrong

_STEP: Final = r"[^\W\d][\w.:-]*"
_NEAR: Final = 0.95  # a slip of a letter or two


def _publisher_node(given: Any) -> Any:
    if not isinstance(given, str | dict):
        raise ValueError("must be a node's name or an object")  # noqa: TRY004 - the caller's
    return given


def mappings_told(mappings: dict[str, Any]) -> dict[str, Any]:
    """A mapping with all the contract's keys; null: no node is mapped. Ours stand behind."""
    mapping: dict[str, Any] = {key: mappings.get(key) for key in KEYS if key not in ADDED_KEYS}
    mapping[ADDITIONAL] = mappings.get(ADDITIONAL) or {}
    mapping[PUBLISHER] = mappings.get(PUBLISHER) or {}
    return mapping | {key: mappings[key] for key in KEYS if key in ADDED_KEYS and mappings.get(key)}


Node = Annotated[
    str,
    Matching(
        rf"(?:{_STEP}/)*@?{_STEP}", "must be the name of a node: title, place/city or link/@href"
    ),
]
FieldName = Annotated[str, Matching(FIELD_NAME.pattern, "must be a field's name", most=64)]
PublisherNode = Annotated[Any, PlainValidator(_publisher_node), WithJsonSchema({})]


def _slips(value: Any) -> list[Fault]:
    """Unknown keys are ignored; but a key that is nearly one of ours would map nothing."""
    strangers = set(value) - {*KEYS, ADDITIONAL, PUBLISHER} if isinstance(value, dict) else ()
    folded = {key.casefold(): key for key in KEYS}
    near = {key: get_close_matches(key.casefold()[:100], folded, 1, _NEAR) for key in strangers}
    return [
        Fault(f"/{pointed(key)}", f"is not known; did you mean {folded[meant[0]]}?")
        for key, meant in sorted(near.items())
        if meant
    ]


def _mapped(model: type[Model]) -> Callable[[Any, Any], dict[str, Any]]:
    def read(value: Any, _: Any) -> dict[str, Any]:
        faults = _slips(value)
        mapping = model.read(value, "", faults)
        if faults:
            raise Wrong(*faults)
        return mapping.given()

    return read


class Mapped:
    """The node of each field: kept as the contract spells it, and told whole."""

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> Any:
        rows: dict[str, Any] = {
            key: (Node | None, Field(None, description=f"Node of the feed that contains {name}."))
            for key, name in KEYS.items()
        }
        rows[ADDITIONAL] = (
            dict[Key, FieldName],
            Field(
                {},
                max_length=MOST_ADDITIONAL,
                description="Maps a node of the feed to the name of one of the client's own "
                "fields.",
            ),
        )
        about = "Node that lists the publishers that may carry the job."
        rows[PUBLISHER] = (PublisherNode, Field(None, description=about))
        model = create_model("SchemaMappings", __base__=Model, __module__=__name__, **rows)
        serializer = PlainSerializer(mappings_told, return_type=of)
        return handler.generate_schema(Annotated[model, WrapValidator(_mapped(model)), serializer])


Mappings = Annotated[dict[str, Any], Mapped()]
MappingsRow = Annotated[
    Mappings,
    Field(
        alias="schemaMappings",
        description="Maps each field to its node; null: none. If empty, the first run recognises "
        "the "
        "formats of well-known boards.",
    ),
]
