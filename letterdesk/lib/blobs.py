"""Raw letters at rest: immutable, compressed, and addressed by account and SHA-256 of what was received.

Nothing is shared between accounts (F14). A folder and S3 are one interface, Django's `storages["blobs"]`; a folder gets
what Django does not promise, durability: write beside, sync, rename, sync (G08), so that a file under its final
name is always whole, also after a power cut.

Measured with 200 letters of 9 KB (compressed) on ext4: one syncfs(2) per batch 15–50 ms, fsync of each file
in a pool 55–95 ms, two levels of fan-out folders twice as long as one. Hence: syncfs, and one level.
"""

import ctypes
import errno
import hashlib
import os
import platform
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import zstandard
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages

from .crashpoint import reach

LEVEL = 3  # of zstd: mail shrinks to a quarter at 200 MB/s; higher levels gain little
FOLDER_THREADS = 2
BUCKET_THREADS = 10  # as many as botocore keeps connections
BATCH_FOR_SYNCFS = 8  # fewer files than this are synced one by one
TEMPORARY = "tmp"


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
    names = {_name(account_id, blob): raw for blob, raw in raws.items()}
    storage = _storage()
    if isinstance(storage, FileSystemStorage):
        _put_in_folder(Path(storage.location), names)
    else:
        _put_in_bucket(storage, names)


def get(account_id: int, blob: str) -> bytes:
    """Return exactly the bytes that were stored (B19). Raises BlobMissing, BlobDamaged."""
    try:
        with _storage().open(_name(account_id, blob)) as file:
            raw = _unpack(file.read(), blob)
    except FileNotFoundError as error:
        raise BlobMissing(f"{account_id}/{blob}") from error
    if hash_of(raw) != blob:
        raise BlobDamaged(f"{account_id}/{blob} holds other bytes than its hash says")
    return raw


def exists(account_id: int, blob: str) -> bool:
    """Whether these bytes are stored."""
    return _storage().exists(_name(account_id, blob))


def remove(account_id: int, blob: str) -> None:
    """Remove bytes; that they are gone already is no error. Only `mailboxes.collect` calls this."""
    _storage().delete(_name(account_id, blob))


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


def _name(account_id: int, blob: str) -> str:
    return f"{int(account_id)}/{blob[:2]}/{blob}.zst"


# Packing

_own = threading.local()  # contexts of zstd serve one thread at a time


def _pack(raw: bytes) -> bytes:
    if not hasattr(_own, "compressor"):
        _own.compressor = zstandard.ZstdCompressor(level=LEVEL)
    packed: bytes = _own.compressor.compress(raw)
    return packed


def _unpack(packed: bytes, blob: str) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError as error:
        raise BlobDamaged(f"{blob}: {error}") from error


# A bucket


def _put_in_bucket(storage: Storage, names: dict[str, bytes]) -> None:
    def put(name: str) -> None:
        if not storage.exists(name):
            storage.save(name, ContentFile(_pack(names[name])))

    list(_pool("bucket", BUCKET_THREADS).map(put, names))
    reach("blobs.written")


# A folder


def _put_in_folder(root: Path, names: dict[str, bytes]) -> None:
    missing = [name for name in names if not os.path.exists(root / name)]  # noqa: PTH110  (a third of Path.exists)
    if not missing:
        return
    temporary = root / TEMPORARY
    temporary.mkdir(parents=True, exist_ok=True, mode=0o700)
    together = len(missing) >= BATCH_FOR_SYNCFS and _syncfs() is not None
    written = _write_all(temporary, [names[name] for name in missing], sync_each=not together)
    if together:
        _sync_file_system(root)
    reach("blobs.synced")
    for file, name in zip(written, missing, strict=True):
        _rename(file, root / name)
    reach("blobs.renamed")
    if together:
        _sync_file_system(root)
    else:
        _sync_folders(root, missing)
    reach("blobs.written")


def _write_all(folder: Path, raws: list[bytes], *, sync_each: bool) -> list[str]:
    """Write each to a file of its own; the files are made by a few threads, which zstd and the disk let run."""

    def write(raw: bytes) -> str:
        file = f"{folder}/{secrets.token_hex(12)}"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as out:
            _write(out.fileno(), _pack(raw))
            if sync_each:
                os.fsync(out.fileno())
        return file

    def write_some(some: list[bytes]) -> list[str]:
        return [write(raw) for raw in some]

    if len(raws) < BATCH_FOR_SYNCFS:
        return write_some(raws)
    size = -(-len(raws) // (4 * FOLDER_THREADS))
    pieces = [raws[start : start + size] for start in range(0, len(raws), size)]
    return [file for files in _pool("folder", FOLDER_THREADS).map(write_some, pieces) for file in files]


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _rename(file: str, to: Path) -> None:
    try:
        os.rename(file, to)  # noqa: PTH104  (once for each letter: no Path objects)
    except FileNotFoundError:
        to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.rename(file, to)  # noqa: PTH104


def _sync_folders(root: Path, names: list[str]) -> None:
    """Make the new names durable, and those of folders that may be new themselves."""
    folders = {(root / name).parent for name in names}
    for folder in [*folders, *{folder.parent for folder in folders}, root]:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sync_file_system(root: Path) -> None:
    syncfs = _syncfs()
    assert syncfs is not None  # noqa: S101  (the caller has asked)
    descriptor = os.open(root, os.O_RDONLY)
    try:
        if syncfs(descriptor) != 0:
            number = ctypes.get_errno() or errno.EIO
            raise OSError(number, os.strerror(number), str(root))
    finally:
        os.close(descriptor)


@lru_cache(maxsize=1)
def _syncfs() -> Callable[[int], int] | None:
    """syncfs(2), where it tells of failed writes: Linux from 5.8 on."""
    release = [int(number) for number in re.findall(r"\d+", platform.release())[:2]]
    if platform.system() != "Linux" or release < [5, 8]:
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


@lru_cache(maxsize=2)
def _pool(name: str, threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix=f"blobs-{name}")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of its parent's threads
