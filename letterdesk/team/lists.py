"""What a team's lists show, at a moment, to one employee: unassigned, mine, others', waiting, snoozed, closed.

Conversations come by the index of their view, so a mailbox with 100,000 closed ones answers as fast as an empty one.
What is snoozed stands in its own list alone; what lies in Spam or Trash, or has left Webmail (R20), in none.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from letterdesk.accounts.models import Department, Employee
from letterdesk.lib.keyset import cursor_of, read_cursor
from letterdesk.mailboxes.hide import is_shown_to
from letterdesk.mailboxes.lists import Page, Wanted, list_conversations
from letterdesk.mailboxes.models import Conversation, FolderRole, Listing, Mailbox, Mark, Status
from letterdesk.mailboxes.retention.letters import shown

MINE = "mine"
VIEWS = ("unassigned", MINE, "others", "waiting", "snoozed", "closed")
COUNTED = VIEWS[:-1]  # nobody needs to know how many are done with
NOBODYS = Q(assignee=None, department=None)
WORKED_ON = ~Q(status=Status.NONE)  # as the index says it: by these words the database knows that it may use it
ASIDE = (FolderRole.SPAM, FolderRole.TRASH)


def conversations(view: str, wanted: Wanted, *, mailbox: int | None = None) -> QuerySet[Conversation]:
    """The conversations of a view, of one mailbox or of all that the employee reads, in no order."""
    me = wanted.employee
    readable = Mailbox.objects.visible_to(me).filter(pk=OuterRef("mailbox"))  # beside the index, which gives the order
    found = Conversation.objects.filter(_of(view, me), Exists(readable), merged_into=None, account=me.account_id)
    if mailbox is not None:
        found = found.filter(mailbox=mailbox)
    if view == "snoozed":  # few: found by their marks
        marks = Mark.objects.filter(mailbox=mailbox) if mailbox is not None else Mark.objects.visible_to(me)
        asleep = Q(pk__in=marks.asleep(wanted.now).values("conversation"))
    else:
        asleep = Q(~Exists(_asleep(wanted.now)))
    return found.filter(asleep, Exists(_shown(wanted)))


def list_view(view: str, wanted: Wanted, *, mailbox: int | None = None) -> Page:
    """A page of a view, newest first or oldest first. `total` counts its rows: see `counts`. Raises BadCursor."""
    way = "" if wanted.oldest_first else "-"
    found = conversations(view, wanted, mailbox=mailbox).order_by(f"{way}newest_at", f"{way}pk")
    keys = list(_from_cursor(found, wanted).values_list("pk", "newest_at")[: wanted.limit + 1])
    more, here = len(keys) > wanted.limit, keys[: wanted.limit]
    rows = list_conversations([pk for pk, _ in here], wanted)
    pk, newest_at = here[-1] if here else (0, None)
    return Page(rows, cursor_of(newest_at, pk) if more and newest_at else "", len(rows))


def matching(view: str, wanted: Wanted, *, mailbox: int | None = None, most: int) -> list[int]:
    """Keys of all conversations of a view, the newest first, at most so many."""
    found = conversations(view, wanted, mailbox=mailbox).order_by("-newest_at", "-pk")
    return list(found.values_list("pk", flat=True)[:most])


def counts(wanted: Wanted, *, mailbox: int) -> dict[str, int]:
    """How many conversations each of COUNTED holds, in one query that reads no closed one."""
    me = wanted.employee
    open_ones = Conversation.objects.visible_to(me).filter(
        WORKED_ON, Exists(_shown(wanted)), mailbox=mailbox, merged_into=None, status__in=(Status.OPEN, Status.WAITING)
    )
    views = {view: Count("pk", filter=_of(view, me) & Q(asleep=view == "snoozed")) for view in COUNTED}
    found: dict[str, int] = open_ones.annotate(asleep=Exists(_asleep(wanted.now))).aggregate(**views)
    return found


def waiting_for_us(wanted: Wanted, mailboxes: Collection[int]) -> dict[int, tuple[int, int]]:
    """By mailbox, how many open conversations are nobody's, and how many this employee's: for the sidebar."""
    ours = mine(wanted.employee)
    awake = Conversation.objects.filter(
        WORKED_ON,
        NOBODYS | ours,
        ~Exists(_asleep(wanted.now)),
        Exists(_shown(wanted)),
        mailbox__in=mailboxes,
        merged_into=None,
        status=Status.OPEN,
    )
    counted = (
        awake.order_by().values("mailbox").annotate(nobodys=Count("pk", filter=NOBODYS), mine=Count("pk", filter=ours))
    )
    return {row["mailbox"]: (row["nobodys"], row["mine"]) for row in counted}


def mine(employee: Employee) -> Q:
    """Assigned to this person, or to their department and taken by nobody yet."""
    ours = Q(assignee=employee.pk)
    if employee.department_id is not None:
        ours |= Q(assignee=None, department=employee.department_id)
    return ours


def _of(view: str, me: Employee) -> Q:
    opened = Q(status=Status.OPEN)
    views: dict[str, Q] = {
        "unassigned": opened & NOBODYS,
        MINE: opened & mine(me),
        "others": opened & WORKED_ON & ~NOBODYS & ~mine(me),
        "waiting": Q(status=Status.WAITING) & WORKED_ON,
        "snoozed": WORKED_ON,
        "closed": Q(status=Status.CLOSED) & WORKED_ON,
    }
    return views[view]


def _asleep(now: datetime) -> QuerySet[Mark]:
    found: QuerySet[Mark] = Mark.objects.filter(conversation=OuterRef("pk")).asleep(now)
    return found


def _shown(wanted: Wanted) -> Any:
    lines = Listing.objects.filter(conversation=OuterRef("pk")).exclude(folder__role__in=ASIDE)
    visible = shown(lines, wanted.cutoff)
    return visible if wanted.owns_all else is_shown_to(visible, wanted.employee)  # R27


def _from_cursor(found: QuerySet[Conversation], wanted: Wanted) -> QuerySet[Conversation]:
    if not wanted.before:
        return found
    moment, pk = read_cursor(wanted.before)
    if wanted.oldest_first:
        return found.filter(Q(newest_at__gt=moment) | Q(newest_at=moment, pk__gt=pk), newest_at__gte=moment)
    return found.filter(Q(newest_at__lt=moment) | Q(newest_at=moment, pk__lt=pk), newest_at__lte=moment)


def names_of(rows: Iterable[Any]) -> dict[tuple[str, int], str]:
    """The names of the people and departments whose these rows are: no query where they are nobody's."""
    conversations = [row.conversation for row in rows]
    people = {each.assignee_id for each in conversations if each.assignee_id is not None}
    departments = {each.department_id for each in conversations if each.department_id is not None}
    found: dict[tuple[str, int], str] = {}
    if people:
        for pk, name in Employee.objects.filter(pk__in=people).values_list("pk", "name"):
            found["employee", pk] = name
    if departments:
        for pk, name in Department.objects.filter(pk__in=departments).values_list("pk", "name"):
            found["department", pk] = name
    return found
