"""Copies of drafts in the server's folder of drafts: what is to lie there, as intentions that the sync carries out.

A draft is composed under a Message-ID of its own for each copy. The sync stores the new copy before it removes the
older ones (`sync/push_draft.py`), and tells by `draft.stored` what lies there now. Only what a person did – wrote,
discarded, sent – removes anything on the server (R26).

A letter of another program that a draft was read from is none of ours. Where a person's act lets go of it, it goes to
Trash as any letter that they delete, if they may delete on the server (R27); else it stays where it lies.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.events.models import Event
from letterdesk.mailboxes import collect, listing, move
from letterdesk.mailboxes.folder_for import folder_for
from letterdesk.mailboxes.models import Folder, FolderRole, Mailbox, PendingChange, Placement

from .identities import SENDING
from .models import Draft, DraftCopy

FLAGS = ["\\Draft", "\\Seen"]
NOTHING = {"copy": 0, "message_id": "", "blob": ""}  # is to be stored


def intend(draft: Draft, copy: DraftCopy, *, by: Employee | None, now: datetime) -> None:
    """This copy is to lie in its folder on the server, and no other of the draft's. Inside the caller's transaction.

    `by`: who wrote; a letter of another program goes to Trash if they may delete it.
    """
    others = draft.copies.filter(mailbox=copy.mailbox_id).exclude(pk=copy.pk).order_by("pk")
    older = _by_folder(others.filter(is_foreign=False).select_related("mailbox", "folder"))
    more = {"copy": copy.pk, "message_id": copy.message_id, "blob": copy.blob, "internal_date": now.isoformat()}
    folder = folder_of(copy)
    _change(folder, draft, older.pop(folder, []), more, by=by, now=now)
    for elsewhere, rows in older.items():
        _change(elsewhere, draft, rows, NOTHING, by=by, now=now)
    _let_go(others.filter(is_foreign=True).select_related("mailbox"), by=by, now=now)


def withdraw(draft: Draft, copies: Collection[DraftCopy], *, by: Employee | None, now: datetime) -> None:
    """These copies of the draft are to lie on the server no more. Inside the caller's transaction.

    `by`: who discarded or sent it; a letter of another program goes to Trash if they may delete it.
    """
    ours = [each for each in copies if not each.is_foreign]
    forget([each for each in ours if not has_server(each.mailbox)], now=now)
    for folder, older in _by_folder(each for each in ours if has_server(each.mailbox)).items():
        _change(folder, draft, older, NOTHING, by=by, now=now)
    DraftCopy.objects.filter(pk__in=[each.pk for each in ours]).update(draft=None)
    _let_go([each for each in copies if each.is_foreign], by=by, now=now)


def _let_go(foreign: Iterable[DraftCopy], *, by: Employee | None, now: datetime) -> None:
    """The draft has no more to do with these letters. That it had is remembered, so that no round takes them up."""
    for each in foreign:
        if by is not None and _may_delete(each.mailbox, by):
            move.move(_places(each), folder_for(each.mailbox, FolderRole.TRASH), by=by, now=now, undo_seconds=0)
        collect.let_go_of_all(each.account_id, each.holder, now=now)
        DraftCopy.objects.filter(pk=each.pk).update(draft=None)


def _may_delete(mailbox: Mailbox, by: Employee) -> bool:
    """R27, and only while anything may be changed there (R13)."""
    deleting = Mailbox.objects.deleting_on_server_by(by).filter(pk=mailbox.pk)
    return (has_server(mailbox) or not mailbox.imap_host) and deleting.exists()


def _places(copy: DraftCopy) -> QuerySet[Placement]:
    """Where exactly this letter lies among the drafts; not where somebody filed it."""
    places = Placement.objects.filter(message__mailbox=copy.mailbox_id, message__blob=copy.blob)
    among = Q(folder__role=FolderRole.DRAFTS) | Q(folder=copy.folder_id)
    found: QuerySet[Placement] = places.filter(among, folder__gone_at=None)
    return found


def hide_withdrawn(mailbox: Mailbox, *, now: datetime) -> None:
    """Copies of ours that are about to be removed are shown no more, to nobody. Inside the caller's transaction."""
    leaving = DraftCopy.objects.filter(mailbox=mailbox, draft=None, is_foreign=False)
    places = Placement.objects.filter(message__mailbox=mailbox, message__blob__in=leaving.values("blob"))
    found = dict(places.filter(folder__role=FolderRole.DRAFTS).values_list("pk", "conversation_id"))
    Placement.objects.filter(pk__in=list(found), hidden_at=None).update(hidden_at=now)
    listing.refresh(set(found.values()))


def has_server(mailbox: Mailbox) -> bool:
    """Whether there is a server on which drafts may be kept now."""
    return bool(mailbox.imap_host) and mailbox.state in SENDING


def forget(copies: Collection[DraftCopy], *, now: datetime) -> None:
    """The server has them no more, or nobody will ask it again: their bytes are given back. Inside a transaction."""
    for each in copies:
        collect.let_go_of_all(each.account_id, each.holder, now=now)
    DraftCopy.objects.filter(pk__in=[each.pk for each in copies]).delete()


def after_stored(event: Event) -> None:
    """A reaction to `draft.stored`: the sync has put the folder in step."""
    known = DraftCopy.objects.filter(account=event.account_id)
    known.filter(pk=event.facts["stored"]).update(stored_at=event.at)
    forget(list(known.filter(pk__in=event.facts["removed"])), now=event.at)


def folder_of(copy: DraftCopy) -> Folder:
    """Where it lies: the folder that it was put into, whatever that is for now. Inside a transaction."""
    folder = copy.folder
    return folder if folder is not None and folder.gone_at is None else folder_for(copy.mailbox, FolderRole.DRAFTS)


def _by_folder(copies: Iterable[DraftCopy]) -> dict[Folder, list[DraftCopy]]:
    found: dict[Folder, list[DraftCopy]] = {}
    for each in sorted(copies, key=lambda each: each.pk):
        found.setdefault(folder_of(each), []).append(each)
    return found


def _change(
    folder: Folder,
    draft: Draft,
    older: Collection[DraftCopy],
    more: dict[str, Any],
    *,
    by: Employee | None,
    now: datetime,
) -> None:
    old = [{"copy": each.pk, "message_id": each.message_id, "blob": each.blob} for each in older]
    refused = PendingChange.objects.filter(
        folder=folder, kind=PendingChange.Kind.DRAFT, state=PendingChange.State.FAILED, detail__draft=draft.public_id
    )
    earlier = [each for detail in refused.values_list("detail", flat=True) for each in detail["old"]]
    old = list({each["copy"]: each for each in [*earlier, *old]}.values())
    refused.delete()
    PendingChange.objects.create(
        account_id=folder.account_id, mailbox_id=folder.mailbox_id, folder=folder,
        kind=PendingChange.Kind.DRAFT, by=by, created_at=now, due_at=now,
        detail={"draft": draft.public_id, "old": old, "flags": FLAGS, **more},
    )  # fmt: skip
