"""Raw letters at rest: immutable, compressed, and addressed by account and SHA-256 of what was received.

Nothing is shared between accounts (F14). A folder and S3 are one interface, Django's `storages["blobs"]`; a folder gets
what Django does not promise, durability (`blob_folder.py`).
"""

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import zstandard
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages

from . import blob_folder
from .blob_folder import TEMPORARY, pack
from .crashpoint import reach

BUCKET_THREADS = 10  # as many as botocore keeps connections


class BlobMissing(LookupError):
    """Nobody has stored these bytes, or they were removed."""


class BlobDamaged(Exception):
    """What is stored under this hash has another one: the disk, or someone's hand, changed it."""


def hash_of(raw: bytes) -> str:
    """The address of these bytes: SHA-256 in hex."""
    return hashlib.sha256(raw).hexdigest()


def put_many(account_id: int, raws: Sequence[bytes]) -> list[str]:
    """Store letters durably and return their hashes, in order. Storing again what is there does nothing.

    When this returns, everything is on disk (or acknowledged by S3). Raises OSError: then nothing may be acknowledged.
    """
    hashes = [hash_of(raw) for raw in raws]
    put(account_id, dict(zip(hashes, raws, strict=True)))
    return hashes


def put(account_id: int, raws: Mapping[str, bytes]) -> None:
    """As `put_many`, for who has the hashes already."""
    names = {name_of(account_id, blob): raw for blob, raw in raws.items()}
    storage = _storage()
    if isinstance(storage, FileSystemStorage):
        blob_folder.put(Path(storage.location), names)
    else:
        _put_in_bucket(storage, names)


def get(account_id: int, blob: str) -> bytes:
    """Return exactly the bytes that were stored (B19). Raises BlobMissing, BlobDamaged."""
    try:
        with _storage().open(name_of(account_id, blob)) as file:
            raw = _unpack(file.read(), blob)
    except FileNotFoundError as error:
        raise BlobMissing(f"{account_id}/{blob}") from error
    if hash_of(raw) != blob:
        raise BlobDamaged(f"{account_id}/{blob} holds other bytes than its hash says")
    return raw


def exists(account_id: int, blob: str) -> bool:
    """Whether these bytes are stored."""
    return _storage().exists(name_of(account_id, blob))


def remove(account_id: int, blob: str) -> None:
    """Remove bytes; that they are gone already is no error. Only `mailboxes.collect` calls this."""
    _storage().delete(name_of(account_id, blob))


def remove_leftovers(older_than: float) -> int:
    """Remove half-written files of processes that died more than `older_than` seconds ago; returns how many."""
    storage = _storage()
    if not isinstance(storage, FileSystemStorage):
        return 0
    before = time.time() - older_than
    stale = [file for file in (Path(storage.location) / TEMPORARY).glob("*") if file.stat().st_mtime < before]
    for file in stale:
        file.unlink(missing_ok=True)
    return len(stale)


def stored(account_id: int) -> Iterator[str]:
    """The hashes of everything stored for an account: slow, for audits alone."""
    storage = _storage()
    try:
        folders = storage.listdir(str(account_id))[0]
    except FileNotFoundError:
        return
    for folder in folders:
        for file in storage.listdir(f"{account_id}/{folder}")[1]:
            yield file.removesuffix(".zst")


def _storage() -> Storage:
    return storages["blobs"]


def folder() -> Path | None:
    """Where the blobs lie, if that is a folder."""
    storage = _storage()
    return Path(storage.location) if isinstance(storage, FileSystemStorage) else None


def name_of(account_id: int, blob: str) -> str:
    """The name of a blob within the folder or the bucket."""
    return f"{int(account_id)}/{blob[:2]}/{blob}.zst"


def _unpack(packed: bytes, blob: str) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError as error:
        raise BlobDamaged(f"{blob}: {error}") from error


# A bucket


def _put_in_bucket(storage: Storage, names: dict[str, bytes]) -> None:
    def put(name: str) -> None:
        if not storage.exists(name):
            storage.save(name, ContentFile(pack(names[name])))

    list(_pool().map(put, names))
    reach("blobs.written")


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(BUCKET_THREADS, thread_name_prefix="blobs-bucket")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of its parent's threads
