"""Day 31: everything of the account goes, and nothing of another; crashes, holds and second thoughts change that."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.core import mail

from letterdesk.accounts.close import AlreadyClosed, NotClosed, NotThisName, close, reopen
from letterdesk.accounts.models import Account, Employee
from letterdesk.accounts.roles import NotAllowed
from letterdesk.accounts.tests.dump import everything_stored
from letterdesk.events.models import Event
from letterdesk.lib import blobs, crashpoint
from letterdesk.mailboxes.models import Folder, Hold, LegalHold, Mailbox, Message, Quarantined, Receipt, SweepClock
from letterdesk.mailboxes.retention import chain, holds, legal
from letterdesk.sync.claims import claim
from letterdesk.tasks.change import comment
from letterdesk.tasks.create import create
from letterdesk.tasks.files import attach
from letterdesk.tenancy import parcels
from letterdesk.tenancy import purge as purging
from letterdesk.tenancy.purge import Held, NotDue, order, purge, purge_due
from letterdesk.web.tests.conftest import raw_letter

DAY = timedelta(hours=24)
MARK = "zyxmarker"


@pytest.fixture
def marked(things, account, ines, deliver, now):
    """The marker is in a letter, its file, a task, its comment and file, a name, and a parcel; no hold is in force."""
    LegalHold.objects.filter(account=account).update(released_at=now, freed_at=now)
    letter = deliver(raw_letter(MARK, text=MARK, files=[(f"{MARK}.txt", "text/plain", MARK.encode(), "")]))[0]
    task = create(MARK, by=ines, now=now, letters=[letter], description=MARK)
    comment(task, MARK, by=ines, now=now)
    attach(task, MARK.encode(), filename=f"{MARK}.txt", content_type="text/plain", by=ines, now=now)
    Employee.objects.filter(pk=ines.pk).update(name=MARK)
    with parcels.scratch() as file:
        file.write(MARK.encode())
        parcels.keep(account.pk, "parcel.zip", file)
    assert everything_stored().count(MARK) > 5
    return account


def rows_of(account):
    return {
        model.__name__: model._base_manager.filter(account=account.pk).count()
        for model in order()
        if model._base_manager.filter(account=account.pk).exists()
    }


@pytest.mark.case("F13", "F17")
def test_after_day_31_no_marker_is_found_anywhere(marked, boss, blobs_folder, now, monkeypatch):
    monkeypatch.setattr(purging, "AT_ONCE", 3)
    close(marked, typed="acme", by=boss, now=now)
    assert purge_due(now=now + 30 * DAY - timedelta(seconds=1)) == 0
    assert purge_due(now=now + 30 * DAY) == 1
    assert MARK not in everything_stored()
    assert not [file for file in blobs_folder.rglob("*") if file.is_file() and file.suffix in {".zst", ".zip"}]
    assert rows_of(marked) == {"Event": 1}
    shell = Account.objects.get(pk=marked.pk)
    assert (shell.name, shell.purged_at) == ("", now + 30 * DAY)
    event = Event.objects.get(account=marked)
    assert event.kind == "account.purged" and event.facts["letters"] == 2
    assert [receipt.rule for receipt in Receipt.objects.filter(account=marked)] == ["account"]
    assert chain.verify(shell) == []
    assert purge_due(now=now + 31 * DAY) == 0


@pytest.mark.case("F10", "F14")
def test_nothing_of_another_account_is_touched(marked, boss, stranger, now):
    other = stranger.account
    (blob,) = blobs.put_many(other.pk, [b"theirs"])
    task = create("Theirs", by=stranger, now=now)
    before = rows_of(other)
    close(marked, typed="Acme", by=boss, now=now)
    purge(marked, now=now + 30 * DAY)
    assert rows_of(other) == before
    assert blobs.get(other.pk, blob) == b"theirs"
    task.refresh_from_db()
    with pytest.raises(NotDue):
        purge(other, now=now + 300 * DAY)


@pytest.mark.case("F12")
@pytest.mark.parametrize("point", ["account_purge.piece", "account_purge.round", "account_purge.before_end"])
def test_a_crash_leaves_whole_pieces_and_the_next_run_does_the_rest(marked, boss, now, point, monkeypatch):
    close(marked, typed="Acme", by=boss, now=now)
    died = []

    def die(name):
        if name == point and not died:
            died.append(name)
            raise KeyboardInterrupt

    monkeypatch.setattr(purging, "reach", die)
    with pytest.raises(KeyboardInterrupt):
        purge(marked, now=now + 30 * DAY)
    with pytest.raises(NotClosed):
        reopen(Account.objects.get(pk=marked.pk), by=None)
    assert purge_due(now=now + 30 * DAY) == 1
    assert MARK not in everything_stored()
    assert chain.verify(marked) == []
    crashpoint.disarm()


@pytest.mark.case("F05")
def test_a_legal_hold_wins_over_the_deletion_of_the_account(marked, boss, now):
    letter = Message.objects.filter(account=marked).first()
    holds.add(letter, reason="legal", reference="matter:1", now=now)
    close(marked, typed="Acme", by=boss, now=now)
    before = rows_of(marked)
    with pytest.raises(Held):
        purge(marked, now=now + 30 * DAY)
    assert purge_due(now=now + 30 * DAY) == 0 and rows_of(marked) == before
    reopen(marked, by=boss)  # nothing had begun
    close(marked, typed="Acme", by=boss, now=now)
    holds.release(letter, reason="legal", reference="matter:1")
    assert purge_due(now=now + 30 * DAY) == 1


@pytest.mark.case("F05")
def test_a_legal_hold_on_what_nobody_could_read_wins_too(marked, boss, now):
    folder = Folder.objects.filter(account=marked).first()
    Quarantined.objects.create(account=marked, folder=folder, uidvalidity=1, uid=900, reason="x", blob="a" * 64)
    legal.place(marked, reason="Case 7", by=None, now=now)
    Hold.objects.filter(reason="legal").delete()  # as if no letter but this one were there
    close(marked, typed="Acme", by=boss, now=now)
    with pytest.raises(Held):
        purge(marked, now=now + 30 * DAY)
    assert Quarantined.objects.filter(uid=900).exists()


@pytest.mark.case("F07")
def test_a_legal_hold_that_is_set_in_the_middle_stops_the_purge(marked, boss, now, monkeypatch):
    close(marked, typed="Acme", by=boss, now=now)
    letter = Message.objects.filter(account=marked).first()
    monkeypatch.setattr(purging, "reach", lambda name: set_once())

    def set_once():
        monkeypatch.setattr(purging, "reach", lambda name: None)
        holds.add(letter, reason="legal", reference="matter:1", now=now)

    with pytest.raises(Held):
        purge(marked, now=now + 30 * DAY)
    assert Message.objects.filter(pk=letter.pk).exists()
    assert blobs.exists(marked.pk, letter.blob)


def test_a_jumping_clock_purges_nothing(marked, boss, now):
    """F11"""
    close(marked, typed="Acme", by=boss, now=now)
    SweepClock.objects.create(pk=1, seen_at=now)
    assert purge_due(now=now + 300 * DAY) == 0


@pytest.mark.case("F17")
def test_a_deletion_is_taken_back_and_nothing_is_kept_in_step_meanwhile(account, boss, mailbox, jonas, stranger, now):
    with pytest.raises(NotThisName):
        close(account, typed="Acne", by=boss, now=now)
    for other in (jonas, stranger):
        with pytest.raises(NotAllowed):
            close(account, typed="Acme", by=other, now=now)
    close(account, typed=" acme ", by=boss, now=now)
    with pytest.raises(AlreadyClosed):
        close(account, typed="Acme", by=boss, now=now)
    assert claim("a", limit=10, seconds=30) == {}
    assert not mail.outbox
    reopen(account, by=boss)
    assert set(claim("a", limit=10, seconds=30)) == {mailbox.pk}
    with pytest.raises(NotClosed):
        reopen(account, by=boss)
    assert [event.kind for event in Event.objects.filter(kind__startswith="account.").order_by("pk")] == [
        "account.closed",
        "account.reopened",
    ]
    assert Mailbox.objects.get(pk=mailbox.pk).secret  # all is as it was


def test_every_table_that_names_an_account_has_its_turn_after_what_points_to_it():
    names = [model.__name__ for model in order()]
    for child, parent in (
        ("Placement", "Message"),
        ("Hold", "Message"),
        ("Message", "Mailbox"),
        ("Mailbox", "Employee"),
    ):
        assert names.index(child) < names.index(parent)
    ours = {model.__name__ for model in apps.get_models() if model._meta.app_config.name.startswith("letterdesk.")}
    accountless = {"Account", "CacheEntry", "SweepClock", "SyncProcess"}
    assert ours - set(names) == {*accountless, "Receipt", "ReceiptCheck", "SearchText", "RemovedWords"}
