"""What a file system forgets unless it is told not to."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make durable which names stand in a folder; syncing a new file alone does not."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
