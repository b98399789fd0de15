"""Drafts are kept on the server: one copy of each, whatever dies between, and what others did there comes back."""

from datetime import timedelta

import pytest

from letterdesk.events.dispatch import dispatch
from letterdesk.mailboxes.models import BlobReference, FolderRole, Grant, Message, PendingChange
from letterdesk.outbound import drafts
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.keep_copies import AGAIN, QUIET, keep_copies
from letterdesk.outbound.models import Draft, DraftCopy
from letterdesk.outbound.send import send
from letterdesk.outbound.sweep import sweep
from letterdesk.outbound.take_in import adopt, gone_at, look_at_copies, put_back
from letterdesk.outbound.tests.sending import throw_away
from tests.rig.boxes import letter
from tests.rig.crashes import Point, dies
from tests.rig.liar import Liar
from tests.rig.sink import Sink
from tests.sync.drafting import edit_there, on_server, round_of, texts, write


class WithoutUidplus(Liar):
    """Tells no UID of what is appended, and expunges no letter alone."""

    capabilities = Liar.capabilities.replace(" UIDPLUS", "")


@pytest.mark.parametrize("script", [Liar, WithoutUidplus])
def test_the_newest_text_alone_lies_on_the_server(writing, script):
    copy, draft = writing(script)
    round_of(copy)
    [there] = on_server(copy)
    assert there.raw.startswith(b"Bcc: b@acme.example\r\n") and "\\Draft" in there.flags
    assert b"half@" not in there.raw, "no letter carries that address; it is kept here"
    write(copy, draft, "Second")
    round_of(copy)
    assert texts(copy) == ["Second"]
    assert not PendingChange.objects.exists() and DraftCopy.objects.count() == 1
    copy.agrees_and_stays()


def test_nothing_is_stored_while_somebody_types_and_nothing_twice(writing):
    copy, draft = writing()
    keep_copies(now=copy.now)
    assert not PendingChange.objects.exists()
    round_of(copy)
    [there] = on_server(copy)
    round_of(copy)
    assert on_server(copy) == [there]
    for _ in range(2):  # saved while the server is away: the first of the two is never stored
        write(copy, draft, "Later")
        copy.later += QUIET + timedelta(seconds=1)
        keep_copies(now=copy.now)
        write(copy, draft, "Last")
    round_of(copy)
    assert texts(copy) == ["Last"]


def test_whatever_dies_there_is_one_copy_in_the_end(writing):
    def run():
        keep_copies(now=copy.now)
        copy.settle()
        dispatch(copy.now)

    copy, draft = writing()
    round_of(copy)
    points = ["push.append.sent", "push.draft.removed"]  # stored twice, or removed before
    for text, point in zip(["Second", "Third"], points, strict=True):
        write(copy, draft, text)
        copy.later += QUIET + timedelta(seconds=1)
        assert dies(run, Point(point, 1)), point
        copy.later += timedelta(minutes=20)
        round_of(copy)
        assert texts(copy) == [text], point
    copy.agrees()


def test_after_a_new_uidvalidity_the_older_copy_is_found_again(writing):
    copy, draft = writing()
    round_of(copy)
    box = copy.server.boxes["Drafts"]
    box.uidvalidity += 1
    for each in box.letters:
        each.uid += 40
    box.uidnext += 40
    write(copy, draft, "Second")
    round_of(copy)
    round_of(copy)
    assert texts(copy) == ["Second"]


def test_what_another_program_wrote_is_the_newer_text(writing):
    copy, draft = writing()
    round_of(copy)
    edit_there(copy, b"First", b"From the telephone")
    round_of(copy)
    draft.refresh_from_db()
    assert draft.body_text.strip() == "From the telephone" and Draft.objects.count() == 1
    assert draft.bcc == [["", "b@acme.example"]]
    write(copy, draft, "Back at the desk")
    round_of(copy)
    assert texts(copy) == ["Back at the desk"]


def test_of_two_texts_none_is_lost(writing):
    copy, draft = writing()
    round_of(copy)
    edit_there(copy, b"First", b"From the telephone")
    write(copy, draft, "From the desk")
    round_of(copy)
    round_of(copy)
    kept = sorted(each.body_text.strip() for each in Draft.objects.all())
    assert kept == ["From the desk", "From the telephone"] == texts(copy)


def test_a_copy_removed_elsewhere_takes_nothing_away_and_is_told(writing):
    copy, draft = writing()
    round_of(copy)
    copy.server.boxes["Drafts"].drop([on_server(copy)[0].uid])
    round_of(copy)
    draft.refresh_from_db()
    assert gone_at(draft) is not None and draft.body_text == "First"
    round_of(copy)
    assert not on_server(copy), "it does not come back by itself"
    put_back(draft, by=draft.author, now=copy.now)
    round_of(copy)
    assert texts(copy) == ["First"] and gone_at(draft) is None


def test_a_letter_that_was_sent_leaves_the_drafts_of_the_server(writing):
    copy, draft = writing()
    draft = drafts.save(draft, by=draft.author, seen=draft.version, now=copy.now, to=[("", "bo@client.example")])
    round_of(copy)
    with Sink() as sink:
        sink.reach(copy.mailbox)
        send(draft, by=draft.author, seen=draft.version, now=copy.now)
        assert len(on_server(copy)) == 1, "until it has left, it can be stopped"
        copy.later += timedelta(seconds=20)
        deliver(now=copy.now, patience=1)
    round_of(copy)
    assert not on_server(copy) and not DraftCopy.objects.exists() and len(copy.server.boxes["Sent"].letters) == 1


def test_discarding_removes_the_copy_and_sweeping_does_not(writing):
    copy, draft = writing()
    round_of(copy)
    sweep(now=copy.now + timedelta(days=90))
    round_of(copy)
    assert len(on_server(copy)) == 1  # R26
    throw_away(draft, by=draft.author, now=copy.now)
    round_of(copy)
    assert not on_server(copy)


def test_a_letter_with_a_stolen_message_id_is_not_removed(writing):
    """R26: what does not say what we wrote is not ours, whatever it is called."""
    copy, draft = writing()
    round_of(copy)
    stolen = DraftCopy.objects.get().message_id
    other = f"Message-ID: <{stolen}>\r\nSubject: Mine\r\n\r\nKeep me\r\n".encode()
    write(copy, draft, "Second")
    copy.later += QUIET + timedelta(seconds=1)
    keep_copies(now=copy.now)
    copy.server.boxes["Drafts"].add(other)
    copy.settle()
    assert texts(copy) == ["Keep me", "Second"]


def test_a_draft_of_another_program_is_taken_up_and_sent(writing):
    copy, _draft = writing()
    round_of(copy)
    copy.server.boxes["Drafts"].add(letter(7, Subject="Begun elsewhere"), flags={"\\Draft"})
    copy.settle()
    theirs = Message.objects.get(subject="Begun elsewhere")
    taken = adopt(theirs, by=copy.mailbox.owner, now=copy.now)
    assert taken.subject == "Begun elsewhere" and taken.to
    assert adopt(theirs, by=copy.mailbox.owner, now=copy.now) == taken, "once"
    write(copy, taken, "And ended here")
    round_of(copy)
    assert texts(copy) == ["And ended here", "First"]


def test_what_is_its_authors_alone_is_not_put_where_others_read(writing):
    copy, draft = writing()
    round_of(copy)

    Grant.objects.create(account=copy.mailbox.account, mailbox=copy.mailbox, may_reply=True)
    round_of(copy)
    assert not on_server(copy) and Draft.objects.filter(pk=draft.pk).exists()
    write(copy, draft, "Second")
    round_of(copy)
    assert not on_server(copy)
    assert copy.folder("Drafts").role == FolderRole.DRAFTS


def test_an_intention_that_was_dropped_is_made_again(writing):
    """With a plan, or because the server refused; then what it was to remove goes, too."""
    copy, draft = writing()
    round_of(copy)
    write(copy, draft, "Second")
    copy.later += QUIET + timedelta(seconds=1)
    keep_copies(now=copy.now)
    PendingChange.objects.update(state=PendingChange.State.FAILED)
    round_of(copy)
    assert texts(copy) == ["First"], "not at once"
    copy.later += AGAIN
    round_of(copy)
    assert texts(copy) == ["Second"] and not PendingChange.objects.exists()


def test_a_copy_is_removed_from_the_folder_into_which_it_was_put(writing):
    copy, draft = writing()
    round_of(copy)
    copy.mailbox.folders.filter(role=FolderRole.DRAFTS).update(role="", role_is_chosen=True)
    other = copy.server.boxes.make("Entwuerfe")
    copy.settle()
    copy.mailbox.folders.filter(wire_name="Entwuerfe").update(role=FolderRole.DRAFTS, role_is_chosen=True)
    look_at_copies(now=copy.now)
    draft.refresh_from_db()
    assert gone_at(draft) is None
    write(copy, draft, "Second")
    round_of(copy)
    assert not on_server(copy) and len(other.letters) == 1


def test_bytes_that_a_waiting_removal_compares_with_stay(writing):
    """The server wrote our words in other bytes meanwhile."""
    copy, draft = writing()
    round_of(copy)
    drafts_there = copy.server.boxes["Drafts"]
    [mine] = on_server(copy)
    write(copy, draft, "Second")
    copy.later += QUIET + timedelta(seconds=1)
    keep_copies(now=copy.now)
    drafts_there.drop([mine.uid])
    drafts_there.add(b"X-Server: rewritten\r\n" + mine.raw, flags={"\\Draft"})
    [waiting] = PendingChange.objects.all()
    PendingChange.objects.filter(pk=waiting.pk).update(due_at=copy.now + timedelta(hours=1))
    copy.settle()
    look_at_copies(now=copy.now)
    held = BlobReference.objects.filter(holder__startswith="draft-copy:").values_list("blob", flat=True)
    assert waiting.detail["old"][0]["blob"] in set(held)
    PendingChange.objects.filter(pk=waiting.pk).update(due_at=copy.now)
    round_of(copy)
    assert texts(copy) == ["Second"]
