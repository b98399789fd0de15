"""Writes down how far conversations are and whose, and tells what changed: one event each, which is its history."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db.models import Exists, OuterRef, QuerySet

from letterdesk.accounts.models import Department, Employee
from letterdesk.events.record import record
from letterdesk.mailboxes.models import Conversation, Grant, Mailbox

from .decide import Standing


def standing_of(conversation: Conversation) -> Standing:
    """As the conversation's columns say."""
    return Standing(
        conversation.status, conversation.assignee_id, conversation.department_id, conversation.waiting_since
    )


def in_team(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Those of shared mailboxes (R16): only there is team work."""
    grants = Grant.objects.filter(mailbox=OuterRef("mailbox"))
    return conversations.filter(Exists(grants), merged_into=None)


def locked(ids: Collection[int]) -> list[Conversation]:
    """These conversations of shared mailboxes, locked. Inside a transaction.

    Their mailboxes first, as whoever stores letters does: so nobody waits for one another in a circle.
    """
    mailboxes = Mailbox.objects.filter(conversations__in=ids).values("pk")
    list(Mailbox.objects.filter(pk__in=mailboxes).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    found = in_team(Conversation.objects.filter(pk__in=ids)).select_related("mailbox__account").order_by("pk")
    return list(found.select_for_update(of=("self",)))


def write(
    conversations: Collection[Conversation], after: Mapping[int, Standing], *, by: Employee | None, why: str = ""
) -> int:
    """Make these locked conversations what `after` says by their keys; returns how many changed.

    `why`, where no person decided it: "answer" (somebody wrote to us), "sent" (we wrote), "left" (a person left),
    "unshared" (access was taken away), "undo".
    """
    changed = [each for each in conversations if after[each.pk] != standing_of(each)]
    groups: defaultdict[Standing, list[Conversation]] = defaultdict(list)
    for each in changed:
        groups[after[each.pk]].append(each)
    for standing, group in groups.items():
        Conversation.objects.filter(pk__in=[each.pk for each in group]).update(
            status=standing.status,
            assignee=standing.assignee,
            department=standing.department,
            waiting_since=standing.waiting_since,
        )
    names = _references(changed, after)
    for each in changed:
        _tell(each, after[each.pk], names, by=by, why=why)
    return len(changed)


def _tell(
    conversation: Conversation, after: Standing, names: Mapping[tuple[str, int], str], *, by: Employee | None, why: str
) -> None:
    before = standing_of(conversation)
    facts: dict[str, object] = {"conversations": [conversation.public_id], **({"why": why} if why else {})}

    def tell(kind: str, **more: str) -> None:
        mailbox, subject = conversation.mailbox, f"conversation:{conversation.public_id}"
        record(kind, account=mailbox.account, by=by, topic=mailbox.topic, subject=subject, **facts, **more)

    if (before.assignee, before.department) != (after.assignee, after.department):
        tell("conversation.assigned", to=_whose(after, names), was=_whose(before, names))
    if before.status != after.status:
        tell("conversation.status_changed", status=str(after.status), was=str(before.status))
    conversation.status, conversation.waiting_since = after.status, after.waiting_since
    conversation.assignee_id, conversation.department_id = after.assignee, after.department


def _whose(standing: Standing, names: Mapping[tuple[str, int], str]) -> str:
    """ "employee:<public id>", "department:<public id>", or nothing."""
    if standing.assignee is not None:
        return names.get(("employee", standing.assignee), "")
    return names.get(("department", standing.department), "") if standing.department is not None else ""


def _references(changed: Collection[Conversation], after: Mapping[int, Standing]) -> dict[tuple[str, int], str]:
    standings = [standing for each in changed for standing in (standing_of(each), after[each.pk])]
    people = {each.assignee for each in standings if each.assignee is not None}
    departments = {each.department for each in standings if each.department is not None}
    found: dict[tuple[str, int], str] = {}
    if people:
        for pk, public_id in Employee.objects.filter(pk__in=people).values_list("pk", "public_id"):
            found["employee", pk] = f"employee:{public_id}"
    if departments:
        for pk, public_id in Department.objects.filter(pk__in=departments).values_list("pk", "public_id"):
            found["department", pk] = f"department:{public_id}"
    return found
