"""Settings, filled once at the start: flags over environment over handbill.toml over defaults."""

import ast
import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import getsource
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import inspect

from handbill.host.clock import offset_in
from handbill.host.settings import Settings
from handbill.kit.mails import WANTED, is_mail, server_of
from handbill.kit.urls import NotUrl, canonical_url, seen_url

PREFIX = "HANDBILL_"
CONFIG_VARIABLE = "HANDBILL_CONFIG"
CONFIG_FILE = "handbill.toml"
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")
_MOST_CONFIG = 1_000_000


class BadSettings(ValueError):
    """A setting cannot be used. The message says which, why, and what to do; one line per fault."""


@dataclass(frozen=True, slots=True)
class SettingMeaning:
    """What an operator is told about one setting."""

    name: str
    default: Any
    meaning: str
    wanted: str

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()


@dataclass(frozen=True, slots=True)
class Configured:
    """The settings in force, and where each came from: a flag, a variable, a file, the default."""

    settings: Settings
    sources: Mapping[str, str]


def _fields() -> dict[str, inspect.Field]:
    known = cast("inspect.StructType", inspect.type_info(Settings))
    return {field.name: field for field in known.fields}


def _wanted(kind: inspect.Type) -> str:
    """The values that a setting accepts, in words."""
    match kind:
        case inspect.Metadata(type=inner):
            return _wanted(inner)
        case inspect.IntType(ge=least, le=most):
            return f"a whole number from {least} to {most}"
        case inspect.FloatType(ge=least, le=most):
            return f"a number from {least} to {most}"
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case inspect.VarTupleType(item_type=inspect.StrType(pattern=pattern)):
            return "a comma list of host:port" if pattern else "a comma list"
        case inspect.StrType(pattern=str()):
            return "an address that begins with http:// or https://"
        case inspect.StrType(min_length=least):
            return "text that is not empty" if least else "text"
    raise TypeError(f"unknown type of setting: {kind}")


def _texts() -> dict[str, str]:
    """The text below each field of ``Settings``, as one line."""
    (settings,) = ast.parse(getsource(Settings)).body
    assert isinstance(settings, ast.ClassDef)
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(settings.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def meanings() -> list[SettingMeaning]:
    """Every setting with its default and meaning, in the order of ``Settings``."""
    texts = _texts()
    return [
        SettingMeaning(field.name, field.default, texts[field.name], _wanted(field.type))
        for field in _fields().values()
    ]


def configure(
    environ: Mapping[str, str], folder: Path, flags: Mapping[str, Any] | None = None
) -> Configured:
    """Read the settings in force. ``flags`` that are None were not given.

    **Refuses** unknown names (and suggests the nearest known one) and values of a wrong type, all
    of them at once (BadSettings).
    """
    faults: list[str] = []
    values: dict[str, Any] = {}
    sources = dict.fromkeys(Settings.__struct_fields__, "default")
    for source, given in (
        *_of_file(environ, folder),
        ("environment", _of_environment(environ)),
        ("flag", {name: value for name, value in (flags or {}).items() if value is not None}),
    ):
        for name, value in given.items():
            label = PREFIX + name.upper() if source == "environment" else name
            if name not in sources:
                faults.append(f"{label} ({source}) is not a setting. {_advice(label, name)}")
                continue
            try:
                values[name] = _value(name, value)
            except msgspec.ValidationError:
                (known,) = (one for one in meanings() if one.name == name)
                faults.append(
                    f"{label} ({source}) is {value!r}; it must be {known.wanted}. "
                    f"Its meaning: {known.meaning}"
                )
            sources[name] = source
    settings = Settings(**values)
    faults += (
        _faults_of_clock(settings) + _faults_of_mail(settings) + _faults_of_addresses(settings)
    )
    if faults:
        raise BadSettings("\n".join(faults))
    return Configured(settings, sources)


def _faults_of_clock(settings: Settings) -> list[str]:
    """A clock that anybody may set is for tests only: then nobody may be able to log in."""
    if not settings.clock_file:
        return []
    if not settings.is_near:
        host = settings.host
        return [f"clock_file is for tests only, on a loopback host such as 127.0.0.1, not {host}"]
    try:
        offset_in(Path(settings.clock_file))
    except ValueError as unreadable:
        return [f"clock_file: {unreadable}"]
    return []


def _faults_of_addresses(settings: Settings) -> list[str]:
    """What is wrong with our public addresses, behind which paths are written."""
    faults = []
    for name in ("api_url", "edge_url"):
        address = getattr(settings, name)
        if not address:
            continue
        label = f"{PREFIX}{name.upper()} is {without_password(address)!r}; it"
        try:
            canonical_url(address)
        except NotUrl as wrong:
            faults.append(f"{label} {wrong}")
        else:
            if address != seen_url(address) or not {"?", "#"}.isdisjoint(address):
                faults.append(f"{label} must be an address to which a path can be added")
    return faults


def _faults_of_mail(settings: Settings) -> list[str]:
    """What is wrong with the mail server's address, which is not repeated: it has a password."""
    if not settings.smtp_url:
        return []
    faults = []
    try:
        server_of(settings.smtp_url, settings.smtp_tls)
    except ValueError as wrong:
        faults.append(f"{PREFIX}SMTP_URL {wrong}")
    if settings.smtp_from and not is_mail(settings.smtp_from):
        faults.append(f"{PREFIX}SMTP_FROM is {settings.smtp_from!r}; it {WANTED}")
    return faults


def without_password(address: str) -> str:
    """An address without its password, for display."""
    return _PASSWORD.sub(r"\1:***@", address)


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment variables from which a child process reads exactly these settings."""
    environ = {}
    for name in Settings.__struct_fields__:
        value = getattr(settings, name)
        environ[PREFIX + name.upper()] = ",".join(value) if isinstance(value, tuple) else str(value)
    return environ


def _of_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    return {
        variable.removeprefix(PREFIX).lower(): value
        for variable, value in environ.items()
        if variable.startswith(PREFIX) and variable != CONFIG_VARIABLE
    }


def _of_file(environ: Mapping[str, str], folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """The settings of the file. If HANDBILL_CONFIG names a file, it must exist."""
    named = environ.get(CONFIG_VARIABLE)
    path = folder / (named or CONFIG_FILE)
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_CONFIG + 1)
    except OSError as missing:
        if not named and isinstance(missing, FileNotFoundError):
            return []
        raise BadSettings(f"{path} cannot be read: {missing.strerror}") from missing
    if len(raw) > _MOST_CONFIG:
        raise BadSettings(f"{path} is larger than {_MOST_CONFIG} bytes; is it the right file?")
    try:
        given = tomllib.loads(raw.decode())
    except ValueError as bad:
        raise BadSettings(f"{path} is not TOML: {bad}") from bad
    # ``data`` and ``handbill_data`` are the same key.
    return [(str(path), {key.removeprefix(PREFIX.lower()): given[key] for key in given})]


def _value(name: str, given: Any) -> Any:
    """The value in the setting's own type. **Refuses** another type (msgspec.ValidationError)."""
    kind = Settings.__annotations__[name]
    is_list = isinstance(getattr(Settings(), name), tuple)
    if is_list and isinstance(given, str):
        given = [part.strip() for part in given.split(",") if part.strip()]
    return msgspec.convert(given, kind, strict=False)


def _advice(said: str, name: str) -> str:
    near = difflib.get_close_matches(name, Settings.__struct_fields__, n=1, cutoff=0.5)
    if not near:
        return "`handbill settings` lists those that are."
    best = PREFIX + near[0].upper() if said != name else near[0]
    return f"Did you mean {best}?"
