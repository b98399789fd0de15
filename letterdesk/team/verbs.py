"""What people do with conversations of shared mailboxes: give them to somebody, close, open again, let them wait.

Each is a wish for `mailboxes.act`, which cuts large choices into pieces, and whose actions undo takes back. In a
personal mailbox there is no team: these verbs act on conversations of shared mailboxes alone.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from letterdesk.accounts.models import Department, Employee
from letterdesk.mailboxes import marks
from letterdesk.mailboxes.act import Chosen, Verb, Wish, act_on
from letterdesk.mailboxes.models import Action, Conversation, FolderRole, Mark, Placement, Status

from .decide import Standing, closed, given
from .people import of_readers, readable_by
from .standing import locked, standing_of, write

KINDS = ("assign", "unassign", "close", "reopen", "waiting", "done")
CHANGED = "team"  # the key of a step in `Action.before`: by conversation, what it was and what it became


class CannotAssign(ValueError):
    """The conversations cannot be given to this person or department; the text says why."""


def assigning(to: Employee | Department | None, wish: Wish) -> Wish:
    """Give conversations to a person or a department that can read them; None: to nobody."""

    def assign(piece: Sequence[Chosen], asked: Wish, action: Action) -> int:
        found = locked(_ids(piece))
        if to is not None:
            readable = readable_by(to, {each.mailbox_id for each in found})
            if any(each.mailbox_id not in readable for each in found):
                raise CannotAssign(_("%(name)s cannot read this mailbox. Give them access first.") % {"name": to.name})
            action.detail["to"] = to.name
        assignee = to.pk if isinstance(to, Employee) else None
        department = to.pk if isinstance(to, Department) else None
        return _change(found, lambda was: given(was, assignee=assignee, department=department), asked, action)

    return replace(wish, kind="unassign" if to is None else "assign", verb=assign)


def closing(wish: Wish) -> Wish:
    """Close conversations for everyone: what of them lies in the inbox goes to the archive, on the server too."""
    return replace(wish, kind="close", verb=_close)


def finishing(wish: Wish) -> Wish:
    """Done, whatever that is where they lie: closed in shared mailboxes, archived in personal ones."""

    def finish(piece: Sequence[Chosen], asked: Wish, action: Action) -> int:
        shared = {each.pk for each in locked(_ids(piece))}
        ours = [each for each in piece if each.conversation_id in shared]
        others = [each for each in piece if each.conversation_id not in shared]
        done = _close(ours, asked, action) if ours else 0
        archived = act_on(others, replace(asked, kind="archive", verb=None), action) if others else 0
        action.kind = _kind_of(action.kind if action.pk else "", closed=bool(done), archived=bool(archived))
        return done + archived

    return replace(wish, kind="done", verb=finish)


def reopening(wish: Wish) -> Wish:
    """Open conversations again: what of them lies in the archive goes back to the inbox."""

    def reopen(piece: Sequence[Chosen], asked: Wish, action: Action) -> int:
        found = locked(_ids(piece))
        _wake(found, asked, action)
        done = _change(found, lambda was: replace(was, status=Status.OPEN), asked, action)
        _carry(found, FolderRole.ARCHIVE, replace(asked, kind="inbox", verb=None), action)
        return done

    return replace(wish, kind="reopen", verb=reopen)


def waiting(wish: Wish) -> Wish:
    """Mark conversations as waiting for the customer."""

    def wait(piece: Sequence[Chosen], asked: Wish, action: Action) -> int:
        found = locked(_ids(piece))
        _wake(found, asked, action)
        return _change(found, lambda was: replace(was, status=Status.WAITING, waiting_since=None), asked, action)

    return replace(wish, kind="waiting", verb=wait)


def snoozing(wish: Wish) -> Wish:
    """Snooze as everywhere; what a team had closed or let wait is open when it comes back."""

    def snooze(piece: Sequence[Chosen], asked: Wish, action: Action) -> int:
        done = act_on(piece, replace(asked, verb=None), action)
        settled = [each for each in locked(_ids(piece)) if each.status in {Status.CLOSED, Status.WAITING}]
        _change(settled, lambda was: replace(was, status=Status.OPEN), asked, action)
        return done

    return replace(wish, verb=snooze)


VERBS: dict[str, Callable[[Wish], Wish]] = {
    "close": closing,
    "done": finishing,
    "reopen": reopening,
    "waiting": waiting,
    "snooze": snoozing,
}


def take_back(step: dict[str, Any], by: Employee, now: datetime) -> int:
    """Undo what changed, where nobody has changed it since, and where `by` may still act."""
    del now
    kept: dict[str, list[Any]] = step[CHANGED]
    mine = Conversation.objects.editable_by(by).filter(pk__in=[int(pk) for pk in kept]).values_list("pk", flat=True)
    found = [each for each in locked(list(mine)) if _packed(standing_of(each)) == kept[str(each.pk)][1]]
    before = of_readers({each.pk: _unpacked(kept[str(each.pk)][0]) for each in found}, found)
    return write(found, before, by=by, why="undo")


TAKING_BACK = {CHANGED: take_back}  # for `mailboxes.undoing.take_back`


def _ids(piece: Sequence[Chosen]) -> set[int]:
    return {each.conversation_id for each in piece}


def _close(piece: Sequence[Chosen], wish: Wish, action: Action) -> int:
    found = locked(_ids(piece))
    _wake(found, wish, action)
    done = _change(found, closed, wish, action)
    _carry(found, FolderRole.INBOX, replace(wish, kind="archive", verb=None), action)
    return done


def _change(found: Collection[Conversation], become: Callable[[Standing], Standing], wish: Wish, action: Action) -> int:
    """Returns how many there are, changed or not: whoever wishes for what is so already has it."""
    after = {each.pk: become(standing_of(each)) for each in found}
    changes = {
        str(each.pk): [_packed(standing_of(each)), _packed(after[each.pk])]
        for each in found
        if after[each.pk] != standing_of(each)
    }
    write(found, after, by=wish.by)
    action.before.append({CHANGED: changes})
    return len(found)


def _wake(found: Collection[Conversation], wish: Wish, action: Action) -> None:
    """What a person decides now ends a snooze, and a reminder that has come back."""
    marks.dismiss([each.pk for each in found], by=wish.by, before=action.before)
    asleep = Mark.objects.filter(conversation__in=[each.pk for each in found], snoozed_until__isnull=False)
    if ids := list(asleep.values_list("conversation", flat=True)):
        marks.mark(ids, "wake", by=wish.by, now=wish.now, before=action.before)


def _carry(found: Collection[Conversation], role: FolderRole, wish: Wish, action: Action) -> None:
    """Move what of these conversations lies in the folder with this role, to where the wish's kind means."""
    places = Placement.objects.filter(conversation__in=[each.pk for each in found], folder__role=role).shown()
    here = set(places.values_list("conversation", "folder"))
    act_on([Chosen(conversation, folder) for conversation, folder in here], wish, action)


def _kind_of(before: str, *, closed: bool, archived: bool) -> str:
    """What an action is called, whose pieces may have closed some and archived others."""
    kinds = {kind for kind, did in (("close", closed), ("archive", archived), (before, bool(before))) if did}
    return kinds.pop() if len(kinds) == 1 else "done"


def _packed(standing: Standing) -> list[Any]:
    since = standing.waiting_since.isoformat() if standing.waiting_since else None
    return [str(standing.status), standing.assignee, standing.department, since]


def _unpacked(kept: Sequence[Any]) -> Standing:
    status, assignee, department, since = kept
    return Standing(status, assignee, department, datetime.fromisoformat(since) if since else None)


__all__ = ["KINDS", "TAKING_BACK", "VERBS", "CannotAssign", "Verb", "assigning", "closing", "take_back"]
