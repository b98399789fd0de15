"""Raw bytes: durable, exact, each account's own, in a folder and in S3."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.test import override_settings
from moto.server import ThreadedMotoServer

from letterdesk.config import environment
from letterdesk.lib import blobs, crashpoint

LETTERS = [f"Subject: {n}\r\n\r\n".encode() + b"\x00\xff8-bit\r\n" * n for n in range(30)]


@pytest.fixture(scope="module")
def bucket():
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"s3+http://key:secret@{host}:{port}/letters?region=us-east-1"
    with override_settings(STORAGES={"blobs": environment.blobs(url)}):
        storages["blobs"].connection.meta.client.create_bucket(Bucket="letters")
        storages["blobs"].connection.meta.client.close()
    yield url
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def place(request, tmp_path):
    url = request.getfixturevalue("bucket") if request.param == "s3" else f"file://{tmp_path}/blobs"
    with override_settings(STORAGES={"blobs": environment.blobs(url)}):
        yield request.param


@pytest.fixture
def folder(tmp_path):
    with override_settings(STORAGES={"blobs": environment.blobs(f"file://{tmp_path}/blobs")}):
        yield tmp_path / "blobs"


@pytest.mark.case("B19")
def test_what_was_put_comes_back_byte_for_byte(place):
    hashes = blobs.put_many(1, LETTERS)
    assert [blobs.get(1, blob) for blob in hashes] == LETTERS


def test_putting_again_changes_nothing(place):
    assert blobs.put_many(1, LETTERS) == blobs.put_many(1, LETTERS[:5] + LETTERS[5:])
    assert blobs.put_many(1, [LETTERS[3]] * 20) == [blobs.hash_of(LETTERS[3])] * 20


@pytest.mark.case("F14")
def test_another_account_has_nothing_of_it(place):
    [blob] = blobs.put_many(71, [b"only for account 71"])
    assert not blobs.exists(72, blob)
    with pytest.raises(blobs.BlobMissing):
        blobs.get(72, blob)


def test_removed_bytes_are_missing_and_removing_twice_is_no_error(place):
    [blob] = blobs.put_many(2, [b"to be removed"])
    blobs.remove(2, blob)
    blobs.remove(2, blob)
    assert not blobs.exists(2, blob)


def test_everything_of_an_account_is_listed(place):
    hashes = blobs.put_many(3, LETTERS)
    assert sorted(blobs.stored(3)) == sorted(hashes)
    assert list(blobs.stored(4)) == []


def test_damage_is_told_and_never_handed_out(folder):
    first, second = blobs.put_many(1, [b"first letter" * 50, b"second letter" * 50])
    file = folder / f"1/{first[:2]}/{first}.zst"
    file.write_bytes((folder / f"1/{second[:2]}/{second}.zst").read_bytes())
    with pytest.raises(blobs.BlobDamaged):
        blobs.get(1, first)
    file.write_bytes(b"no zstd at all")
    with pytest.raises(blobs.BlobDamaged):
        blobs.get(1, first)


def test_only_we_may_read_the_files(folder):
    [blob] = blobs.put_many(1, [b"private"])
    file = folder / f"1/{blob[:2]}/{blob}.zst"
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.case("A14")
@pytest.mark.parametrize("count", [2, 30])
@pytest.mark.parametrize("point", ["blobs.synced", "blobs.renamed"])
def test_a_crash_leaves_whole_files_or_none_and_the_next_attempt_completes(folder, point, count):
    crashpoint.interrupt(point)
    with pytest.raises(crashpoint.Crashed):
        blobs.put_many(1, LETTERS[:count])
    crashpoint.disarm()
    for blob in blobs.stored(1):
        blobs.get(1, blob)
    hashes = blobs.put_many(1, LETTERS[:count])
    assert [blobs.get(1, blob) for blob in hashes] == LETTERS[:count]
    assert blobs.remove_leftovers(older_than=3600) == 0  # those may be another writer's
    blobs.remove_leftovers(older_than=-1)
    assert list((folder / "tmp").iterdir()) == []


def run_traced(tmp_path, count, *strace):
    """Put `count` letters in a process of its own under strace; returns its result and the blobs folder."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    code = (
        "import django; django.setup()\n"
        "from letterdesk.lib import blobs\n"
        f"blobs.put_many(1, [b'letter %d' % n for n in range({count})])\n"
    )
    environ = os.environ | {
        "BLOBS_URL": f"file://{tmp_path}/blobs",
        "LETTERDESK_DATA": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": "letterdesk.config.settings",
    }
    command = ["strace", "-f", "-o", str(tmp_path / "trace"), *strace, sys.executable, "-c", code]
    root = Path(__file__).parents[3]
    return subprocess.run(command, check=False, env=environ, cwd=root, capture_output=True, text=True)


@pytest.mark.case("G07")
@pytest.mark.parametrize(("count", "sync"), [(2, "fsync"), (20, "syncfs")])
def test_a_disk_that_fails_to_sync_acknowledges_nothing(tmp_path, count, sync):
    done = run_traced(tmp_path, count, "-e", f"trace={sync}", "-e", f"inject={sync}:error=EIO")
    assert done.returncode == 1
    assert "Input/output error" in done.stderr
    assert not (tmp_path / "blobs" / "1").exists()


@pytest.mark.case("G08")
@pytest.mark.parametrize(("count", "sync"), [(2, "fsync"), (20, "syncfs")])
def test_the_order_is_write_sync_rename_sync(tmp_path, count, sync):
    assert run_traced(tmp_path, count, "-e", "trace=openat,rename,fsync,syncfs").returncode == 0
    lines = (tmp_path / "trace").read_text().splitlines()
    written = [at for at, line in enumerate(lines) if "/blobs/tmp/" in line and "O_CREAT" in line]
    renamed = [at for at, line in enumerate(lines) if " rename(" in line and "/blobs/1/" in line and "= 0" in line]
    synced = [at for at, line in enumerate(lines) if f" {sync}(" in line]
    assert len(written) == len(renamed) == count
    assert any(written[-1] < at < renamed[0] for at in synced)
    assert synced[-1] > renamed[-1]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 warns of what we test
def test_a_forked_child_can_put(folder):
    blobs.put_many(1, LETTERS)  # the parent's threads exist now
    child = os.fork()
    if child == 0:
        blobs.put_many(2, LETTERS)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(blobs.stored(2))) == len(LETTERS)
