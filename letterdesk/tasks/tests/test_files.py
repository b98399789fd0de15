"""R4: a task's own files live and die with it."""

from datetime import timedelta

import pytest

from letterdesk.lib import blobs
from letterdesk.mailboxes.collect import collect
from letterdesk.tasks.bin import delete, purge
from letterdesk.tasks.create import BadTask
from letterdesk.tasks.files import LARGEST, attach, detach, read
from letterdesk.tasks.link import InBin

LATER = timedelta(hours=1)


@pytest.fixture
def keep(ines, now):
    def kept(task, raw=b"price list", name="prices.pdf"):
        return attach(task, raw, filename=name, content_type="application/pdf", by=ines, now=now)

    return kept


@pytest.mark.django_db(transaction=True)
def test_it_is_kept_as_long_as_the_task_and_collected_after(make, keep, ines, account, now):
    task = make()
    file = keep(task)
    assert collect(now=now + LATER) == 0
    assert read(file) == b"price list"
    delete(task, by=ines, now=now)
    assert collect(now=now + LATER) == 0
    purge(task, by=ines, now=now)
    assert collect(now=now + LATER) == 1
    assert not blobs.exists(account.pk, file.blob)


@pytest.mark.django_db(transaction=True)
def test_the_same_bytes_twice_are_held_until_the_last_goes(make, keep, account, now):
    task, other = make(), make()
    first, second, third = keep(task), keep(task, name="again.pdf"), keep(other)
    for file, left in ((first, True), (second, True), (third, False)):
        detach(file, now=now)
        collect(now=now + LATER)
        assert blobs.exists(account.pk, file.blob) is left


@pytest.mark.django_db(transaction=True)
def test_too_large_is_refused_before_anything_is_written(make, keep):
    task = make()
    with pytest.raises(BadTask, match="50 MB"):
        keep(task, raw=bytes(LARGEST + 1))
    assert not task.files.exists()


@pytest.mark.django_db(transaction=True)
def test_into_the_bin_no_file_is_put(make, keep, ines, now):
    task = make()
    delete(task, by=ines, now=now)
    with pytest.raises(InBin):
        keep(task)
