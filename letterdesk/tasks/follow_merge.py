"""Two records of CRM became one: tasks that were about either are about the one that stays."""

from letterdesk.crm.models import Record
from letterdesk.events.models import Event

from .models import TaskRecord


def after_merge(event: Event) -> None:
    """A reaction to `record.merged`. Twice is once."""
    kind, _, public_id = event.subject.partition(":")
    of_account = Record.objects.filter(account=event.account_id, kind=kind)
    into = of_account.filter(public_id=public_id).first()
    other = of_account.filter(public_id=event.facts.get("other", ""), merged_into=into).first()
    if into is None or other is None:
        return
    there = TaskRecord.objects.filter(record=into).values_list("task", flat=True)
    TaskRecord.objects.filter(record=other).exclude(task__in=list(there)).update(record=into)
    TaskRecord.objects.filter(record=other).delete()
