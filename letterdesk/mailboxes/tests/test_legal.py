"""Legal holds: they win over every rule, take in what arrives, and let go 30 days after the release (F05, F07, F08)."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction

from letterdesk.events.models import Event
from letterdesk.mailboxes import bin as binned
from letterdesk.mailboxes.forget import begin, forget_copies
from letterdesk.mailboxes.models import Folder, Hold, LegalHold, Message, Quarantined
from letterdesk.mailboxes.retention import holds, legal, receipts
from letterdesk.mailboxes.retention.letters import storage_line, visible
from letterdesk.mailboxes.retention.purge import accounts_to_purge, purge
from letterdesk.mailboxes.retention.sweep import preview, sweep
from letterdesk.mailboxes.threading import merge, split
from letterdesk.plans.models import Subscription
from tests.rig.together import at_once, refused

from .arriving import another_mailbox
from .letters import folder_of, letter

DAY = timedelta(hours=24)


def what_is_held():
    return set(Message.objects.filter(is_held=True).values_list("subject", flat=True))


@pytest.mark.parametrize(
    ("named", "held"),
    [
        ("account", {"mine", "reply", "from her", "other"}),
        ("mailbox", {"mine", "reply", "from her"}),
        ("conversation", {"mine", "reply"}),
        ("address", {"from her", "other"}),
    ],
)
def test_it_holds_exactly_what_it_names(account, mailbox, inbox, now, named, held):  # F05
    mine = letter(inbox, received_at=now, subject="mine", sender=("", "a@x.example"), to=(("", "b@x.example"),))
    letter(inbox, received_at=now, subject="reply", conversation=mine.conversation, sender=("", "b@x.example"), to=())
    letter(inbox, received_at=now, subject="from her", sender=("Amara", "Amara@Okafor.example"), to=())
    other = another_mailbox(account, "other@acme.example")
    letter(
        folder_of(other), received_at=now, subject="other", sender=("", "b@x.example"),
        to=(("Amara", "amara@okafor.example"),),
    )  # fmt: skip
    chosen = {
        "account": {}, "mailbox": {"mailbox": mailbox}, "conversation": {"conversation": mine.conversation},
        "address": {"address": "amara@okafor.example"},
    }[named]  # fmt: skip
    hold = legal.place(account, reason="Case 7", by=None, now=now, **chosen)
    assert hold.scope == named
    assert what_is_held() == held
    assert holds.check() == []
    assert Event.objects.get(kind="hold.placed").facts["scope"] == named
    assert Event.objects.get(kind="hold.covered").facts["count"] == len(held)


def test_neither_period_nor_plan_nor_bin_takes_what_is_held(account, mailbox, inbox, now):  # R9, R12, R29
    old = letter(inbox, received_at=now - 29 * DAY)
    legal.place(account, mailbox=mailbox, reason="Case 7", by=None, now=now)
    assert sweep(now=now + DAY) == 0
    assert visible(Message.objects.all(), account, now=now + 100 * DAY).count() == 1
    old.refresh_from_db()
    assert storage_line(old, now) == "On hold since 23 Nov 2026 — cannot be deleted"
    binned.put_in([old.pk], by=None, now=now)
    assert binned.purge([old.pk], by=None, now=now) == 0
    Subscription.objects.filter(account=account).update(plan="free", followed="free")
    assert purge(account, now=now + DAY) == 0
    assert Message.objects.count() == 1


def test_the_letter_says_who_holds_it_and_since_when_with_one_query_for_many(
    account, ines, inbox, now, django_assert_num_queries
):
    kept = [letter(inbox, received_at=now) for _ in range(3)]
    holds.add(kept[0], reason="task", reference="task:214", now=now)
    legal.place(account, reason="Case 7", by=ines, now=now)
    rows = list(Hold.objects.all())
    with django_assert_num_queries(1):
        told = holds.tell_legal(rows)
    kept = list(Message.objects.select_related("account").order_by("pk"))
    with django_assert_num_queries(0):
        lines = [storage_line(each, now, holds=[row for row in told if row.message_id == each.pk]) for each in kept]
    held = f"Held by {ines} since 23 Nov 2026 — cannot be deleted"
    assert lines == [f"{held} · linked to task #214", held, held]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows")
@pytest.mark.django_db(transaction=True)
def test_placing_waits_for_a_deletion_under_way(account, now):  # F07
    def place():
        connection.cursor().execute("SET lock_timeout = 200")
        legal.place(account, reason="Case 7", by=None, now=now)

    with transaction.atomic():
        receipts.lock(account.pk)
        assert refused(at_once([place], refusal=OperationalError)) == 1
    assert not LegalHold.objects.exists()


def test_what_arrives_is_held_with_it(account, mailbox, inbox, now):
    legal.place(account, mailbox=mailbox, reason="Case 7", by=None, now=now)
    late = letter(inbox, received_at=now)
    assert legal.cover(mailbox, [late], now=now) == 1
    assert Hold.objects.get().message_id == late.pk
    assert holds.check() == []


def test_released_it_lets_go_after_thirty_days_and_not_before(account, mailbox, inbox, now):  # F08
    letter(inbox, received_at=now - 2000 * DAY)
    hold = legal.place(account, reason="Case 7", by=None, now=now)
    assert legal.release(hold, by=None, now=now)
    assert not legal.release(hold, by=None, now=now)
    for day in (0, 29):
        assert legal.free(now=now + day * DAY) == 0
        assert Message.objects.filter(is_held=True).count() == 1
    assert legal.free(now=now + 30 * DAY) == 1
    assert (holds.check(), Message.objects.filter(is_held=True).count()) == ([], 0)
    assert LegalHold.objects.get().freed_at == now + 30 * DAY


@pytest.mark.parametrize("scope", ["account", "mailbox", "conversation", "address"])
def test_it_holds_what_nobody_could_read_too(account, mailbox, inbox, now, scope):  # F05, F08
    Quarantined.objects.create(
        account=account, folder=inbox, uidvalidity=1, uid=7, reason="x", blob="a" * 64, internal_date=now - 40 * DAY
    )
    named = {
        "account": {}, "mailbox": {"mailbox": mailbox}, "address": {"address": "amara@okafor.example"},
        "conversation": {"conversation": letter(inbox, received_at=now).conversation},
    }[scope]  # fmt: skip
    hold = legal.place(account, reason="Case 7", by=None, now=now, **named)
    assert preview(account, now=now) == [] and sweep(now=now) == 0
    Subscription.objects.filter(account=account).update(plan="free", followed="free")
    assert purge(account, now=now) == 0 and not accounts_to_purge(now).exists()
    begin(mailbox, now=now)
    folder_of(mailbox, "Sent", "sent")
    assert forget_copies(now=now) and not forget_copies(now=now)  # the other folder goes, and it ends
    assert (Quarantined.objects.count(), Folder.objects.get()) == (1, inbox)
    legal.release(hold, by=None, now=now)
    assert not forget_copies(now=now + 29 * DAY)
    legal.free(now=now + 30 * DAY)
    while forget_copies(now=now + 30 * DAY):
        pass
    assert not Quarantined.objects.exists()


@pytest.mark.parametrize("named", [0, 1])
def test_a_held_conversation_is_held_with_what_joins_it_and_in_parts(account, inbox, now, ines, named):  # F05
    one, two = (letter(inbox, received_at=now).conversation for _ in range(2))
    legal.place(account, conversation=[one, two][named], reason="Case 7", by=None, now=now)
    merge(one, two, by=ines)
    assert Message.objects.filter(is_held=True).count() == 2
    assert LegalHold.objects.get().conversation == one
    part = split(Message.objects.order_by("pk").last(), by=ines)
    assert Message.objects.filter(is_held=True).count() == 2
    late, other = letter(inbox, received_at=now, conversation=part), letter(inbox, received_at=now)
    assert legal.cover(inbox.mailbox, [late, other], now=now) == 1
    assert set(Message.objects.filter(is_held=False)) == {other} and holds.check() == []


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("jürgen@x.example", "Jürgen@X.example"),
        ("jürgen@x.example", "JÜRGEN@x.example"),
        ("info@müller.example", "info@xn--mller-kva.example"),
        ("info@xn--mller-kva.example", "Info@MÜLLER.example"),
        ("jürgen@müller", "jürgen@müller"),  # no part of it is plain
    ],
)
def test_an_address_is_the_same_however_it_is_written(account, inbox, now, address, written):  # F05
    letter(inbox, received_at=now, subject="to", sender=("", "a@x.example"), to=(("", written),))
    letter(inbox, received_at=now, subject="from", sender=("", written), to=())
    letter(inbox, received_at=now, subject="other", sender=("", f"o{written}"), to=(("", f"o{written}"),))
    legal.place(account, address=address, reason="Case 7", by=None, now=now)
    assert what_is_held() == {"to", "from"}
    late = letter(inbox, received_at=now, sender=("", "a@x.example"), to=(), cc=(("", written),))
    assert legal.cover(inbox.mailbox, [late], now=now) == 1


def test_what_another_reason_holds_stays_held(account, mailbox, inbox, now):  # R4
    kept = letter(inbox, received_at=now)
    holds.add(kept, reason="task", reference="task:1", now=now)
    first = legal.place(account, reason="Case 7", by=None, now=now)
    legal.place(account, address="amara@okafor.example", reason="Case 8", by=None, now=now)
    legal.release(first, by=None, now=now)
    legal.free(now=now + 31 * DAY)
    assert set(Hold.objects.values_list("reason", flat=True)) == {"task", "legal"}
    assert Message.objects.get().is_held


def test_without_a_reason_or_of_a_foreign_account_it_is_refused(account, mailbox, stranger, now):  # F10
    with pytest.raises(legal.NotPossible):
        legal.place(account, reason=" ", by=None, now=now)
    with pytest.raises(legal.NotPossible):
        legal.place(stranger.account, mailbox=mailbox, reason="x", by=None, now=now)
    assert not LegalHold.objects.exists()
