"""Letters beside Webmail that ask a person whose they are: the bell says so to whom they ask, while they do."""

import pytest
from django.utils import timezone

from letterdesk.crm.linking import asked
from letterdesk.crm.sendsave import addresses as sendsave
from letterdesk.events.record import record
from letterdesk.intake.jobs import take
from letterdesk.intake.keep import keep
from letterdesk.intake.models import FAILED_TRIES, Arrived, State
from letterdesk.lib.blobs import BlobMissing
from letterdesk.mail.inbound import Inbound
from letterdesk.mail.smtpd import Handed
from letterdesk.notifications.lines import lines_of, unseen_count
from letterdesk.notifications.seen import see_all

CRM = "/crm/asked"


@pytest.fixture(autouse=True)
def house(settings):
    settings.INBOUND = Inbound("in.acme.example", "127.0.0.1", 0)
    settings.JOBS_URL = "memory://"


@pytest.fixture
def forward(ines):
    """A forward of Ines to an address, in which nobody can be read: it asks."""

    def forwarded(address, subject="Offer"):
        known = set(Arrived.objects.values_list("pk", flat=True))
        raw = f"From: {ines.email}\r\nTo: {address.address}\r\nSubject: Fwd: {subject}\r\n\r\nSee below\r\n".encode()
        keep([Handed(ines.email, (address.address,), raw, "192.0.2.1")], now=timezone.now())
        row = Arrived.objects.exclude(pk__in=known).get()
        take.now(row.pk)
        row.refresh_from_db()
        assert row.state == State.ASKED
        return row

    return forwarded


def asks(told, employee):
    return [title for kind, title, _detail in told(employee, seen_at=None) if kind == "asked"]


def test_a_letter_at_ones_own_address_asks_its_owner_alone(told, forward, people, browser, ines, now):
    address = sendsave.make(by=ines, of_account=False, now=now)
    first = forward(address)
    assert asks(told, ines) == ["A letter for CRM waits for you to say whose it is"]
    assert all(asks(told, people[each]) == [] for each in ("reader", "mate", "administrator", "stranger"))
    [line] = [line for line in lines_of(ines, timezone.now()) if line.kind == "asked"]
    assert (line.address, unseen_count(ines, timezone.now())) == (CRM, 1)
    page = browser.get("/crm/contacts").content.decode()
    assert '<b class="badge">1<span class="sr"> waiting for your word</span></b>' in page
    second = forward(address, "Other")
    assert asks(told, ines) == ["Letters for CRM wait for you to say whose they are"]
    asked.drop(first, by=ines, now=now)
    assert len(asks(told, ines)) == 1
    asked.drop(second, by=ines, now=now)
    assert asks(told, ines) == [] and 'badge">1<span' not in browser.get("/crm/contacts").content.decode()


def test_one_at_the_companys_address_asks_those_who_see_all_of_crm(told, forward, people, ines, now):
    boss = people["administrator"]
    row = forward(sendsave.make(by=boss, of_account=True, now=now))
    assert len(asks(told, boss)) == 1 and asks(told, ines) == asks(told, people["mate"]) == []
    assert [each.pk for each in asked.people_asked(row)] == [boss.pk]
    asked.answer(row, by=boss, now=now, sender="Amara <amara@okafor.example>")
    assert asks(told, boss) == []


def test_one_that_cannot_be_read_asks_as_well_and_a_guests_letter_does_not(told, things, people, ines, now):
    row = Arrived.objects.get(public_id=things.arrived_id)
    Arrived.objects.filter(pk=row.pk).update(state=State.UNREADABLE)
    record("arrived.unreadable", account=row.account, subject=row.holder)
    record("arrived.unreadable", account=row.account, subject=row.holder)
    guests = Arrived.objects.get(public_id=things.guest_letter_id)
    record("arrived.unreadable", account=row.account, subject=guests.holder)
    assert len(asks(told, ines)) == 1 and asks(told, people["administrator"]) == []


def test_what_waits_no_more_when_it_is_handed_on_is_not_told(told, things, ines):
    row = Arrived.objects.get(public_id=things.arrived_id)
    record("sendsave.asked", account=row.account, subject=row.holder)
    Arrived.objects.filter(pk=row.pk).update(state=State.LEFT_OUT)
    assert asks(told, ines) == []


def test_one_at_which_looking_fails_again_and_again_is_told_once(told, forward, blobs_folder, ines, now):
    row = forward(sendsave.make(by=ines, of_account=False, now=now))
    told(ines)
    see_all(ines, now=timezone.now())
    [copy] = blobs_folder.rglob(f"{row.blob}*")
    copy.unlink()
    for tries in range(FAILED_TRIES + 2):
        Arrived.objects.filter(pk=row.pk).update(state=State.WAITING, due_at=now, tries=tries)
        with pytest.raises(BlobMissing):
            take.now(row.pk)
        assert asks(told, ines) == ([] if tries < FAILED_TRIES else ["A letter for CRM cannot be read"])
