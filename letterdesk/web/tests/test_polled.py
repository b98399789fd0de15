"""A mailbox polled for CRM alone, in an administrator's browser (R30)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from letterdesk.crm.models import Activity, PolledFolder, PolledLetter, PolledMailbox, Record
from letterdesk.crm.polled.claim import next_due
from letterdesk.crm.polled.turn import take_turn
from letterdesk.events.dispatch import dispatch
from letterdesk.mailboxes.models import Message
from letterdesk.notifications.models import Notification
from letterdesk.plans.models import Subscription
from letterdesk.web.crm.polled_form import connected
from letterdesk.web.tests.test_records import text_of
from tests.rig.boxes import letter

pytestmark = [
    pytest.mark.dovecot,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("allow_loopback", "blobs_folder"),
]
PAGE = "/settings/sendsave/mailboxes"


@pytest.fixture
def administrator(people, sign_in, account, settings):
    settings.JOBS_URL = "memory://"
    Subscription.objects.filter(account=account).update(plan="free")
    return sign_in(people["administrator"])


@pytest.fixture
def user(dovecot):
    return dovecot.add_user()


@pytest.fixture
def form(dovecot, user):
    server = {"host": dovecot.host, "port": dovecot.port, "security": "none", "user": user.name}
    return {"address": "sales@acme.example", "password": user.password, "unknown_incoming": "lead", **server}


def look_at_what_is_due():
    """As the sync process does."""
    busy: list[int] = []
    while found := next_due(timezone.now(), busy=busy):
        busy.append(found.mailbox)
        take_turn(found.mailbox, now=timezone.now())


def test_from_connecting_to_leaving(administrator, browser, form, dovecot, user, people):
    assert "Mailboxes for CRM alone" in text_of(administrator.get("/settings/sendsave"))
    assert "Mailboxes for CRM alone" not in text_of(browser.get("/settings/sendsave"))
    before = Message.objects.count()
    page = administrator.post(PAGE, form, follow=True)
    assert "is connected. What comes from now on goes to CRM" in text_of(page)
    made = PolledMailbox.objects.get()
    here = f"{PAGE}/{made.public_id}"
    dovecot.deliver(user, letter(1, From="Amara <amara@okafor.example>"))
    administrator.post(here, {"change": "look"})
    look_at_what_is_due()
    assert (Activity.objects.get().subject, Message.objects.count()) == ("Letter 1", before)
    assert Record.objects.filter(kind="lead").count() == 1
    saving = {"change": "saving", "unknown_incoming": "contact", "responsible": [people["owner"].public_id]}
    assert "Saved." in text_of(administrator.post(here, saving, follow=True))
    dovecot.deliver(user, letter(2, From="Zoe <zoe@z.example>"))
    administrator.post(here, {"change": "look"})
    look_at_what_is_due()
    zoe = Record.objects.get(addresses__key="zoe@z.example")
    assert (zoe.kind, zoe.responsible, zoe.came_from) == ("contact", people["owner"], "sales@acme.example")
    archive = PolledFolder.objects.get(name="Archive")
    administrator.post(here, {"change": "folders", "folder": [str(archive.pk)]})
    assert list(PolledFolder.objects.filter(is_on=True)) == [archive]
    older = {"change": "older", "older": "since", "since": "2026-01-31", "makes": "yes"}
    assert "Saved." in text_of(administrator.post(here, older, follow=True))
    assert 'value="2026-01-31"' in administrator.get(here).content.decode()
    wrong = administrator.post(here, {**older, "since": "x"}, follow=True)
    assert "Choose the day" in text_of(wrong)
    assert "Paused" in text_of(administrator.post(here, {"change": "pause"}, follow=True))
    assert "looked at again" in text_of(administrator.post(here, {"change": "resume"}, follow=True))
    assert "is disconnected" in text_of(administrator.post(here, {"change": "disconnect"}, follow=True))
    assert administrator.get(here).status_code == 404


def test_the_test_is_seen_step_by_step_and_the_password_never(administrator, form, dovecot):
    answer = administrator.post(PAGE, {**form, "password": "pa55-wrong"})
    told = text_of(answer)
    assert answer.status_code == 422 and "The test did not pass" in told and "Check user name and password" in told
    assert f'value="{dovecot.host}"' in answer.content.decode() and "pa55-wrong" not in answer.content.decode()
    assert '<option value="lead" selected>' in answer.content.decode()  # what was chosen stays chosen
    assert "Name the server" in text_of(administrator.post(PAGE, {**form, "port": "x"}))
    assert "is no e-mail address" in text_of(administrator.post(PAGE, {**form, "address": "nobody"}))
    assert "Choose the day" in text_of(administrator.post(PAGE, {**form, "older": "since"}))
    assert not PolledMailbox.objects.exists()


def test_a_failing_server_is_named_told_and_mended(administrator, people, form):
    administrator.post(PAGE, form)
    made = PolledMailbox.objects.get()
    here = f"{PAGE}/{made.public_id}"
    PolledMailbox.objects.update(secret={"password": "changed"})
    administrator.post(here, {"change": "look"})
    look_at_what_is_due()
    page = text_of(administrator.get(here))
    assert "Needs you" in page and "user name or password is wrong" in page
    assert "Needs you" in text_of(administrator.get(PAGE))
    dispatch(timezone.now())
    line = Notification.objects.get(kind="polled")
    assert line.employee == people["administrator"]
    assert f"{made} cannot be read for CRM until somebody mends" in text_of(administrator.get("/notifications"))
    assert administrator.get(f"/notifications/{line.pk}")["Location"] == here
    told = text_of(administrator.post(f"{here}/server", {**form, "password": "wrong"}, follow=True))
    assert "Not saved." in told
    told = text_of(administrator.post(f"{here}/server", form, follow=True))
    assert "The server lets us in. Saved." in told and "Needs you" not in told
    dispatch(timezone.now())
    assert not Notification.objects.filter(kind="polled", seen_at=None).exists()


def test_what_the_server_did_not_hand_over_is_listed(administrator, form, django_assert_max_num_queries):
    administrator.post(PAGE, form)
    made = PolledMailbox.objects.get()
    folder = PolledFolder.objects.get(name="INBOX")
    for uid in range(900, 903):
        PolledLetter.objects.create(
            account=made.account, mailbox=made, folder=folder, key=str(uid), uid=uid, received_at=timezone.now(),
            trouble="too_large", size=60_000_000,
        )  # fmt: skip
    here = f"{PAGE}/{made.public_id}"
    with django_assert_max_num_queries(14):
        page = text_of(administrator.get(here))
    assert "Letters that are not here" in page and "Larger than what is taken" in page
    administrator.post(f"{here}/letters/{PolledLetter.objects.first().public_id}")
    look_at_what_is_due()
    assert PolledLetter.objects.exclude(trouble="").count() == 2  # the server has no such letter any more


def test_the_day_from_which_older_letters_come_is_the_account_s_whoever_looks(administrator, people, account, now):
    """Two administrators in two zones see one day, and saving what is there changes nothing."""
    account.time_zone = "Pacific/Auckland"
    account.save(update_fields=["time_zone"])
    made = PolledMailbox.objects.create(account=account, address="sales@acme.example", made_at=now)
    here, begins = f"{PAGE}/{made.public_id}", datetime(2026, 1, 30, 11, 0, tzinfo=UTC)
    for zone in ("America/Los_Angeles", "Pacific/Auckland", "Europe/Berlin"):
        people["administrator"].time_zone = zone
        people["administrator"].save(update_fields=["time_zone"])
        administrator.post(here, {"change": "older", "older": "since", "since": "2026-01-31"})
        assert PolledMailbox.objects.get().older_since == begins
        assert 'value="2026-01-31"' in administrator.get(here).content.decode()
        assert connected(PolledMailbox.objects.get()) == (
            "sales@acme.example is connected. What came since 31 Jan 2026 goes to CRM, and what comes from now on."
        )


def test_the_page_says_that_nobody_looks(administrator, account):
    made = PolledMailbox.objects.create(account=account, address="sales@acme.example")
    for hours, is_said in ((0, False), (1, True)):
        PolledMailbox.objects.update(due_at=timezone.now() - timedelta(hours=hours))
        page = text_of(administrator.get(f"{PAGE}/{made.public_id}"))
        assert ("Nobody has looked at it since" in page) is is_said
