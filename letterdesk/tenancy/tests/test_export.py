"""The operator's export: everything, exact, without a secret, and nothing of another account."""

import hashlib
import io
import json
from zipfile import ZipFile

import pytest

from letterdesk.crm.models import FoundText
from letterdesk.crm.tests.seeding import record_of
from letterdesk.events.models import Event
from letterdesk.lib import blobs
from letterdesk.mail.archives import read_mbox
from letterdesk.mailboxes.models import Message
from letterdesk.outbound.models import TrackedLetter, TrackedLink
from letterdesk.tasks.create import create
from letterdesk.tenancy.export import export
from letterdesk.web.tests.conftest import raw_letter


@pytest.fixture
def packed(things, account, deliver, stranger, now):
    """The archive of a company with letters, one of which quotes a mailbox file."""
    deliver(raw_letter("Quoted", text="Hello\nFrom here on\n>From there"))
    create("Strangers plan", by=stranger, now=now)
    file = io.BytesIO()
    export(account, file, now=now)
    return ZipFile(file)


def test_letters_come_back_byte_by_byte(packed, account, tmp_path):
    (name,) = [name for name in packed.namelist() if name.endswith(".mbox")]
    (tmp_path / "letters").write_bytes(packed.read(name))
    read = [blobs.hash_of(each.raw) for each in read_mbox(tmp_path / "letters")]
    assert read == list(Message.objects.filter(account=account).order_by("pk").values_list("blob", flat=True))


def test_the_manifest_counts_and_hashes_every_file(packed, account):
    manifest = json.loads(packed.read("manifest.json"))
    assert set(manifest["files"]) == set(packed.namelist()) - {"manifest.json"}
    for name, told in manifest["files"].items():
        content = packed.read(name)
        assert (told["bytes"], told["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert manifest["missing"] == []
    assert Event.objects.get(kind="account.exported").facts["letters"] == 2


def test_tasks_and_their_files_are_in_it(packed, things):
    (task,) = packed.read("rows/tasks.task.jsonl").decode().splitlines()
    assert json.loads(task)["title"] == "Renew contract"
    assert b"list" in [packed.read(name) for name in packed.namelist() if name.startswith("files/")]


@pytest.mark.case("C22")
def test_no_secret_and_nothing_of_another_account_is_in_it(packed, mailbox, ines):
    everything = b"".join(packed.read(name) for name in packed.namelist())
    assert b"correct horse" not in everything and b"Strangers plan" not in everything
    columns = json.loads(packed.read("rows/mailboxes.mailbox.jsonl").splitlines()[0])
    people = json.loads(packed.read("rows/accounts.employee.jsonl").splitlines()[0])
    assert "secret" not in columns and "password" not in people and "email" in people


def test_numbers_of_opens_and_clicks_are_in_it(things, account, stranger, now):
    for one in (account, stranger.account):
        letter = TrackedLetter.objects.create(account=one, about="deal:x", opens=3, machines={"gmail": 2})
        TrackedLink.objects.create(account=one, letter=letter, position=1, address="https://a.example/", clicks=2)
    file = io.BytesIO()
    export(account, file, now=now)
    packed = ZipFile(file)
    [told] = packed.read("rows/outbound.trackedletter.jsonl").splitlines()
    assert (json.loads(told)["opens"], json.loads(told)["machines"]) == (3, {"gmail": 2})
    [link] = packed.read("rows/outbound.trackedlink.jsonl").splitlines()
    assert (json.loads(link)["address"], json.loads(link)["clicks"]) == ("https://a.example/", 2)


def test_what_derives_from_the_rest_is_not_in_it(things, account, ines, now):
    """The letters and records are; the search index over them is not."""
    record_of(ines, "Amara Okafor", "amara@okafor.example")
    assert FoundText.objects.filter(account=account).exists()
    file = io.BytesIO()
    told = export(account, file, now=now)
    assert "rows/crm.record.jsonl" in told.files
    assert not [name for name in told.files if "foundtext" in name or "searchtext" in name]


def test_lost_bytes_are_named_and_the_rest_is_there(things, account, deliver, now):
    lost = deliver(raw_letter("Lost"))[0]
    blobs.remove(account.pk, lost.blob)
    file = io.BytesIO()
    told = export(account, file, now=now)
    assert told.missing == [lost.blob] and told.letters == 1
