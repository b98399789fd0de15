"""Records of somebody who left go to a colleague: who is responsible for a record is somebody who is here.

Until then whoever sees all of CRM, or the department's part of it, sees them as before. As handing over tasks and
mailboxes is (docs/decisions/0009-who-leaves.md): for administrators, for people who left, and on record. In the
queues of mailboxes who left is passed over until then (`turns.py`).
"""

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.retention.receipts import lock

from ..models import ListView, Record, Turn

AT_ONCE = 500


class NotHandedOver(ValueError):
    """These records go to nobody so; the text says why."""


def left_behind(account: Account) -> dict[int, int]:
    """How many records wait for somebody: by key of the dismissed person who is responsible for them."""
    orphaned = Record.objects.filter(account=account, responsible__dismissed_at__isnull=False).order_by()
    return dict(orphaned.values_list("responsible").annotate(number=Count("pk")))


def records_of(person: Employee) -> int:
    """For how many records this person is responsible, those in the bin as well."""
    return Record.objects.filter(account=person.account_id, responsible=person).count()


def hand_over(person: Employee, *, to: Employee, by: Employee) -> int:
    """Make `to` responsible for all records of a dismissed person, those in the bin as well; returns how many.

    Views of lists that the person shared are theirs, too; those that were for the person alone go.

    In pieces, each on record; a crash leaves whole pieces. Raises NotAllowed, NotHandedOver.
    """
    must_administrate(by, person.account_id)
    done = 0
    while piece := _piece(person, to, by):
        done += piece
    _take_turns(person, to)
    _take_views(person, to)
    return done


@transaction.atomic
def _take_turns(person: Employee, to: Employee) -> None:
    """`to` stands in every queue in which the person stood, once."""
    turns = Turn.objects.filter(account=person.account_id, employee=person)
    theirs = Turn.objects.filter(employee=to)
    turns.filter(saving__in=theirs.filter(saving__isnull=False).values("saving")).delete()
    turns.filter(polled__in=theirs.filter(polled__isnull=False).values("polled")).delete()
    turns.update(employee=to)


@transaction.atomic
def _take_views(person: Employee, to: Employee) -> None:
    """A view that `to` has already, perhaps for themselves, stays with who left, and everyone's; private ones go."""
    Employee.objects.select_for_update(no_key=True).get(pk=to.pk)  # who keeps a view holds themselves (`views.save`)
    theirs = ListView.objects.filter(employee=to.pk, kind=OuterRef("kind"), query=OuterRef("query"))
    views = ListView.objects.filter(account=person.account_id, employee=person.pk)
    views.filter(~Exists(theirs), is_everyones=True).update(employee=to)
    views.filter(is_everyones=False).delete()


@transaction.atomic
def _piece(person: Employee, to: Employee, by: Employee) -> int:
    lock(person.account_id)
    _check(person, to)
    records = Record.objects.select_for_update().filter(account=person.account_id, responsible=person).order_by("pk")
    ids = list(records.values_list("pk", flat=True)[:AT_ONCE])
    if not ids:
        return 0
    Record.objects.filter(pk__in=ids, responsible=person).update(responsible=to)
    tell("record.handed_over", account=person.account, by=by, subject=f"employee:{to.public_id}",
         count=len(ids), **{"from": person.public_id})  # fmt: skip
    reach("crm_hand_over.before_commit")
    return len(ids)


def _check(person: Employee, to: Employee) -> None:
    rows = Employee.objects.select_for_update(no_key=True).filter(pk__in=(person.pk, to.pk), account=person.account_id)
    here = {row.pk: row for row in rows.order_by("pk")}
    if person.pk not in here or here[person.pk].dismissed_at is None:
        raise NotHandedOver(_("Only records of somebody who left are handed over as a whole."))
    heir = here.get(to.pk)
    if heir is None or not heir.is_active or heir.dismissed_at is not None:
        raise NotHandedOver(_("Records can go to an active employee of the same company only."))
