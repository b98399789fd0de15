"""What else people are told of: letters that did not leave, tasks, mailboxes that need somebody, access, the plan."""

from django.db.models import Q, QuerySet
from django.utils import timezone

from letterdesk.accounts.models import Employee, Role
from letterdesk.crm.linking.asked import asked_of, people_asked
from letterdesk.crm.polled.look import DOOR as POLLED_DOOR
from letterdesk.events.models import Event
from letterdesk.intake.models import Arrived
from letterdesk.intake.models import State as ArrivedState
from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.outbound.models import Delivery
from letterdesk.tasks.guest_letters import waiting
from letterdesk.tasks.models import Task

from .hearing import readers_of
from .models import CRM_ASKS, CRM_UNREADABLE, Kind, Notification
from .polled import NOT_HANDED, OF_FOLDERS, about_polled
from .tell import About, tell, unsay, wake


def after_not_sent(event: Event) -> None:
    """A reaction to `letter.failed` and `letter.unknown`: who sent it is told, else the mailbox's owner.

    Who sent it may have lost the mailbox, and could not look: then the owner is told as well.
    """
    kind = Kind.NOT_SENT if event.kind == "letter.failed" else Kind.PERHAPS_SENT
    for letter in _letters(event):
        about = About(event.subject, letter.mailbox, delivery=letter)
        tell(_people_of(letter), kind, about, account=event.account, now=timezone.now())


def after_sent(event: Event) -> None:
    """A reaction to `letter.sent`: that it had not left, or not for certain, is over; some may have been refused."""
    for kind in (Kind.NOT_SENT, Kind.PERHAPS_SENT):
        unsay(kind, event.subject, now=timezone.now())
    if event.facts.get("refused"):
        after_not_reached(event)


def after_not_reached(event: Event) -> None:
    """A reaction to `letter.bounced`: who sent it, else the mailbox's owner, while nobody has said that they know."""
    for letter in _letters(event).filter(trouble_at__isnull=False):
        about = About(event.subject, letter.mailbox, delivery=letter)
        tell(_people_of(letter), Kind.NOT_REACHED, about, account=event.account, now=event.at)


def after_dismissed(event: Event) -> None:
    """A reaction to `letter.dismissed`: its people know."""
    for kind in (Kind.NOT_SENT, Kind.PERHAPS_SENT, Kind.NOT_REACHED):
        unsay(kind, event.subject, now=timezone.now())


def after_held_back(event: Event) -> None:
    """A reaction to `letter.held_back`: who wanted it to leave later, while it is a draft."""
    for letter in _letters(event).filter(draft__sent_at=None, draft__held_back_at__isnull=False):
        about = About(_draft_of(letter), letter.mailbox, delivery=letter)
        tell(_people_of(letter), Kind.HELD_BACK, about, account=event.account, now=event.at)


def after_queued(event: Event) -> None:
    """A reaction to `letter.queued`: the letter that was held back is on its way again."""
    for letter in _letters(event):
        unsay(Kind.HELD_BACK, _draft_of(letter), now=timezone.now())


def after_discarded(event: Event) -> None:
    """A reaction to `draft.discarded`: so is a letter that was held back."""
    unsay(Kind.HELD_BACK, event.subject, now=timezone.now())


def after_task(event: Event) -> None:
    """A reaction to `task.created` and `task.changed`: who is responsible now, and did not do that, is told."""
    if event.kind == "task.changed" and "responsible" not in event.facts.get("changed", []):
        return
    for task in _tasks(event):
        if task.responsible_id != event.by_id and not task.is_done:
            tell({task.responsible_id}, Kind.TASK, _of(task), account=event.account, now=timezone.now(), by=event.by)


def after_task_comment(event: Event) -> None:
    """A reaction to `task.commented`: all who are named in the task, but who wrote it; a guest is nobody of ours."""
    for task in _tasks(event):
        others = _named_in(task) - {event.by_id}
        tell(others, Kind.TASK_COMMENT, _of(task), account=event.account, now=timezone.now(), by=event.by)
        _nobody_waits(task)


def after_guest_waits(event: Event) -> None:
    """A reaction to `task.guest_waits`: all who are named in the task, until one of them has said what it is."""
    for task in _tasks(event):
        if waiting(task.guests.all()).exists():
            tell(_named_in(task), Kind.ASKED, _of(task), account=event.account, now=event.at)
        _nobody_waits(task)


def _nobody_waits(task: Task) -> None:
    if not waiting(task.guests.all()).exists():
        unsay(Kind.ASKED, _of(task).name, now=timezone.now())


def _named_in(task: Task) -> set[int]:
    return {task.responsible_id, task.creator_id, *task.participants.values_list("pk", flat=True)}


def after_reminder(event: Event) -> None:
    """A reaction to `task.reminded` and `task.overdue`: tasks keep their own notices, which are pushed as well."""
    people = Employee.objects.filter(account=event.account_id, public_id=event.topic.removeprefix("employee:"))
    wake(list(people.values_list("pk", flat=True)), now=timezone.now())


def after_failing(event: Event) -> None:
    """A reaction to `mailbox.failing`: where only a person mends it, its owner is told (A40)."""
    for mailbox in _mailboxes(event).filter(state=MailboxState.FAILING):
        tell({mailbox.owner_id}, Kind.SIGN_IN, _of(mailbox), account=event.account, now=timezone.now())


def after_recovery(event: Event) -> None:
    """A reaction to `mailbox.recovered`: nobody needs to sign in any more."""
    unsay(Kind.SIGN_IN, event.topic, now=timezone.now())


def after_polled_failing(event: Event) -> None:
    """A reaction to `polled.failing`: the administrators, who can mend it (R30)."""
    administrators = Employee.objects.filter(account=event.account_id, role=Role.ADMINISTRATOR)
    people = set(administrators.values_list("pk", flat=True))
    about = About(about_polled(event.subject, str(event.facts.get("code", ""))))
    tell(people, Kind.POLLED, about, account=event.account, now=event.at, count=int(event.facts.get("letters", 1)))


def after_polled_mended(event: Event) -> None:
    """A reaction to `polled.recovered`, `.resumed`, `.paused`, `.disconnected`, and `.changed`: somebody knows."""
    now, code = timezone.now(), str(event.facts.get("code", ""))
    if event.kind in {"polled.paused", "polled.disconnected"}:
        codes: tuple[str, ...] = ("", *OF_FOLDERS, NOT_HANDED)
    elif event.kind == "polled.changed":
        codes = {"server": ("",), "folders": OF_FOLDERS}.get(str(event.facts.get("what")), ())
    else:
        codes = (code,)
    for each in codes:
        unsay(Kind.POLLED, about_polled(event.subject, each), now=now)


def after_crm_asks(event: Event) -> None:
    """A reaction to `sendsave.asked`, `arrived.unreadable` and `arrived.failing`: whom a letter beside Webmail asks
    what it is (R30).
    """
    public_id = event.subject.removeprefix("arrived:")
    for row in Arrived.objects.filter(account=event.account_id, public_id=public_id):
        people = set(people_asked(row).values_list("pk", flat=True))
        tell(people, Kind.ASKED, About(_what_asks(row)), account=event.account, now=event.at)


def _what_asks(row: Arrived) -> str:
    if row.state == ArrivedState.ASKED:
        return CRM_ASKS
    return f"{CRM_UNREADABLE}:{row.address}" if row.door == POLLED_DOOR else CRM_UNREADABLE


def after_crm_answered(event: Event) -> None:
    """A reaction to `sendsave.answered`, `sendsave.dropped` and `activity.saved`: whom no letter asks any more."""
    told = Notification.objects.filter(
        Q(about=CRM_ASKS) | Q(about__startswith=CRM_UNREADABLE),
        account=event.account_id, kind=Kind.ASKED, seen_at=None,
    )  # fmt: skip
    for person in Employee.objects.filter(pk__in=told.values("employee")):
        if not asked_of(person).exists():
            told.filter(employee=person).update(seen_at=timezone.now())


def after_linking_failing(event: Event) -> None:
    """A reaction to `linking.failing`: the owner, who can link the letter by hand."""
    for mailbox in _mailboxes(event):
        tell({mailbox.owner_id}, Kind.NOT_LINKED, _of(mailbox), account=event.account, now=event.at)


def after_linking_recovered(event: Event) -> None:
    """A reaction to `linking.recovered`."""
    unsay(Kind.NOT_LINKED, event.topic, now=timezone.now())


def after_suspension(event: Event) -> None:
    """A reaction to `mailbox.suspended` (R13)."""
    for mailbox in _mailboxes(event):
        tell({mailbox.owner_id}, Kind.SUSPENDED, _of(mailbox), account=event.account, now=timezone.now())


def after_access_asked(event: Event) -> None:
    """A reaction to `mailbox.access_asked`: those are told who may give it."""
    for mailbox in _mailboxes(event):
        managers = mailbox.grants.filter(may_manage=True, employee__isnull=False).values_list("employee_id", flat=True)
        people = {mailbox.owner_id, *managers}
        tell(people, Kind.ACCESS_ASKED, _of(mailbox), account=event.account, now=timezone.now(), by=event.by)


def after_access_given(event: Event) -> None:
    """A reaction to `mailbox.shared`: a person who was named. Who had asked need not be answered any more."""
    for mailbox in _mailboxes(event):
        people = Employee.objects.filter(account=event.account_id, public_id=event.subject.removeprefix("employee:"))
        given = set(people.exclude(pk=event.by_id).values_list("pk", flat=True))
        tell(given, Kind.ACCESS_GIVEN, _of(mailbox), account=event.account, now=timezone.now(), by=event.by)
    after_access_declined(event)


def after_access_declined(event: Event) -> None:
    """A reaction to `mailbox.access_declined`: when nobody asks any more, nobody is told that somebody does."""
    for mailbox in _mailboxes(event):
        if not mailbox.access_requests.exists():
            unsay(Kind.ACCESS_ASKED, event.topic, now=timezone.now())


def after_plan_ending(event: Event) -> None:
    """A reaction to `plan.ending`: the administrators, who choose what follows."""
    administrators = Employee.objects.filter(account=event.account_id, role=Role.ADMINISTRATOR)
    people, days = set(administrators.values_list("pk", flat=True)), int(event.facts["days"])
    tell(people, Kind.PLAN, About(f"plan:{days}"), account=event.account, now=timezone.now(), count=days)


def _of(thing: Task | Mailbox) -> About:
    if isinstance(thing, Task):
        return About(f"task:{thing.public_id}", task=thing)
    return About(thing.topic, mailbox=thing)


def _letters(event: Event) -> QuerySet[Delivery]:
    public_id = event.subject.removeprefix("delivery:")
    letters = Delivery.objects.filter(account=event.account_id, public_id=public_id)
    return letters.select_related("mailbox", "draft", "by")


def _draft_of(letter: Delivery) -> str:
    """As events call the draft of a letter, whichever of its letters it is."""
    return f"draft:{letter.draft.public_id}" if letter.draft else ""


def _people_of(letter: Delivery) -> set[int]:
    """The keys of who sent it, and of the mailbox's owner where nobody did, or who did reads the mailbox no more.

    Of what went through a verified sender: who sent it, or the administrators, who decide about it when they are gone.
    """
    if letter.mailbox is None:
        if letter.by is not None and letter.by.dismissed_at is None:
            return {letter.by.pk}
        administrators = Employee.objects.filter(account=letter.account_id, role=Role.ADMINISTRATOR)
        return set(administrators.values_list("pk", flat=True))
    reads = letter.by_id is not None and readers_of(letter.mailbox).filter(pk=letter.by_id).exists()
    return {pk for pk in (letter.by_id, None if reads else letter.mailbox.owner_id) if pk is not None}


def _tasks(event: Event) -> QuerySet[Task]:
    number = event.subject.removeprefix("task:")
    return Task.objects.present().filter(account=event.account_id, number=number).select_related("account")


def _mailboxes(event: Event) -> QuerySet[Mailbox]:
    public_id = event.topic.removeprefix("mailbox:")
    return Mailbox.objects.filter(account=event.account_id, public_id=public_id).select_related("account")
