"""Letters that another program wrote into the folder of drafts: gone on with here, and never removed for good (R26)."""

from datetime import timedelta

import pytest

from letterdesk.accounts.models import Employee
from letterdesk.mail.parse import parse_letter
from letterdesk.mailboxes.models import Grant, Message, PendingChange
from letterdesk.outbound import drafts
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.keep_copies import QUIET, keep_copies
from letterdesk.outbound.models import Draft, DraftCopy
from letterdesk.outbound.send import send
from letterdesk.outbound.take_in import adopt, gone_at, look_at_copies
from letterdesk.outbound.tests.sending import throw_away
from tests.rig.boxes import letter
from tests.rig.sink import Sink
from tests.sync.drafting import edit_there, on_server, round_of, texts, write


@pytest.fixture
def taken_up(writing):
    """A draft that was begun in another program and is gone on with here."""
    copy, draft = writing()
    throw_away(draft, by=copy.mailbox.owner, now=copy.now)
    theirs = begun_elsewhere(copy, "Begun elsewhere")
    return copy, adopt(theirs, by=copy.mailbox.owner, now=copy.now)


def begun_elsewhere(copy, subject, **headers):
    if "Drafts" not in copy.server.boxes:
        copy.server.boxes.make("Drafts", "\\Drafts")
    copy.server.boxes["Drafts"].add(letter(len(subject), Subject=subject, **headers), flags={"\\Draft"})
    copy.settle()
    return Message.objects.get(subject=subject)


def subjects(copy, box):
    return [parse_letter(each.raw).subject for each in copy.server.boxes[box].letters]


def colleague(copy, **rights):
    """Jonas, who may write in the mailbox, and whatever is said."""
    jonas = Employee.objects.create(account=copy.mailbox.account, email="jonas@acme.example", name="Jonas")
    Grant.objects.create(account=jonas.account, mailbox=copy.mailbox, employee=jonas, may_reply=True, **rights)
    return jonas


def test_what_another_program_began_goes_to_trash_and_not_away(taken_up):
    """R27: as any letter that its owner deletes."""
    copy, draft = taken_up
    throw_away(draft, by=copy.mailbox.owner, now=copy.now)
    round_of(copy)
    assert not on_server(copy) and subjects(copy, "Trash") == ["Begun elsewhere"]
    copy.agrees_and_stays()


def test_it_goes_to_trash_once_ours_takes_its_place(taken_up):
    copy, draft = taken_up
    write(copy, draft, "And ended here")
    round_of(copy)
    assert texts(copy) == ["And ended here"] and subjects(copy, "Trash") == ["Begun elsewhere"]


def test_it_goes_to_trash_once_it_was_sent_from_here(taken_up):
    """R27: whoever sent it may delete there."""
    copy, draft = taken_up
    with Sink() as sink:
        sink.reach(copy.mailbox)
        send(draft, by=copy.mailbox.owner, seen=draft.version, now=copy.now)
        copy.later += timedelta(seconds=20)
        deliver(now=copy.now, patience=1)
    round_of(copy)
    assert not on_server(copy) and subjects(copy, "Trash") == subjects(copy, "Sent") == ["Begun elsewhere"]


@pytest.mark.parametrize("may_delete", [False, True])
def test_who_may_not_delete_on_the_server_removes_nothing_there(taken_up, may_delete):
    """R26, R27: whether it is discarded or written on."""
    copy, draft = taken_up
    jonas = colleague(copy, may_delete_on_server=may_delete)
    drafts.take(draft, by=jonas, now=copy.now, over=True)
    draft = drafts.save(draft, by=jonas, seen=draft.version, now=copy.now, body_text="By Jonas")
    round_of(copy)
    assert sorted(subjects(copy, "Drafts")) == ["Begun elsewhere"] * (1 if may_delete else 2)
    throw_away(draft, by=jonas, now=copy.now)
    round_of(copy)
    assert subjects(copy, "Drafts") == ([] if may_delete else ["Begun elsewhere"])
    assert subjects(copy, "Trash") == (["Begun elsewhere"] if may_delete else [])
    round_of(copy)
    assert not Draft.objects.exists(), "and no round takes it up again"


def test_what_was_edited_elsewhere_is_not_removed_by_a_job(writing):
    """R26: the mailbox becomes shared; what we composed goes, what another program wrote stays."""
    copy, _draft = writing()
    round_of(copy)
    edit_there(copy, b"First", b"From the telephone")
    round_of(copy)
    Grant.objects.create(account=copy.mailbox.account, mailbox=copy.mailbox, may_reply=True)
    round_of(copy)
    round_of(copy)
    assert texts(copy) == ["From the telephone"] and not copy.server.boxes["Trash"].letters
    assert not PendingChange.objects.exists()


def test_letters_without_message_id_are_not_taken_for_one_another(writing):
    copy, _draft = writing()
    nameless = {"Message-ID": None}
    theirs, other = begun_elsewhere(copy, "One", **nameless), begun_elsewhere(copy, "Another", **nameless)
    assert theirs.message_id == "" == other.message_id
    draft = adopt(theirs, by=copy.mailbox.owner, now=copy.now)
    round_of(copy)
    draft.refresh_from_db()
    assert draft.subject == "One" and gone_at(draft) is None
    throw_away(draft, by=copy.mailbox.owner, now=copy.now)
    round_of(copy)
    assert "Another" in subjects(copy, "Drafts") and subjects(copy, "Trash") == ["One"]


def test_a_discarded_draft_can_be_gone_on_with_and_stops_no_other(taken_up):
    """Whatever state its copy is in."""
    copy, draft = taken_up
    theirs = Message.objects.get(subject="Begun elsewhere")
    throw_away(draft, by=copy.mailbox.owner, now=copy.now)
    again = adopt(theirs, by=copy.mailbox.owner, now=copy.now)
    assert again.pk != draft.pk
    write(copy, again, "Second")
    round_of(copy)
    mine = next(
        each for each in Message.objects.all() if each.message_id == DraftCopy.objects.get(draft=again).message_id
    )
    throw_away(again, by=copy.mailbox.owner, now=copy.now)
    third = adopt(mine, by=copy.mailbox.owner, now=copy.now)
    round_of(copy)
    assert third.body_text.strip() == "Second" and not on_server(copy)
    write(copy, third, "Third")
    round_of(copy)
    assert texts(copy) == ["Third"]


def test_one_that_was_discarded_twice_over_stops_no_round(writing):
    """Edited there and here, kept as two; one is discarded by somebody whose letter stays: it is left alone."""
    copy, draft = writing()
    round_of(copy)
    jonas = colleague(copy)
    Draft.objects.filter(pk=draft.pk).update(is_teams=True)
    edit_there(copy, b"First", b"From the telephone")
    write(copy, draft, "From the desk")
    look_at_copies(now=copy.now)
    copy.settle()
    look_at_copies(now=copy.now)
    theirs = Draft.objects.exclude(pk=draft.pk).get()
    drafts.leave(theirs, by=copy.mailbox.owner)
    throw_away(theirs, by=jonas, now=copy.now)
    look_at_copies(now=copy.now)
    round_of(copy)
    assert Draft.objects.count() == 1
    assert texts(copy) == ["From the desk", "From the telephone"]


def test_a_draft_that_cannot_be_kept_stops_no_other(writing):
    copy, _draft = writing()
    broken = drafts.start(copy.mailbox, by=copy.mailbox.owner, now=copy.now, body_text="Broken")
    Draft.objects.filter(pk=broken.pk).update(to=[["no pair"]], version=2, updated_at=copy.now - timedelta(hours=1))
    round_of(copy)
    assert texts(copy) == ["First"]


def test_a_removal_that_is_overtaken_is_not_lost(writing):
    """Withdrawn and written again while the server is away: the older copy goes nevertheless."""
    copy, draft = writing()
    round_of(copy)
    Grant.objects.create(account=copy.mailbox.account, mailbox=copy.mailbox, may_reply=True)
    keep_copies(now=copy.now)
    assert PendingChange.objects.get().detail["old"]
    Grant.objects.all().delete()
    write(copy, draft, "Second")
    copy.later += QUIET + timedelta(seconds=1)
    keep_copies(now=copy.now)
    assert PendingChange.objects.count() == 2
    round_of(copy)
    assert texts(copy) == ["Second"] and DraftCopy.objects.count() == 1
