"""R7, R8, R9, R12, R27: what becomes of a letter in Webmail changes nothing of the activity; the bytes know it."""

from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest

from letterdesk.crm.activities.bin import delete_activity
from letterdesk.crm.activities.reading import content_of, files_of, in_webmail, raw
from letterdesk.crm.models import Activity
from letterdesk.crm.records.bin import purge_due
from letterdesk.lib.blobs import BlobMissing
from letterdesk.mailboxes import forget
from letterdesk.mailboxes.collect import collect
from letterdesk.mailboxes.follow import follow
from letterdesk.mailboxes.models import Message, Receipt
from letterdesk.mailboxes.remove import remove_messages
from letterdesk.mailboxes.retention import holds
from letterdesk.mailboxes.retention.letters import storage_line
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.retention.sweep import sweep
from letterdesk.plans.change import change_plan
from letterdesk.tenancy.export import export

from .conftest import from_amara, says_in_crm, standing

DAY = timedelta(hours=24)
MONTH = 30 * DAY


@pytest.fixture
def saved(amara, come):
    """A letter with a file, and its activity."""
    [message] = come(from_amara(attachment="quote.pdf"))
    return message, Activity.objects.get()


def let_go_for_good(now):
    """Give the collector all the time it wants."""
    while collect(now=now + DAY):
        pass


def shown_in_webmail(activity, now):
    return set(in_webmail([activity], activity.account, periods_of(activity.account, now), now=now))


def reads_as_before(activity, amara):
    activity.refresh_from_db()
    [file] = files_of(activity)
    assert (file.filename, content_of(activity, file.index)) == ("quote.pdf", b"%PDF-1.4")
    assert standing(activity) == {(amara.pk, "address")}
    return True


def test_at_the_end_of_the_period_the_letter_leaves_and_the_activity_stays(saved, amara, now):  # R7, R8, R9 row 2
    _, activity = saved
    assert shown_in_webmail(activity, now) == {activity.pk}
    assert shown_in_webmail(activity, now + MONTH) == set()  # whether or not a sweep has run
    assert sweep(now=now + MONTH) == 1
    let_go_for_good(now + MONTH)
    assert not Message.objects.exists()
    assert reads_as_before(activity, amara)
    assert Receipt.objects.get().rule == "R9"


def test_a_letter_that_a_task_keeps_as_well_stays_shown(saved, amara, now):  # R9 row 3, R18
    message, activity = saved
    holds.add(message, reason="task", reference="task:1", now=now)
    assert sweep(now=now + MONTH) == 0
    assert shown_in_webmail(activity, now + MONTH) == {activity.pk}


def test_where_the_plan_without_webmail_begins_the_activity_stays(saved, amara, account, now):  # R8, R12
    _, activity = saved
    change_plan(account, "free", by=None, now=now)
    assert follow(now=now) == 1
    let_go_for_good(now)
    assert not Message.objects.exists()
    assert reads_as_before(activity, amara)


def test_deleted_in_webmail_or_disconnected_without_copies_the_activity_stays(saved, amara, mailbox, now):  # R8, R27
    message, activity = saved
    remove_messages(mailbox, [message.pk], now=now)
    forget.begin(mailbox, now=now)
    while forget.forget_copies(now=now):
        pass
    let_go_for_good(now)
    assert reads_as_before(activity, amara)


def test_the_line_of_the_letter_says_so(saved, now):  # R8
    message, _ = saved
    line = "Leaves Webmail on 23 Dec · a copy stays in CRM · stays on imap.acme.example"
    assert storage_line(message, now) == line
    message.in_crm = False
    assert storage_line(message, now) == line.replace(" · a copy stays in CRM", "")


def test_a_purged_activity_gives_its_bytes_back_and_the_letter_follows_r9_alone(saved, ines, now):  # R8, R9
    message, activity = saved
    holds.add(message, reason="task", reference="task:1", now=now)  # so that it is there after a month
    delete_activity(activity, by=ines, now=now)
    assert purge_due(now=now + MONTH) == 1
    assert not says_in_crm(message)
    let_go_for_good(now + MONTH)
    assert raw(activity)  # the mailbox still holds them
    holds.release(message, reason="task", reference="task:1")
    assert sweep(now=now + MONTH) == 1
    let_go_for_good(now + MONTH)
    with pytest.raises(BlobMissing):
        raw(activity)


def test_the_export_of_an_account_has_what_webmail_has_no_more(saved, account, now):  # R8
    _, activity = saved
    sweep(now=now + MONTH)
    packed = BytesIO()
    export(account, packed, now=now + MONTH)
    with ZipFile(packed) as archive:
        assert archive.read(f"files/{activity.blob}") == raw(activity)
        assert {"rows/crm.record.jsonl", "rows/crm.activity.jsonl", "rows/crm.binding.jsonl"} <= set(archive.namelist())
