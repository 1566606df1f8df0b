"""The master keys, under which all secrets in the records are sealed.

They come from HANDBILL_SECRETS_KEY, or from a file: the one that HANDBILL_SECRETS_KEY_FILE names,
or ``secrets.key`` in the data folder. One key a line, the newest first.
"""

import base64
import binascii
import os
import threading
from pathlib import Path

from handbill.host.folders import Unusable
from handbill.host.ids import Ids
from handbill.host.settings import Settings
from handbill.kit.faults import Unavailable
from handbill.kit.sealing import KEY_BYTES, key_named, name_of, opened, seal

FILE = "secrets.key"
_MOST_BYTES = 65_536
_ABOUT = (
    "# The master key of this installation: secrets in its records are encrypted with it.\n"
    "# Without it the server cannot start. Keep a copy apart from the backups, and secret.\n"
)


class NoMasterKey(Unavailable):
    """The key that something was sealed under is not here. The message says what to do."""


class Masters:
    """The keys by name. Read when they are first needed; a file is read again when a key is asked
    for that was not in it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._keys: dict[bytes, bytes] = {}

    def newest(self) -> bytes:
        """The name of the first key. **Refuses** if there is none (NoMasterKey)."""
        names = self.names()
        if not names:
            raise NoMasterKey(f"there is no master key; {where(self._settings)}")
        return names[0]

    def names(self) -> list[bytes]:
        """The names of all keys as they are now, the newest first."""
        with self._lock:
            self._keys = {name_of(key): key for key in keys_of(self._settings)}
            return list(self._keys)

    def seal(self, name: bytes, value: bytes, *place: str) -> bytes:
        """A value, sealed under the key of this name."""
        return seal(self._key(name), value, *place)

    def opened(self, sealed: bytes, *place: str) -> bytes:
        """What was sealed under any of the keys. **Refuses** another's (NoMasterKey), and what is
        damaged or was moved to another place (NotSealed).
        """
        return opened(self._key(key_named(sealed)), sealed, *place)

    def _key(self, name: bytes) -> bytes:
        if name not in self._keys:
            self.names()
        try:
            return self._keys[name]
        except KeyError:
            raise NoMasterKey(
                f"the master key {name.hex()} is missing; {where(self._settings)}"
            ) from None


def keys_of(settings: Settings) -> list[bytes]:
    """The keys that the settings lead to, the newest first; none if the data folder has no file.

    **Refuses** unreadable keys, and a named file that does not exist (Unusable).
    """
    if settings.secrets_key:
        return _read(settings.secrets_key.replace(",", "\n"), "HANDBILL_SECRETS_KEY")
    path = file_of(settings)
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES)
    except FileNotFoundError as missing:
        if settings.secrets_key_file:
            raise Unusable(
                f"{path}, named by HANDBILL_SECRETS_KEY_FILE, does not exist; restore it, or "
                "create a first key with `handbill keys new > FILE`"
            ) from missing
        return []
    except OSError as refused:
        raise Unusable(f"{path} cannot be read ({refused.strerror})") from refused
    return _read(raw.decode("latin-1"), str(path))


def file_of(settings: Settings) -> Path:
    """Where the keys are stored if the environment does not contain them."""
    named = settings.secrets_key_file
    return Path(named).absolute() if named else settings.data_folder / FILE


def where(settings: Settings) -> str:
    """What to do about a key that is missing."""
    if settings.secrets_key:
        place = "add it to HANDBILL_SECRETS_KEY"
    elif settings.secrets_key_file:
        place = f"add it to {file_of(settings)}, a key a line"
    else:
        place = f"bring {file_of(settings)} back, or name its copy in HANDBILL_SECRETS_KEY_FILE"
    return f"{place}. Without it the secrets in these records are lost"


def drawn(ids: Ids) -> str:
    """A new key in its written form."""
    return base64.b64encode(ids.bytes(KEY_BYTES)).decode()


def add_first(path: Path, key: str) -> None:
    """Put a key before the others of a file, which is created if it does not exist."""
    former = path.read_text(encoding="utf-8") if path.exists() else ""
    rest = [line for line in former.splitlines() if line.strip() and not line.startswith("#")]
    write(path, [key, *rest])


def write(path: Path, keys: list[str]) -> None:
    """Replace a file of keys, wholly or not at all; durable, and readable by its owner only."""
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(_ABOUT + "".join(f"{key}\n" for key in keys))
        out.flush()
        os.fsync(out.fileno())
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def written(key: bytes) -> str:
    return base64.b64encode(key).decode()


def names_written(settings: Settings) -> dict[bytes, str]:
    """The written keys, by name."""
    return {name_of(key): written(key) for key in keys_of(settings)}


def _read(text: str, place: str) -> list[bytes]:
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            key = base64.b64decode(line.strip().translate(_URLSAFE), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise Unusable(
                f"{place}, line {number}: a master key is {KEY_BYTES} random bytes in base64, 44 "
                "characters; `handbill keys new` prints one"
            )
        keys.append(key)
    if not keys:
        raise Unusable(f"{place} holds no key; `handbill keys new` prints one")
    return list(dict.fromkeys(keys))


_URLSAFE = str.maketrans("-_", "+/")
