"""The settings of a mailbox, and the grid of many: who sees and does what, and what it says."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.accounts.models import Department, Role
from letterdesk.events.models import Event
from letterdesk.mailboxes.models import FolderRole, Grant, Hold, Mailbox, MailboxState
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.plans.models import Subscription
from letterdesk.sync.models import FolderCursor, Lease

from .conftest import raw_letter

pytestmark = pytest.mark.django_db


@pytest.fixture
def page_of(browser, mailbox):
    return lambda client=browser, part="": client.get(f"/mailboxes/{mailbox.public_id}{part}").content.decode()


@pytest.fixture
def post(browser, mailbox):
    return lambda part, client=browser, **form: client.post(f"/mailboxes/{mailbox.public_id}/{part}", form)


# Settings -----------------------------------------------------------------------------------------------------------


def test_name_and_depth_are_kept_and_too_deep_is_refused(post, mailbox):
    """R21"""
    Lease.objects.create(account=mailbox.account, mailbox=mailbox)
    assert post("settings", name="Sales", fetch_days="7").status_code == 302
    mailbox.refresh_from_db()
    assert (mailbox.name, mailbox.fetch_days) == ("Sales", 7)
    assert Lease.objects.get().wanted_at is not None  # the next pass is at once
    answer = post("settings", name="Other", fetch_days="31")
    mailbox.refresh_from_db()
    assert answer.status_code == 409 and "at most" in answer.content.decode()
    assert (mailbox.name, mailbox.fetch_days) == ("Sales", 7)


def test_folders_go_on_and_off_and_have_one_role_each(post, mailbox, inbox, archive, trash):
    keys = {"role_trash": archive.public_id, "role_archive": ""}
    assert post("folders", on=[inbox.public_id, archive.public_id], **keys).status_code == 302
    for folder in (inbox, archive, trash):
        folder.refresh_from_db()
    assert (inbox.is_on, archive.is_on, trash.is_on) == (True, True, False)
    assert (archive.role, archive.role_is_chosen, trash.role) == (FolderRole.TRASH, True, "")
    assert trash.role_is_chosen  # discovery does not give it back
    assert inbox.role == FolderRole.INBOX and not inbox.role_is_chosen
    answer = post("folders", on=inbox.public_id, role_spam=inbox.public_id)
    assert answer.status_code == 422 and "The inbox stays the inbox" in answer.content.decode()


def test_the_inbox_cannot_be_switched_off(post, inbox, archive):
    post("folders")
    inbox.refresh_from_db()
    archive.refresh_from_db()
    assert (inbox.is_on, archive.is_on) == (True, False)


def test_a_page_of_progress_asks_again_only_while_something_is_to_come(browser, mailbox, inbox, now):
    address = f"/mailboxes/{mailbox.public_id}/progress"
    page = browser.get(address)
    assert "every 3s" in page.content.decode() and "The first look at the server" not in page.content.decode()
    FolderCursor.objects.create(account=mailbox.account, folder=inbox, uidvalidity=1, flags_checked_at=now)
    Mailbox.objects.update(first_sync_done_at=now)
    answer = browser.get(address, headers={"HX-Request": "true"})
    assert answer["HX-Reswap"] == "outerHTML"
    assert "hx-trigger" not in answer.content.decode() and "Everything is here" in answer.content.decode()


def test_an_administrator_sees_how_it_is_and_nothing_of_its_letters(account, mailbox, sign_in, deliver, archive):
    deliver(raw_letter("Very secret subject"))
    client = sign_in(employ(account, "Admin", Role.ADMINISTRATOR))
    page = client.get(f"/mailboxes/{mailbox.public_id}").content.decode()
    assert "nothing of its letters" in page and "Pause" in page
    assert "secret" not in page and "Archive" not in page and "/ledger" not in page and "Change the depth" not in page
    assert "secret" not in client.get("/mailboxes").content.decode()
    for part in ("ledger", "where", "progress", "ledger/export"):
        assert client.get(f"/mailboxes/{mailbox.public_id}/{part}").status_code == 404
    assert client.post(f"/mailboxes/{mailbox.public_id}/folders", {}).status_code == 404


def test_a_supervisor_sees_those_of_the_department_and_changes_none(account, ines, mailbox, sign_in):
    boss = employ(account, "Boss", Role.SUPERVISOR, department=Department.objects.create(account=account, name="Sales"))
    client = sign_in(boss)
    assert client.get(f"/mailboxes/{mailbox.public_id}").status_code == 404
    ines.department = boss.department
    ines.save(update_fields=["department"])
    assert client.get(f"/mailboxes/{mailbox.public_id}").status_code == 200
    assert mailbox.address in client.get("/mailboxes").content.decode()
    assert client.post(f"/mailboxes/{mailbox.public_id}/state", {"state": "paused"}).status_code == 404


def test_handing_over_is_told_and_refused_beyond_the_limit(post, mailbox, jonas, account):
    """R14"""
    Subscription.objects.update(plan="start")
    own = Mailbox.objects.create(
        account=account, owner=jonas, address="j@acme.example", name="J", imap_host="x", imap_user="j"
    )
    answer = post("owner", to=jonas.public_id)
    assert answer.status_code == 409 and "1 connected mailbox per person" in answer.content.decode()
    own.delete()
    assert post("owner", to=jonas.public_id)["Location"] == "/mailboxes"  # no longer ours to see
    mailbox.refresh_from_db()
    assert mailbox.owner == jonas
    assert Event.objects.filter(kind="mailbox.transferred", topic=mailbox.topic).count() == 1


def test_the_consequences_are_counted_before_anybody_disconnects(page_of, post, mailbox, deliver, account, jonas):
    letters = deliver(raw_letter("One"), raw_letter("Two"), raw_letter("Three"))
    Hold.objects.create(account=account, message=letters[0], reason="task", reference="task:1")
    letters[0].is_held = True
    letters[0].save(update_fields=["is_held"])
    Grant.objects.create(account=account, mailbox=mailbox, employee=jonas)
    page = page_of(part="/disconnection")
    assert "the copies here: 3 letters" in page and "1 letter is held by a task" in page
    assert "the last on" in page and "keeps it (1 grant)" in page
    assert post("disconnection").status_code == 422
    mailbox.refresh_from_db()
    assert mailbox.state == MailboxState.CONNECTED


@pytest.mark.usefixtures("trust_rig", "allow_loopback")
def test_a_new_password_is_tested_before_it_is_kept(post, mailbox, dovecot):
    user = dovecot.add_user()
    settings = {"imap_host": "localhost", "imap_port": dovecot.tls_port, "imap_security": "tls", "imap_user": user.name}
    answer = post("sign-in", password="wrong", **settings)
    mailbox.refresh_from_db()
    assert answer.status_code == 422 and "user name or password is wrong" in answer.content.decode()
    assert mailbox.secret == {"password": "correct horse"}
    mailbox.state, mailbox.error_code = MailboxState.FAILING, "auth_failed"
    mailbox.save(update_fields=["state", "error_code"])
    assert post("sign-in", password=user.password, **settings).status_code == 302
    mailbox.refresh_from_db()
    assert (mailbox.state, mailbox.secret, mailbox.imap_host) == ("connected", {"password": user.password}, "localhost")


@pytest.mark.case("C22")
@pytest.mark.usefixtures("allow_loopback")
def test_diagnostics_can_be_copied_and_name_nobody(post, page_of, mailbox, dovecot):
    user = dovecot.add_user()
    with dovecot.client(user) as client:
        client.create("Divorce")
    Mailbox.objects.update(imap_host="127.0.0.1", imap_port=dovecot.port, imap_security="none", imap_user=user.name)
    mailbox.refresh_from_db()
    mailbox.secret = {"password": user.password}
    mailbox.save(update_fields=["secret"])
    page = post("diagnostics").content.decode()
    assert "trial ended as expected" in page and "IDLE" in page and "EXAMINE" in page
    assert "‹folder" in page
    report = page.split("<textarea")[1].split("</textarea")[0]
    for private in (user.password, user.name, user.name.partition("@")[0], mailbox.address, "Divorce"):
        assert private not in report


# The grid -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(account, ines):
    """Add so many mailboxes of colleagues, each of them shared."""

    def make(count):
        start = Mailbox.objects.count()
        people = [employ(account, f"P{start + n}") for n in range(count)]
        boxes = Mailbox.objects.bulk_create(
            Mailbox(account=account, owner=owner, address=f"{owner.name}@acme.example", name=owner.name,
                    imap_host=f"h{owner.pk}", imap_user="u", secret={"password": "x"})
            for owner in people
        )  # fmt: skip
        Grant.objects.bulk_create(Grant(account=account, mailbox=box, employee=ines) for box in boxes)

    return make


def test_the_grid_asks_as_much_for_five_mailboxes_as_for_five_hundred(account, mailbox, deliver, sign_in, many):
    client = sign_in(employ(account, "Admin", Role.ADMINISTRATOR))
    deliver(raw_letter("One"))

    def asked(address):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    many(4)
    few = [asked(address) for address in ("/mailboxes", "/mailboxes?sort=-kept", "/mailboxes/export")]
    many(495)
    assert [asked(address) for address in ("/mailboxes", "/mailboxes?sort=-kept", "/mailboxes/export")] == few
    assert few[0] <= 20


def test_the_grid_says_health_and_what_leaves_next(account, mailbox, deliver, browser, now):
    """R9, R18"""
    deliver(raw_letter("One"), raw_letter("Two"), at=now - timedelta(days=28))
    deliver(raw_letter("Three"), at=now)
    Mailbox.objects.update(first_sync_done_at=now, last_synced_at=now)
    page = browser.get("/mailboxes").content.decode()
    assert "ok " in page and " · 2</td>" in page
    Mailbox.objects.update(last_synced_at=now - timedelta(minutes=45))
    assert "lagging 45 min" in browser.get("/mailboxes").content.decode()
    Mailbox.objects.update(error_code="auth_failed", error_since=now, state=MailboxState.FAILING)
    assert "sign-in refused since" in browser.get("/mailboxes").content.decode()
    Mailbox.objects.update(error_code="", state=MailboxState.SUSPENDED)
    assert "paused by plan" in browser.get("/mailboxes").content.decode()
    Mailbox.objects.update(state=MailboxState.CONNECTED, first_sync_done_at=None)
    assert "fetching 0 %" in browser.get("/mailboxes").content.decode()


def test_filters_order_and_columns_stand_in_the_address(account, mailbox, sign_in, many):
    many(3)
    client = sign_in(employ(account, "Admin", Role.ADMINISTRATOR))
    page = client.get("/mailboxes?q=p2").content.decode()
    assert "P2@acme.example" in page and "P1@acme.example" not in page and "1 of 4" in page
    assert "No mailbox fits" in client.get("/mailboxes?health=paused").content.decode()
    page = client.get("/mailboxes?type=shared&sort=-address").content.decode()
    assert page.index("P3@acme.example") < page.index("P1@acme.example") and mailbox.address not in page
    assert 'aria-sort="descending"' in page
    client.get("/mailboxes?columns=chosen&column=health")
    page = client.get("/mailboxes").content.decode()  # remembered on this device
    assert 'data-label="Health"' in page and 'data-label="Owner"' not in page
    assert client.get("/mailboxes?sort=__class__&page=99999999&owner=%00").status_code == 200


def test_several_are_paused_at_once_and_only_those_one_may(account, mailbox, browser, sign_in, many):
    many(2)
    every = list(Mailbox.objects.values_list("public_id", flat=True))
    browser.post("/mailboxes/states", {"mailbox": every, "state": "paused"})
    assert Mailbox.objects.filter(state=MailboxState.PAUSED).get() == mailbox  # the others are only shared with Ines
    client = sign_in(employ(account, "Admin", Role.ADMINISTRATOR))
    answer = client.post("/mailboxes/states", {"mailbox": every, "state": "paused"}, follow=True)
    assert Mailbox.objects.filter(state=MailboxState.PAUSED).count() == 3
    assert "2 mailboxes changed." in answer.content.decode() and "This mailbox is paused" in answer.content.decode()
    client.post("/mailboxes/states", {"mailbox": every, "state": "connected"})
    assert not Mailbox.objects.filter(state=MailboxState.PAUSED).exists()


@pytest.mark.case("C24")
def test_no_cell_of_the_export_is_a_formula(mailbox, browser):
    Mailbox.objects.update(name='=HYPERLINK("http://evil.example")')
    answer = browser.get("/mailboxes/export")
    assert answer["Content-Disposition"].startswith("attachment")
    text = answer.content.decode("utf-8-sig")
    assert "\"'=HYPERLINK(" in text and ",=" not in text and text.startswith("address,name")
