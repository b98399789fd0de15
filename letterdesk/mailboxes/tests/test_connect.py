"""R1, R2, R14, R21 at every door by which a mailbox comes, changes hands or goes."""

from functools import partial

import pytest
from django.db import connection

from letterdesk.accounts.models import Employee
from letterdesk.events.models import Event
from letterdesk.mailboxes import collect, forget
from letterdesk.mailboxes.connect import (
    AlreadyConnected,
    NotPossible,
    Server,
    change_depth,
    connect,
    disconnect,
    make_imported,
    mend,
    pause,
    resume,
    transfer,
)
from letterdesk.mailboxes.models import (
    BlobReference,
    Folder,
    Grant,
    Mailbox,
    MailboxState,
    Message,
    PendingChange,
    Quarantined,
    Tombstone,
)
from letterdesk.mailboxes.retention import holds
from letterdesk.mailboxes.search import letters as search
from letterdesk.plans.limits import LimitReached, NotInPlan
from letterdesk.plans.models import Subscription
from tests.rig.together import at_once, refused

from .conftest import employ, open_account_on
from .letters import folder_of, letter

pytestmark = pytest.mark.django_db

MARKER = "s3cret-marker"


def connect_one(owner, now, address="a@acme.example", *, host="imap.acme.example", **options):
    options = {"fetch_days": 30, "by": owner, "secret": {"password": MARKER}} | options
    return connect(owner, address=address, server=Server(imap_host=host), now=now, **options)


def kinds():
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


def test_connecting_keeps_what_the_sync_needs_and_tells_it(ines, now):
    server = Server("IMAP.Acme.example ", imap_port=143, imap_security="starttls", smtp_host="smtp.acme.example")
    mailbox = connect(ines, address=" ines@acme.example", server=server, secret={"password": MARKER}, fetch_days=7,
                      by=ines, now=now)  # fmt: skip
    kept = Mailbox.objects.get()
    assert (kept.imap_host, kept.imap_port, kept.imap_security) == ("imap.acme.example", 143, "starttls")
    assert (kept.imap_user, kept.name, kept.smtp_host) == (
        "ines@acme.example",
        "ines@acme.example",
        "smtp.acme.example",
    )
    assert (kept.owner, kept.state, kept.fetch_days, kept.connected_at) == (ines, "connected", 7, now)
    assert kept.secret == {"password": MARKER}
    event = Event.objects.get()
    assert (event.kind, event.by, event.topic) == ("mailbox.connected", ines, mailbox.topic)


def test_the_password_lies_encrypted_and_in_no_event(ines, now):
    connect_one(ines, now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM mailboxes_mailbox")
        assert MARKER not in str(cursor.fetchall())
        cursor.execute("SELECT * FROM events_event")
        assert MARKER not in str(cursor.fetchall())


@pytest.mark.parametrize("plan", ["free", "project"])
def test_without_webmail_in_the_plan_every_door_refuses(plan, now, sold_plans):  # R1, R2
    person = employ(open_account_on("standard"), "Ines")
    mailbox = connect_one(person, now)
    pause(mailbox, by=person)
    Subscription.objects.update(plan=plan)
    for door in (
        lambda: connect_one(person, now, "b@acme.example"),
        lambda: resume(mailbox, by=person, now=now),
        lambda: mend(mailbox, secret={"password": "new"}, by=person, now=now),
        lambda: change_depth(mailbox, 7, now=now),
        lambda: make_imported(person, address="old@acme.example", now=now),
    ):
        with pytest.raises(NotInPlan):
            door()
    assert Mailbox.objects.count() == 1
    mailbox.refresh_from_db()
    assert (mailbox.state, mailbox.secret) == ("paused", {"password": MARKER})
    disconnect(mailbox, by=person)  # going is always allowed


@pytest.mark.parametrize(("days", "allowed"), [(1, True), (30, True), (31, False), (10**9, False), (None, True)])
def test_more_days_than_the_plan_fetches_are_refused_here_and_not_in_a_list_alone(ines, now, days, allowed):  # R21
    if allowed:
        assert connect_one(ines, now, fetch_days=days).fetch_days == days
        return
    with pytest.raises(LimitReached, match="30 days"):
        connect_one(ines, now, fetch_days=days)
    mailbox = connect_one(ines, now, fetch_days=1)
    with pytest.raises(LimitReached, match="30 days"):
        change_depth(mailbox, days, now=now)
    assert Mailbox.objects.get().fetch_days == 1


@pytest.mark.parametrize("days", [0, -1])
def test_a_depth_of_no_day_is_refused(ines, now, days):
    with pytest.raises(NotPossible):
        connect_one(ines, now, fetch_days=days)


@pytest.mark.parametrize("user", ["a@acme.example", "A@Acme.Example"])
def test_the_same_mailbox_is_not_connected_twice_in_an_account(ines, jonas, stranger, now, user):
    first = connect_one(ines, now)
    with pytest.raises(AlreadyConnected, match="Ines"):
        connect_one(jonas, now, user, host="IMAP.acme.example")
    assert connect_one(stranger, now)  # another account is none of our business
    disconnect(first, by=ines)
    assert connect_one(jonas, now)


# R14


def test_paused_and_failing_mailboxes_count_and_suspended_disconnected_and_imported_ones_do_not(ines, now):
    own = [connect_one(ines, now, f"{number}@acme.example") for number in range(5)]
    make_imported(ines, address="old@acme.example", now=now)
    for state, counts in [("connected", True), ("paused", True), ("failing", True), ("suspended", False),
                          ("disconnected", False)]:  # fmt: skip
        Mailbox.objects.filter(pk=own[0].pk).update(state=state)
        if counts:
            with pytest.raises(LimitReached, match="5 connected mailboxes per person"):
                connect_one(ines, now, "sixth@acme.example")
        else:
            connect_one(ines, now, "sixth@acme.example")
            Mailbox.objects.filter(address="sixth@acme.example").delete()


def test_what_is_shared_with_me_does_not_count(ines, jonas, now):
    for number in range(5):
        Grant.objects.create(
            account=ines.account, employee=jonas, mailbox=connect_one(ines, now, f"{number}@x.example")
        )
    assert connect_one(jonas, now, "own@acme.example")


def test_resuming_a_suspended_mailbox_needs_a_free_place(ines, now):
    own = [connect_one(ines, now, f"{number}@acme.example") for number in range(5)]
    Mailbox.objects.filter(pk=own[0].pk).update(state=MailboxState.SUSPENDED)
    last = connect_one(ines, now, "last@acme.example")
    with pytest.raises(LimitReached):
        resume(own[0], by=ines, now=now)
    pause(last, by=ines)
    with pytest.raises(LimitReached):
        resume(own[0], by=ines, now=now)
    disconnect(last, by=ines)
    resume(own[0], by=ines, now=now)
    assert own[0].state == "connected"


@pytest.mark.parametrize("state", ["connected", "suspended"])
def test_taking_over_beyond_the_limit_is_refused_unless_the_mailbox_counts_for_nobody(ines, jonas, now, state):
    for number in range(5):
        connect_one(jonas, now, f"{number}@acme.example")
    mailbox = connect_one(ines, now)
    Grant.objects.create(account=ines.account, mailbox=mailbox, employee=jonas)
    Mailbox.objects.filter(pk=mailbox.pk).update(state=state)
    if state == "connected":
        with pytest.raises(LimitReached):
            transfer(mailbox, jonas, by=ines, now=now)
        mailbox.refresh_from_db()
        assert mailbox.owner == ines
        assert mailbox.grants.exists()
    else:
        transfer(mailbox, jonas, by=ines, now=now)
        assert mailbox.owner == jonas
        assert not mailbox.grants.exists()
        assert not Mailbox.objects.visible_to(ines).exists()


def test_a_mailbox_goes_to_active_people_of_the_same_company_only(ines, jonas, stranger, now):
    mailbox = connect_one(ines, now)
    Employee.objects.filter(pk=jonas.pk).update(is_active=False, dismissed_at=now)
    for other in (stranger, jonas):
        with pytest.raises(NotPossible):
            transfer(mailbox, other, by=ines, now=now)
    with pytest.raises(NotPossible):
        connect_one(jonas, now, "b@acme.example")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_just_one_takes_the_last_place(ines, now):  # R14
    for number in range(4):
        connect_one(ines, now, f"{number}@acme.example")
    acts = [partial(connect_one, ines, now, f"last{number}@acme.example") for number in range(4)]
    assert refused(at_once(acts, refusal=LimitReached)) == 3
    assert Mailbox.objects.count() == 5


# Going and coming back


def test_pause_and_resume_are_told_and_refused_where_they_make_no_sense(mailbox, ines, now):
    pause(mailbox, by=ines)
    with pytest.raises(NotPossible):
        pause(mailbox, by=ines)
    resume(mailbox, by=ines, now=now)
    with pytest.raises(NotPossible):
        resume(mailbox, by=ines, now=now)
    assert kinds() == ["mailbox.paused", "mailbox.resumed"]


def test_resuming_ends_the_tombstones_of_r9_and_r12_and_no_others(mailbox, account, ines, now):
    for rule in ("R9", "R12", "R29"):
        Tombstone.objects.create(account=account, mailbox=mailbox, blob=rule, rule=rule)
    pause(mailbox, by=ines)
    resume(mailbox, by=ines, now=now)
    assert list(Tombstone.objects.values_list("rule", flat=True)) == ["R29"]


def test_a_new_password_mends_a_failing_mailbox_and_changes_a_working_one(mailbox, ines, now):
    Mailbox.objects.update(state="failing", error_code="auth_failed", error_text="No", error_since=now)
    mend(mailbox, secret={"password": "new"}, by=ines, now=now)
    kept = Mailbox.objects.get()
    assert (kept.state, kept.error_code, kept.error_since, kept.secret) == ("connected", "", None, {"password": "new"})
    mend(mailbox, secret={"password": "newer"}, server=Server("mx.example"), by=ines, now=now)
    kept.refresh_from_db()
    assert (kept.imap_host, kept.secret, kept.state) == ("mx.example", {"password": "newer"}, "connected")


def test_mending_does_not_turn_one_mailbox_into_another_that_is_connected(mailbox, ines, now):
    other = connect_one(ines, now)
    with pytest.raises(AlreadyConnected):
        mend(other, secret={"password": "x"}, server=Server(mailbox.imap_host, imap_user=mailbox.imap_user), by=ines,
             now=now)  # fmt: skip
    other.refresh_from_db()
    assert other.secret == {"password": MARKER}


def test_disconnecting_wipes_the_secret_drops_intentions_and_keeps_the_copies(mailbox, inbox, ines, jonas, now):
    message = letter(inbox, received_at=now)
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas)
    PendingChange.objects.create(account=mailbox.account, mailbox=mailbox, folder=inbox, kind="flags",
                                 placement=message.placements.get())  # fmt: skip
    assert disconnect(mailbox, by=ines) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM mailboxes_mailbox")
        assert cursor.fetchone() == (None,)
    for employee in (ines, jonas):
        assert list(Message.objects.visible_to(employee)) == [message]
    assert not PendingChange.objects.exists()
    assert Event.objects.get().facts == {"dropped": 1, "copies_kept": 1, "why": ""}
    with pytest.raises(NotPossible):
        disconnect(mailbox, by=ines)


def test_copies_that_are_not_kept_are_hidden_at_once_and_removed_piece_by_piece(mailbox, inbox, ines, account, now):
    other = connect_one(ines, now)
    foreign = letter(folder_of(other), received_at=now)
    held = letter(inbox, received_at=now, subject="held")
    holds.add(held, reason="task", reference="task:1", now=now)
    for _ in range(5):
        letter(inbox, received_at=now, body="forty")
    Quarantined.objects.create(account=account, folder=inbox, uidvalidity=1, uid=1, reason="?", blob="q" * 64)
    for blob in ["q" * 64, *Message.objects.filter(mailbox=mailbox).values_list("blob", flat=True)]:
        BlobReference.objects.create(account=account, blob=blob, holder=collect.holder_of(mailbox.pk))
    Grant.objects.create(account=account, mailbox=mailbox)
    disconnect(mailbox, by=ines, keep_copies=False, now=now)
    assert list(Message.objects.visible_to(ines)) == [foreign]
    assert list(Mailbox.objects.visible_to(ines)) == [other]
    assert search.search(ines, "forty", now=now).hits == []
    steps = 0
    while forget.forget_copies(now=now, limit=2):
        steps += 1
        assert steps < 20
    assert set(Message.objects.all()) == {foreign, held}  # R4
    assert not held.placements.exists()
    assert not Folder.objects.filter(mailbox=mailbox).exists()
    assert not Quarantined.objects.exists()
    assert list(BlobReference.objects.values_list("blob", flat=True)) == [held.blob]
    assert not forget.forget_copies(now=now)


def test_disconnecting_writes_nothing_to_a_server(mailbox, inbox, ines, now):
    """P4: there is no intention left that the sync could carry out."""
    letter(inbox, received_at=now)
    disconnect(mailbox, by=ines, keep_copies=False, now=now)
    while forget.forget_copies(now=now):
        pass
    assert not PendingChange.objects.exists()
