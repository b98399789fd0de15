"""What was written in CRM and has left stands at its record, with a copy of its own, whatever it left through (R5, R6).

Through a verified sender it lies in no mailbox: this copy is the only one that is here. Through a mailbox the same
letter comes by the sync as well, and joins the activity, as any copy does (`keep.py`). Until the copy is kept the
bytes stay with the delivery (`outbound/filing.py`), so a lost wake-up loses nothing.
"""

from datetime import datetime

from django.db import transaction

from letterdesk.events.record import record as tell
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.lib.turns import in_turn
from letterdesk.mail.letters import Letter
from letterdesk.mail.parse import parse_letter
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.columns import message_columns
from letterdesk.mailboxes.retention.receipts import lock
from letterdesk.outbound import filing, tracking
from letterdesk.outbound.models import Delivery

from ..linking.copies import written_there
from ..linking.decide import Bind, Ground, written_at
from ..linking.ground import ours_of, records_named, records_with, said_of
from ..linking.identity import COPIED, identity_of, people_of
from ..linking.keep import bind
from ..linking.threads import remember_keys, threads_of_ids
from ..models import Activity, Direction, Thread
from ..records.bin import settle
from ..search.index import index_letters, text_of
from ..sendsave.secret import shown

AT_ONCE = 200


def keep_written(*, now: datetime) -> int:
    """Keep what has left and is not kept yet; returns how many were. Outside any transaction.

    All of it in pieces, however many cannot be kept: those would fill each round, and the others wait for ever.
    """
    waiting = filing.to_keep().select_related("account", "by").order_by("pk")
    done, after = 0, 0
    while piece := list(waiting.filter(pk__gt=after)[:AT_ONCE]):
        done += in_turn(piece, lambda each: keep(each, now=now) is not None,
                        failure="The copy of delivery %s cannot be kept in CRM")  # fmt: skip
        after = piece[-1].pk
    return done


def keep(delivery: Delivery, *, now: datetime) -> Activity | None:
    """The activity of a letter that has left; None: nothing in CRM is left that it could stand at. Twice is once."""
    raw = filing.sent_copy(delivery)
    blob = blobs.hash_of(raw)
    collect.announce(delivery.account_id, [blob], now=now)
    blobs.put(delivery.account_id, {blob: raw})
    reach("crm_written.stored")
    with transaction.atomic():
        lock(delivery.account_id)
        activity = _keep(delivery, raw, blob, now=now)
        if activity is not None:
            tracking.hold(delivery, activity.holder)
        filing.kept(delivery, now=now)
        reach("crm_written.before_commit")
    return activity


def _keep(delivery: Delivery, raw: bytes, blob: str, *, now: datetime) -> Activity | None:
    letter = parse_letter(raw)
    columns = {name: value for name, value in message_columns(letter).items() if name in COPIED}
    columns["recipients"] = shown(columns["recipients"])
    made = Activity(
        account_id=delivery.account_id, blob=blob, size=len(raw), direction=Direction.OUTGOING, through=delivery.sender,
        received_at=delivery.sent_at or now, made_at=now, made_by=delivery.by, **columns,
    )  # fmt: skip
    bindings = _bindings(delivery, made)
    if not bindings:
        return None
    made.identity = identity_of(made)
    known = Activity.objects.filter(account=delivery.account_id, identity=made.identity).first()
    known = known or _copy_there(delivery)
    activity = _replace(known, made, now) if known else _make(made, letter, now)
    bind(delivery.account_id, [(activity, bindings)], now=now, by=delivery.by)
    settle([activity.pk], by=None, now=now)  # all of these records may lie in the bin by now
    tell("activity.written", account=delivery.account, by=delivery.by, subject=activity.reference, about=delivery.about)
    return activity


def _bindings(delivery: Delivery, activity: Activity) -> tuple[Bind, ...]:
    """The record at which it was written, if it is there, and who in CRM got it."""
    people, ours = people_of(activity), ours_of(delivery.account_id)
    outside = people.outside(ours)
    ground = Ground(
        ours=ours, records=records_with(delivery.account_id, outside), said=said_of(delivery.account_id, outside)
    )
    return written_at(people, ground, records_named(delivery.account_id, [delivery.about]).get(delivery.about))


def _copy_there(delivery: Delivery) -> Activity | None:
    """What a copy in Sent has made before us, although its words differ."""
    record = records_named(delivery.account_id, [delivery.about]).get(delivery.about)
    named = delivery.message_id
    return written_there(delivery.account_id, {named: record}).get(named)


def _replace(known: Activity, made: Activity, now: datetime) -> Activity:
    """Our own copy takes the place of one that came first: that may be what travelled, with links that count."""
    if known.blob != made.blob:
        before = known.blob
        known.blob, known.size, known.recipients = made.blob, made.size, made.recipients
        known.save(update_fields=["blob", "size", "recipients"])
        collect.hold(known.account_id, [made.blob], holder=known.holder, now=now)
        collect.let_go_of_all(known.account_id, known.holder, now=now, hashes=[before])
    return known


def _make(activity: Activity, letter: Letter, now: datetime) -> Activity:
    """In the conversation that the letter names, if one of its people takes part in that (D11)."""
    ours = ours_of(activity.account_id)
    named = [each for each in (letter.message_id, *letter.in_reply_to, *letter.references) if each]
    threads = threads_of_ids(activity.account_id, named, ours=ours)
    thread = threads.for_letter(0, people_of(activity).outside(ours))
    if thread is None:
        thread = Thread.objects.create(account_id=activity.account_id, subject=activity.subject).pk
    activity.thread_id = thread
    activity.save(force_insert=True)
    index_letters([activity], {activity.pk: text_of(letter)})
    collect.hold(activity.account_id, [activity.blob], holder=activity.holder, now=now)
    remember_keys(activity.account_id, {0: thread}, threads.keys)  # answers to it lead here
    return activity
