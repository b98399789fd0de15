"""Everything of an account in one ZIP, for the operator: letters as MBOX, files, and all rows as lines of JSON.

Streamed: one letter is in memory at a time, and as many names as there are tables, mailboxes and files of tasks. No
secret is in it (hard rule 14): passwords and tokens are left out. So is what derives from the rest (search).
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import QuerySet

from letterdesk.accounts.models import Account
from letterdesk.crm.models import FoundText
from letterdesk.events.record import record
from letterdesk.lib import blobs
from letterdesk.lib.crypto import EncryptedJSON
from letterdesk.mailboxes.models import BlobReference, LooseBlob, Mailbox, Message, Receipt, ReceiptCheck

from .purge import order

SECRET = re.compile(r"password|secret|token|(^|_)hash$")
DERIVED: tuple[type[models.Model], ...] = (FoundText, LooseBlob)
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)


@dataclass(slots=True)
class Packed:
    """What was written: by name of the file its entries, bytes and SHA-256; and the hashes whose bytes are lost."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def letters(self) -> int:
        """How many letters are in the MBOX files of mailboxes."""
        return sum(told["entries"] for name, told in self.files.items() if name.startswith("mailboxes/"))


def export(account: Account, to: IO[bytes], *, now: datetime) -> Packed:
    """Write the ZIP; returns what is in it, which is its manifest.json as well."""
    packed = Packed()
    with ZipFile(to, "w", ZIP_DEFLATED) as archive:
        tables: list[type[models.Model]] = [*order(), Receipt, ReceiptCheck]
        for model in tables:
            if model not in DERIVED:
                write_file(archive, packed, f"rows/{model._meta.label_lower}.jsonl", _rows(account, model))
        for mailbox in account.mailboxes.defer("secret").order_by("pk"):
            write_file(
                archive,
                packed,
                mbox_name(mailbox),
                mbox(mailbox.account_id, Message.objects.filter(mailbox=mailbox), packed),
            )
        for blob in _other_blobs(account):
            write_file(archive, packed, f"files/{blob}", stored(account.pk, blob, packed))
        write_manifest(archive, packed, account=account, now=now)
    record("account.exported", account=account, letters=packed.letters, missing=len(packed.missing))
    return packed


def write_manifest(archive: ZipFile, packed: Packed, *, account: Account, now: datetime) -> None:
    """What is in the archive, as its manifest.json."""
    manifest = {"account": account.public_id, "name": account.name, "at": now, "files": packed.files,
                "missing": packed.missing}  # fmt: skip
    archive.writestr("manifest.json", json.dumps(manifest, cls=DjangoJSONEncoder, indent=1))


def write_file(archive: ZipFile, packed: Packed, name: str, entries: Iterable[bytes]) -> None:
    """One file of the archive, if there is anything to be in it."""
    written, size, count = hashlib.sha256(), 0, 0
    pieces = iter(entries)
    first = next(pieces, None)
    if first is None:
        return
    with archive.open(name, "w", force_zip64=True) as file:
        for piece in _all(first, pieces):
            file.write(piece)
            written.update(piece)
            size += len(piece)
            count += 1
    packed.files[name] = {"entries": count, "bytes": size, "sha256": written.hexdigest()}


def _all(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def mbox_name(mailbox: Mailbox) -> str:
    """Where the letters of a mailbox lie in the archive."""
    return f"mailboxes/{_plain(mailbox.address)}-{mailbox.public_id}/letters.mbox"


def _rows(account: Account, model: type[models.Model]) -> Iterator[bytes]:
    """A table's rows, without secrets and without bytes: a file that is being imported is its person's own."""
    names = [
        each.attname
        for each in model._meta.concrete_fields
        if not isinstance(each, EncryptedJSON | models.BinaryField) and not SECRET.search(each.name)
    ]
    yield from lines(model._base_manager.filter(account=account.pk).order_by("pk").values(*names).iterator(1000))


def lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Rows as lines of JSON."""
    for row in rows:
        yield json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n"


def mbox(account_id: int, letters: QuerySet[Message], packed: Packed) -> Iterator[bytes]:
    """As mboxrd: a line that begins with `From ` is quoted, so that importing gives the same bytes back."""
    rows = letters.order_by("pk").values_list("blob", "received_at")
    for blob, received_at in rows.iterator(chunk_size=1000):
        for raw in stored(account_id, blob, packed):
            ending = b"" if raw.endswith(b"\n") else b"\n"
            head = f"From - {received_at:%a %b %d %H:%M:%S %Y}\n".encode()
            yield head + _FROM.sub(rb">\1", raw) + ending + b"\n"


def stored(account_id: int, blob: str, packed: Packed) -> Iterator[bytes]:
    """The bytes of this hash; what is lost is noted."""
    try:
        yield blobs.get(account_id, blob)
    except (blobs.BlobMissing, blobs.BlobDamaged):
        packed.missing.append(blob)


def _other_blobs(account: Account) -> Iterator[str]:
    """What others than letters of mailboxes hold: files of tasks, letters of CRM, drafts, what could not be read."""
    held = BlobReference.objects.filter(account=account)
    letters = Message.objects.filter(account=account).values("blob")
    yield from held.exclude(blob__in=letters).order_by("blob").values_list("blob", flat=True).distinct().iterator()


def _plain(address: str) -> str:
    return re.sub(r"[^A-Za-z0-9@._-]+", "_", address)[:120].lstrip(".") or "mailbox"
