"""What a person does with conversations, one or thousands: everything goes through `act`, and `undoing` takes it back.

Letters are changed in pieces, each in a transaction with what undo needs to know of it; so an interrupted act has a
beginning that can be taken back. Who may do what is asked of the rows themselves, again for every piece.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee

from . import labels, marks, muting
from .flags import change_flags
from .folder_for import folder_for
from .hide import hide
from .models import Action, Conversation, Folder, FolderRole, Label, Mailbox, Placement
from .move import UNDO_SECONDS, CannotMove, delete, move

AT_ONCE = 500  # conversations in one transaction
SEEN, FLAGGED = "\\Seen", "\\Flagged"
FLAGS = {"read": (SEEN, True), "unread": (SEEN, False), "star": (FLAGGED, True), "unstar": (FLAGGED, False)}
NEWEST_ALONE = ("unread", "star")
ROLES = {"archive": FolderRole.ARCHIVE, "spam": FolderRole.SPAM, "inbox": FolderRole.INBOX}
MARKS = ("snooze", "wake", "pin", "unpin", "remind", "unremind")
KINDS = (*FLAGS, *ROLES, *MARKS, *muting.KINDS, "move", "delete", "label", "unlabel")
OF_READERS = ("delete", *muting.KINDS)  # what concerns, or may concern, who does it alone


class NothingChosen(ValueError):
    """None of these conversations is one that this employee may act on."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A conversation, and the folder in which it was chosen; None: wherever its letters lie."""

    conversation_id: int
    folder_id: int | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done, a kind of KINDS, by whom, when; with the folder, the label or the moment that it needs."""

    kind: str
    by: Employee
    now: datetime
    target: Folder | None = None
    label: Label | None = None
    until: datetime | None = None
    undo_seconds: float = UNDO_SECONDS
    verb: "Verb | None" = None  # what a higher room does with conversations, in place of what `kind` means here


# Acts on a piece, adds to the action what undo needs, and returns how many conversations it acted on.
Verb = Callable[[Sequence[Chosen], Wish, Action], int]


def choose(pairs: Iterable[tuple[str, str]], wish: Wish) -> list[Chosen]:
    """The conversations and folders behind public ids, those alone that `wish.by` may act on (C18).

    Who may only read may put letters away for themselves (R27), and mute. Raises NothingChosen.
    """
    wanted = list(dict.fromkeys(pairs))
    conversations, folders = Conversation.objects, Folder.objects
    may = (
        (conversations.visible_to(wish.by), folders.visible_to(wish.by))
        if wish.kind in OF_READERS
        else (conversations.editable_by(wish.by), folders.editable_by(wish.by))
    )
    found = dict(may[0].filter(public_id__in=[one for one, _ in wanted]).values_list("public_id", "pk"))
    places = dict(may[1].filter(public_id__in={two for _, two in wanted}).values_list("public_id", "pk"))
    chosen = [Chosen(found[one], places.get(two)) for one, two in wanted if one in found]
    if not chosen:
        raise NothingChosen
    return chosen


def act(chosen: Sequence[Chosen], wish: Wish) -> Action:
    """Do it to all of them. Returns the action, by which it is shown among the recent ones and taken back.

    Raises CannotMove (in words), NothingChosen where nothing was left to act on.
    """
    action = Action(account_id=wish.by.account_id, employee=wish.by, kind=wish.kind, at=wish.now)
    detail = _detail(wish)
    rest = iter(chosen)
    while piece := list(islice(rest, AT_ONCE)):
        with transaction.atomic():
            done = act_on(piece, replace(wish), action)
            action.count += done
            action.detail = detail | action.detail
            action.save()
    if not action.count:
        if action.pk is not None:
            action.delete()
        raise NothingChosen
    return action


def _detail(wish: Wish) -> dict[str, Any]:
    return {
        **({"folder": wish.target.public_id, "name": wish.target.name} if wish.target else {}),
        **({"label": wish.label.public_id, "name": wish.label.name} if wish.label else {}),
        **({"until": wish.until.isoformat()} if wish.until else {}),
    }


def act_on(piece: Sequence[Chosen], wish: Wish, action: Action) -> int:
    """One piece of an act, inside its transaction. Returns how many conversations were acted on.

    What undo needs goes into `action.before`.
    """
    ids = {each.conversation_id for each in piece}
    _remember_mailboxes(ids, action)
    if wish.verb is not None:
        return wish.verb(piece, wish, action)
    if wish.kind in MARKS:
        return marks.mark(ids, wish.kind, by=wish.by, now=wish.now, until=wish.until, before=action.before)
    if wish.kind in muting.KINDS:
        return muting.mute(ids, on=wish.kind == "mute", by=wish.by, before=action.before)
    if wish.kind in {"label", "unlabel"} and wish.label is not None:
        return labels.change(ids, wish.label, on=wish.kind == "label", by=wish.by, before=action.before)
    places = list(Placement.objects.filter(conversation__in=ids).shown().select_related("folder__mailbox"))
    if wish.kind in FLAGS:
        return _flag(places, wish, action)
    back = marks.dismiss(ids, by=wish.by, before=action.before) if wish.kind != "inbox" else set()
    here = list(_here(places, piece, set() if wish.kind == "archive" else back))
    done = _delete(here, wish, action) if wish.kind == "delete" else _move(here, wish, action)
    return len(done | back)


def _remember_mailboxes(ids: set[int], action: Action) -> None:
    """Whose letters they are, for the sentence that says what happened, and for whom."""
    found = Mailbox.objects.filter(conversations__in=ids).distinct().values_list("public_id", flat=True)
    action.detail["mailboxes"] = sorted({*action.detail.get("mailboxes", []), *found})


def _here(places: Sequence[Placement], piece: Sequence[Chosen], back: Set[int]) -> Iterator[Placement]:
    """The letters in the folders where they were chosen; without a folder, those that came in and lie in no bin.

    Of a conversation that a reminder brought `back` into a list where no letter of it lies: those in Sent.
    """
    folders: defaultdict[int, set[int | None]] = defaultdict(set)
    for each in piece:
        folders[each.conversation_id].add(each.folder_id)
    aside = {FolderRole.SENT, FolderRole.DRAFTS, FolderRole.ALL, FolderRole.TRASH, FolderRole.SPAM}
    lying = {place.conversation_id for place in places if place.folder_id in folders[place.conversation_id]}
    for place in places:
        wanted = folders[place.conversation_id]
        if place.conversation_id in back - lying and place.folder.role == FolderRole.SENT:
            yield place
        if place.folder_id in wanted or (None in wanted and place.folder.role not in aside):
            yield place


# Flags


def _flag(places: Sequence[Placement], wish: Wish, action: Action) -> int:
    flag, on = FLAGS[wish.kind]
    column = "is_seen" if flag == SEEN else "is_flagged"
    chosen = _of_the_newest(places) if wish.kind in NEWEST_ALONE else places
    changing = [place for place in chosen if getattr(place, column) != on]
    add, remove = ((flag,), ()) if on else ((), (flag,))
    change_flags(changing, add=add, remove=remove, by=wish.by, now=wish.now)
    conversations = {place.conversation_id for place in places}
    if wish.kind == "read":
        marks.look_at(conversations)
    action.before.append({"messages": sorted({place.message_id for place in changing})})
    return len(conversations)


def _of_the_newest(places: Sequence[Placement]) -> list[Placement]:
    """The places of the newest letter of each conversation."""
    newest: dict[int, tuple[datetime, int]] = {}
    for place in places:
        key = (place.received_at, place.message_id)
        newest[place.conversation_id] = max(newest.get(place.conversation_id, key), key)
    return [place for place in places if newest[place.conversation_id][1] == place.message_id]


# To another folder


def _move(places: Sequence[Placement], wish: Wish, action: Action) -> set[int]:
    token = action.public_id
    moved: set[int] = set()
    for mailbox, group in _by_mailbox(places):
        to = wish.target or folder_for(mailbox, ROLES[wish.kind])
        if to.mailbox_id != mailbox.pk:
            raise CannotMove(_("Letters can only be moved within their mailbox."))
        leaving = [place for place in group if place.folder_id != to.pk]
        move(leaving, to, by=wish.by, now=wish.now, undo_seconds=wish.undo_seconds, token=token)
        _note(leaving, to, action)
        moved |= {place.conversation_id for place in leaving}
    return moved


def _delete(places: Sequence[Placement], wish: Wish, action: Action) -> set[int]:
    """To Trash, on the server too, where this person may; else the letters are hidden from this person alone (R27)."""
    deleting = set(Mailbox.objects.deleting_on_server_by(wish.by).values_list("pk", flat=True))
    acting = deleting & set(Mailbox.objects.editable_by(wish.by).values_list("pk", flat=True))
    for mailbox, group in _by_mailbox(places):
        if mailbox.pk not in acting:
            hide({place.message_id: place.message for place in group}.values(), by=wish.by, now=wish.now)
            action.before.append({"hidden": sorted({place.message_id for place in group})})
            action.detail["hidden"] = True
            continue
        trash = folder_for(mailbox, FolderRole.TRASH)
        delete(group, by=wish.by, now=wish.now, undo_seconds=wish.undo_seconds, token=action.public_id)
        _note([place for place in group if place.folder_id != trash.pk], trash, action)
        if any(place.folder_id == trash.pk for place in group):
            action.before.append({"for_good": mailbox.pk})
            action.detail["for_good"] = True
    return {place.conversation_id for place in places}


def _by_mailbox(places: Iterable[Placement]) -> Iterator[tuple[Mailbox, list[Placement]]]:
    groups: defaultdict[int, list[Placement]] = defaultdict(list)
    for place in places:
        groups[place.folder.mailbox_id].append(place)
    for _key, group in sorted(groups.items()):  # locks are taken in one order
        yield group[0].folder.mailbox, group


def _note(leaving: Sequence[Placement], to: Folder, action: Action) -> None:
    by_folder: defaultdict[int, set[int]] = defaultdict(set)
    for place in leaving:
        by_folder[place.folder_id].add(place.message_id)
    for folder, messages in by_folder.items():
        action.before.append({"from": folder, "to": to.pk, "messages": sorted(messages)})
