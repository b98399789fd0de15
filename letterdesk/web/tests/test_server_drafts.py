"""Drafts of the mail server in the browser: one begun elsewhere is gone on with, one removed elsewhere says so."""

import pytest
from django.utils import timezone

from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.models import Folder, FolderRole, Grant, Mailbox, PendingChange, Placement
from letterdesk.outbound import drafts, take_in
from letterdesk.outbound.models import Draft, DraftCopy
from letterdesk.outbound.take_in import adopt
from letterdesk.web.tests.conftest import raw_letter


@pytest.fixture(autouse=True)
def sends(mailbox):
    mailbox.smtp_host = "smtp.acme.example"
    mailbox.save(update_fields=["smtp_host"])


@pytest.fixture
def begun_elsewhere(mailbox, deliver):
    """A letter in the folder of drafts that another program wrote."""
    letter = deliver(raw_letter("Begun elsewhere", text="As far as I came"))[0]
    folder = Folder.objects.create(
        account=mailbox.account,
        mailbox=mailbox,
        name="Drafts",
        wire_name="Drafts",
        role=FolderRole.DRAFTS,
        uidvalidity=1,
    )
    Placement.objects.filter(message=letter).update(folder=folder)
    return letter


def test_a_draft_of_another_program_is_gone_on_with_here(browser, begun_elsewhere):
    answer = browser.post(f"/messages/{begun_elsewhere.public_id}/draft")
    made = Draft.objects.get()
    assert answer["Location"] == f"/drafts/{made.public_id}"
    assert made.subject == "Begun elsewhere" and "As far as I came" in made.body_text
    browser.post(f"/messages/{begun_elsewhere.public_id}/draft")
    assert Draft.objects.count() == 1, "opened twice, it is the same draft"


def test_discarded_it_can_be_gone_on_with_again(browser, begun_elsewhere, mailbox):
    """R27: its owner's discarding puts it into Trash; a colleague's, who may not, leaves it where it is."""
    for _time in range(2):
        where = browser.post(f"/messages/{begun_elsewhere.public_id}/draft")["Location"]
        assert where.startswith("/drafts/")
        browser.post(f"{where}/discarding")
        drafts.remove_discarded(now=timezone.now() + drafts.RESTORABLE)
    assert not Draft.objects.exists()
    assert Placement.objects.filter(message=begun_elsewhere, folder__role=FolderRole.TRASH).exists()
    assert set(PendingChange.objects.values_list("kind", flat=True)) <= {PendingChange.Kind.MOVE}


def test_who_may_not_delete_leaves_it_where_it_is(begun_elsewhere, mailbox, jonas, sign_in):
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas, may_reply=True)
    for _time in range(2):
        where = sign_in(jonas).post(f"/messages/{begun_elsewhere.public_id}/draft")["Location"]
        sign_in(jonas).post(f"{where}/discarding")
        drafts.remove_discarded(now=timezone.now() + drafts.RESTORABLE)
    assert not Draft.objects.exists() and not PendingChange.objects.exists()
    assert Placement.objects.get(message=begun_elsewhere).folder.role == FolderRole.DRAFTS


def test_a_letter_that_is_no_draft_is_not_taken_up(browser, deliver):
    letter = deliver(raw_letter("Offer", text="x"))[0]
    assert browser.post(f"/messages/{letter.public_id}/draft").status_code == 404


def test_whoever_reads_that_folder_and_may_answer_goes_on_with_it(begun_elsewhere, mailbox, ines, jonas, sign_in):
    taken = adopt(begun_elsewhere, by=ines, now=timezone.now())
    assert sign_in(jonas).get(f"/drafts/{taken.public_id}").status_code == 404
    grant = Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas, may_reply=False)
    assert sign_in(jonas).post(f"/messages/{begun_elsewhere.public_id}/draft").status_code == 404, "reading alone"
    Grant.objects.filter(pk=grant.pk).update(may_reply=True)
    drafts.leave(taken, by=ines)
    answer = sign_in(jonas).post(f"/messages/{begun_elsewhere.public_id}/draft")
    assert answer["Location"] == f"/drafts/{taken.public_id}"
    page = sign_in(jonas).get(f"/drafts/{taken.public_id}")
    assert page.status_code == 200


def test_a_colleague_who_writes_is_named_and_can_be_taken_over(begun_elsewhere, mailbox, ines, jonas, sign_in):
    taken = adopt(begun_elsewhere, by=ines, now=timezone.now())
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas, may_reply=True)
    page = sign_in(jonas).get(f"/drafts/{taken.public_id}").content.decode()
    assert f"{ines.name} is writing in this draft" in page
    sign_in(jonas).post(f"/drafts/{taken.public_id}/writer")
    taken.refresh_from_db()
    assert taken.writer == jonas
    assert f"{jonas.name} is writing" in sign_in(ines).get(f"/drafts/{taken.public_id}").content.decode()


def test_a_copy_that_another_program_removed_is_named_and_put_back(browser, begun_elsewhere, ines):
    taken = adopt(begun_elsewhere, by=ines, now=timezone.now())
    DraftCopy.objects.update(gone_at=timezone.now())
    assert "removed on the mail server" in browser.get("/drafts").content.decode()
    assert "Put it back there" in browser.get(f"/drafts/{taken.public_id}").content.decode()
    browser.post(f"/drafts/{taken.public_id}/storing")
    assert "Put it back there" not in browser.get(f"/drafts/{taken.public_id}").content.decode()
    assert "removed on the mail server" not in browser.get("/drafts").content.decode()


def test_the_letter_offers_to_go_on(browser, begun_elsewhere):
    place = Placement.objects.select_related("folder", "conversation").get(message=begun_elsewhere)
    page = browser.get(f"/mail/{place.folder.public_id}/{place.conversation.public_id}").content.decode()
    assert "Go on writing" in page and f"/messages/{begun_elsewhere.public_id}/draft" in page


def test_a_private_draft_is_read_by_nobody_from_the_moment_of_sharing(
    browser, begun_elsewhere, mailbox, ines, jonas, sign_in
):
    """Its copy is hidden in the transaction that gives the access; the server's goes with the next round."""
    taken = adopt(begun_elsewhere, by=ines, now=timezone.now())
    Draft.objects.filter(pk=taken.pk).update(is_teams=False)
    DraftCopy.objects.update(is_foreign=False)
    place = Placement.objects.select_related("folder", "conversation").get(message=begun_elsewhere)
    browser.post(f"/mailboxes/{mailbox.public_id}/grants", {"to": f"employee:{jonas.public_id}", "may_reply": "on"})
    assert Grant.objects.filter(employee=jonas).exists()
    page = sign_in(jonas).get(f"/mail/{place.folder.public_id}/{place.conversation.public_id}")
    assert "As far as I came" not in page.content.decode()
    assert "Begun elsewhere" not in sign_in(jonas).get(f"/mail/{place.folder.public_id}").content.decode()
    assert PendingChange.objects.get().detail["old"] and Draft.objects.filter(pk=taken.pk).exists()


def test_a_busy_mailbox_keeps_no_other_from_being_looked_at(begun_elsewhere, mailbox, deliver, ines, monkeypatch):
    monkeypatch.setattr(take_in, "MOST", 1)
    other = Mailbox.objects.get(pk=mailbox.pk)
    other.pk, other.public_id, other.address = None, new_public_id(), "sales@acme.example"
    other.imap_user = other.address
    other.save(force_insert=True)
    folder = Folder.objects.create(
        account=other.account, mailbox=other, name="D", wire_name="D", role=FolderRole.DRAFTS, uidvalidity=1
    )
    [theirs] = deliver(raw_letter("There", text="x"), folder=folder)
    for letter in (begun_elsewhere, theirs):
        adopt(letter, by=ines, now=timezone.now())
    Placement.objects.all().delete()
    assert take_in.look_at_copies(now=timezone.now()) == 2
    assert DraftCopy.objects.exclude(gone_at=None).count() == 2
