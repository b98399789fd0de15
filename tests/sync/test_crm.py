"""R5–R8, R10, R13, R27 and R28 against a real server: CRM keeps its copy, and the server hears nothing of it."""

from datetime import timedelta

import pytest

from letterdesk.crm.activities.reading import raw
from letterdesk.crm.linking.link import link_new
from letterdesk.crm.models import Activity, Kind, LetterCopy, Record, Unknown
from letterdesk.crm.records.create import create
from letterdesk.crm.records.fields import Fields
from letterdesk.crm.saving import change_saving
from letterdesk.events.dispatch import dispatch
from letterdesk.mailboxes.collect import collect
from letterdesk.mailboxes.follow import follow
from letterdesk.mailboxes.models import Mailbox, MailboxState, Message
from letterdesk.mailboxes.retention.sweep import sweep
from letterdesk.plans.change import change_plan
from tests.rig.acting import throw_away
from tests.rig.boxes import letter
from tests.rig.oracle import destroyed
from tests.rig.world import make_account

from .test_tasks import written

DAY, HOUR = timedelta(hours=24), timedelta(hours=1)
pytestmark = pytest.mark.dovecot


@pytest.fixture
def copy(connected, dovecot, settings):
    """A mailbox on the plan Standard that makes leads; a client is known, and a letter of hers lies there."""
    settings.CATALOGUE = "commercial"
    copy = connected(dovecot, account=make_account(plan="standard"))
    owner = copy.mailbox.owner
    create(Kind.CONTACT, Fields("Amara", owner, addresses=("amara@okafor.example",)), by=owner, now=copy.now)
    leads = {"unknown_incoming": Unknown.LEAD, "unknown_outgoing": Unknown.LEAD}
    change_saving(copy.mailbox, by=owner, known=True, **leads)
    copy.deliver([of_amara(1), letter(2)], date=copy.now - 29 * DAY)
    settle(copy)
    return copy


def of_amara(number):
    return letter(number, From="Amara Okafor <amara@okafor.example>")


def settle(copy):
    report = copy.settle()
    copy.mailbox.refresh_from_db()
    link_new(copy.mailbox, now=copy.now)
    return report


def subjects():
    return sorted(Activity.objects.values_list("subject", flat=True))


def leads():
    return list(Record.objects.filter(kind=Kind.LEAD).values_list("name", flat=True))


def collected(copy):
    while collect(now=copy.now + DAY):
        pass


def test_what_lay_there_is_linked_and_makes_no_lead_what_comes_does(copy, dovecot):  # R5, R28
    assert (subjects(), leads()) == (["Letter 1"], [])
    copy.deliver([of_amara(3), letter(4)])
    settle(copy)
    assert (subjects(), leads()) == (["Letter 1", "Letter 3", "Letter 4"], ["Ines Ortega"])
    copy.agrees_and_stays()
    assert written(copy, dovecot) == {}


def test_after_the_period_it_leaves_webmail_and_is_read_at_crm(copy, dovecot):  # R7, R8, R10
    before = copy.truth()
    for _ in range(3):
        sweep(now=copy.now)
        copy.later += timedelta(hours=10)
    assert sweep(now=copy.now) == 2
    collected(copy)
    settle(copy)
    assert not Message.objects.exists()
    assert raw(Activity.objects.get()).replace(b"\r\n", b"\n") == of_amara(1).replace(b"\r\n", b"\n")
    assert copy.truth() == before
    assert destroyed(dovecot.commands(copy.user)) == {}


def test_deleted_in_webmail_and_by_another_program_the_activity_stays(copy, dovecot):  # R8, R27
    copy.deliver([of_amara(3)])
    settle(copy)
    throw_away(copy, 1)
    dovecot.doveadm("expunge", "mailbox", "INBOX", "subject", "Letter 3", user=copy.user)
    settle(copy)
    copy.later += DAY
    settle(copy)
    collected(copy)
    assert subjects() == ["Letter 1", "Letter 3"]
    assert all(raw(activity) for activity in Activity.objects.all())


def test_a_new_uidvalidity_changes_nothing_at_crm(copy, dovecot):
    dovecot.doveadm("mailbox", "update", "--uid-validity", "777", "INBOX", user=copy.user)
    settle(copy)
    assert (subjects(), leads(), LetterCopy.objects.count()) == (["Letter 1"], [], 1)
    assert Message.objects.filter(in_crm=True).count() == 1


def test_after_a_time_without_webmail_letters_join_their_activities_and_act_on_nothing(copy, dovecot):  # R12, R13, R28
    account = copy.mailbox.account
    change_plan(account, "free", by=None, now=copy.now - 2 * HOUR)
    assert follow(now=copy.now) == 2
    assert not Message.objects.exists()
    assert subjects() == ["Letter 1"]
    copy.deliver([of_amara(5), letter(6)], date=copy.now - 1.5 * HOUR)  # while there is no Webmail
    change_plan(account, "standard", by=None, now=copy.now - HOUR)
    follow(now=copy.now)
    dispatch(copy.now)
    assert Mailbox.objects.get().state == MailboxState.CONNECTED
    settle(copy)
    assert leads() == []
    assert subjects() == ["Letter 1", "Letter 5"]
    assert Message.objects.filter(in_crm=True).count() == 2
    copy.deliver([letter(7)])
    settle(copy)
    assert leads() == ["Ines Ortega"]
