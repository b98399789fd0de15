"""The ground gives way: the disk is full, the database is gone. It resumes by itself, and nothing is lost (P1)."""

import os
import random
import shutil
import subprocess
import threading
import time

import pytest
from django.db import connection

from letterdesk.mailboxes.models import Message, Placement
from tests.rig.boxes import letter
from tests.rig.dovecot import wait_until
from tests.rig.processes import WATCH, Process, forget_leases

MEGABYTE = 1 << 20


@pytest.fixture
def small_disk(settings, tmp_path):
    """The blobs lie on a file system of 8 MB; `grow()` makes it larger. Only root can mount."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("Only root can make a small file system.")
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"This machine lets nobody mount: {made.stderr.decode().strip()}")
    settings.STORAGES = {
        **settings.STORAGES,
        "blobs": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}},
    }
    yield lambda: subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
    subprocess.run(["umount", folder], check=True)


def noise(number: int) -> bytes:
    """A letter of a megabyte that does not shrink."""
    body = random.Random(number).randbytes(MEGABYTE // 2).hex().encode()
    return letter(number) + b"\r\n".join(body[start : start + 76] for start in range(0, len(body), 76))


@pytest.mark.dovecot
@pytest.mark.case("G06")
def test_on_a_full_disk_it_says_so_and_goes_on_when_there_is_room(connected, dovecot, small_disk):
    copy = connected(dovecot)
    for number in range(24):
        dovecot.deliver(copy.user, noise(number))
    with pytest.raises(OSError, match="No space left"):
        copy.sync()
    copy.mailbox.refresh_from_db()
    assert (copy.mailbox.error_code, copy.mailbox.state) == ("disk_full", "connected")
    assert all(message.size for message in Message.objects.all())  # what is here is whole
    small_disk()
    copy.settle()
    copy.agrees_and_stays()
    copy.mailbox.refresh_from_db()
    assert copy.mailbox.error_code == ""


def lose_all_connections(seconds: float) -> None:
    """As a database that is restarted again and again: every connection but this one is ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        time.sleep(0.05)


@pytest.mark.dovecot
@pytest.mark.slow
@pytest.mark.case("G02")
def test_a_process_that_loses_its_database_again_and_again_goes_on_and_loses_nothing(connected, dovecot):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server that could go away.")
    copy = connected(dovecot)
    for number in range(40):
        dovecot.deliver(copy.user, letter(number))
    with Process(WATCH, 1) as process:
        wait_until(Placement.objects.exists, timeout=30)
        more = threading.Thread(
            target=lambda: [dovecot.deliver(copy.user, letter(100 + number)) for number in range(40)]
        )
        more.start()
        lose_all_connections(3)
        more.join()
        wait_until(lambda: Placement.objects.count() == 80, timeout=60)
        assert process.is_running
    forget_leases()
    copy.settle()
    copy.agrees_and_stays()
