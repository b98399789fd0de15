"""What is done for notifications beside the requests."""

from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.lib.jobs import job

from .digest import mail_due
from .pushing import due, push_test, push_to
from .seen import forget


@job(name="notifications.push_due", retries=0)
def push_what_is_due() -> None:
    """Each minute: wake a push for each person to whom one is due, so that nobody's browsers hold up another's."""
    for key in due(now=timezone.now()):
        push_to_person.later(key)


@job(name="notifications.push", retries=0)
def push_to_person(key: int) -> None:
    """A little after somebody was told something: push it, where that is allowed now. `key`: of their Telling."""
    push_to(key, now=timezone.now())


@job(name="notifications.push_test", retries=0)
def push_test_to(employee: int) -> None:
    """Push a test to this person's browsers."""
    for person in Employee.objects.filter(pk=employee, is_active=True, dismissed_at=None):
        push_test(person, now=timezone.now())


@job(name="notifications.mail_due", retries=0)
def mail_digests() -> None:
    """Each minute: the digests that are due."""
    mail_due(now=timezone.now())


@job(name="notifications.forget", priority=-10)
def forget_old_notifications() -> None:
    """Daily: remove what was told more than 30 days ago, and of conversations that are gone."""
    forget(now=timezone.now())
