"""`letterdesk account export`: everything of an account in one ZIP, for whoever runs the installation."""

import os
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.tenancy.export import export

from .output import AsJson, answer, fail
from .plan import account_of


def export_account(
    account: Annotated[str, typer.Argument(help="The account's public id, or its name.")],
    *,
    to: Annotated[Path, typer.Option(help="The ZIP file to write; it must not exist.")],
    as_json: AsJson = False,
) -> None:
    """Write letters (MBOX), files and all rows (JSON lines) of an account with a manifest; no password is in it."""
    found = account_of(account)
    if to.exists():
        raise fail("file_exists", f"{to} exists already: choose another name.")
    part = to.with_name(f"{to.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        packed = export(found, file, now=timezone.now())
    part.rename(to)
    facts = {"account": found.public_id, "file": str(to), "bytes": to.stat().st_size, "letters": packed.letters,
             "files": len(packed.files), "missing": len(packed.missing)}  # fmt: skip
    answer(facts, as_json=as_json)
