"""`letterdesk import` and `letterdesk reparse`: letters out of files, and columns out of raw letters."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.mailboxes import connect as mailboxes
from letterdesk.mailboxes import importing
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.reparse import reparse as read_again
from letterdesk.mailboxes.reparse import retry_quarantined
from letterdesk.mailboxes.retention.letters import fetched_after

from .mailbox import mailbox_of
from .output import AsJson, answer, console, problems
from .people import employee_of


def import_letters(
    source: Annotated[Path, typer.Argument(help="An MBOX file, a Maildir, an .eml file, or a folder of .eml files.")],
    *,
    owner: Annotated[str, typer.Option(help="Sign-in address of the employee who owns the mailbox.")],
    into: Annotated[str, typer.Option(help="Address of the mailbox without a server; made when it is new.")],
    folder: Annotated[str, typer.Option(help="Folder for the letters; named after the file without.")] = "",
    as_json: AsJson = False,
) -> None:
    """Import letters into a mailbox that has no server. Importing the same again adds nothing."""
    if not source.exists():
        raise FileNotFoundError(f"There is no {source}.")
    now = timezone.now()
    person = employee_of(owner)
    found: Mailbox | None = Mailbox.objects.filter(owner=person, address__iexact=into, imap_host="").first()
    mailbox = found or mailboxes.make_imported(person, address=into, now=now)
    if warning := importing.warning(mailbox, now=now):
        problems.print(warning, markup=False)
    imported = _import(source, mailbox, folder)
    facts = {**dataclasses.asdict(imported), "folders": sorted(imported.folders)}
    answer({"mailbox": mailbox.public_id, **facts}, as_json=as_json)


def reparse(
    address: Annotated[str, typer.Argument(help="Address or public id; all mailboxes without.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Rebuild all columns from the raw letters, and try again what could not be read. May be interrupted anywhere."""
    rows = {}
    for mailbox in [mailbox_of(address)] if address else Mailbox.objects.order_by("pk"):
        done = changed = damaged = 0
        for step in read_again(mailbox):
            done, changed, damaged = step.done, step.changed, step.damaged
            if not as_json:
                console.print(f"{mailbox.address}: {done} letters", end="\r")
        now = timezone.now()
        readable, kept = retry_quarantined(mailbox, now=now, cutoff=fetched_after(mailbox, now))
        rows[mailbox.address] = {
            "letters": done, "changed": changed, "damaged": damaged,
            "out_of_quarantine": readable, "in_quarantine": kept,
        }  # fmt: skip
    text = "\n".join(f"{name}: " + ", ".join(f"{k} {v}" for k, v in row.items()) for name, row in rows.items())
    answer(rows, as_json=as_json, text=text or "There is no mailbox yet.")


def _import(source: Path, mailbox: Mailbox, folder: str) -> importing.Imported:
    now = timezone.now()
    if source.is_dir() and (source / "cur").is_dir():
        return importing.import_maildir(mailbox, source, now=now)
    if source.is_dir() or source.suffix.lower() == ".eml":
        files = sorted(source.glob("*.eml")) if source.is_dir() else [source]
        return importing.import_eml(mailbox, files, now=now, folder=folder or "Imported")
    return importing.import_mbox(mailbox, source, now=now, folder=folder)
