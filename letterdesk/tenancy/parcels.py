"""Large files that are made to be fetched once: beside the blobs, folder or bucket, apart from what is collected."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO

from django.core.files.base import File
from django.core.files.storage import Storage, storages

from letterdesk.lib.blob_folder import TEMPORARY
from letterdesk.lib.blobs import folder

PIECE = 256 * 1024  # bytes


@contextmanager
def scratch() -> Iterator[IO[bytes]]:
    """A file without a name, on the disk of the blobs where that is a folder: it is gone when it is closed."""
    root = folder()
    if root is not None:
        (root / TEMPORARY).mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryFile(dir=root / TEMPORARY if root is not None else None) as file:
        yield file


def keep(account_id: int, name: str, file: IO[bytes]) -> None:
    """Store a finished file under this name, in place of what was there."""
    file.seek(0)
    remove(account_id, name)
    _storage().save(_path(account_id, name), File(file))


def read(account_id: int, name: str) -> Iterator[bytes]:
    """Its bytes, a piece at a time. Raises FileNotFoundError when the first is asked for."""
    with _storage().open(_path(account_id, name)) as file:
        while piece := file.read(PIECE):
            yield piece


def remove(account_id: int, name: str) -> None:
    """Remove a file; that it is gone already is no error."""
    _storage().delete(_path(account_id, name))


def remove_all(account_id: int) -> None:
    """Remove every file of an account."""
    for name in names(account_id):
        remove(account_id, name)


def names(account_id: int) -> list[str]:
    """What is kept of an account."""
    try:
        return list(_storage().listdir(f"exports/{int(account_id)}")[1])
    except FileNotFoundError:
        return []


def _storage() -> Storage:
    return storages["blobs"]


def _path(account_id: int, name: str) -> str:
    return f"exports/{int(account_id)}/{name}"
