"""An administrator's export: asked with the password, fetched by who asked alone, without mail read by role."""

import errno
import io
import json
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.core.files.storage import FileSystemStorage

from letterdesk.accounts.close import close
from letterdesk.accounts.models import Role
from letterdesk.crm.models import OwnField, OwnValue, Record
from letterdesk.crm.records.stages import first_stage
from letterdesk.crm.records.views import save
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Grant
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.outbound.files import Given
from letterdesk.outbound.models import Signature, TrackedLetter, TrackedLink
from letterdesk.outbound.templates import keep_with_files
from letterdesk.tenancy import parcels
from letterdesk.tenancy.models import Export
from letterdesk.tenancy.own_export import AlreadyGoingOn, ask, follow, make
from letterdesk.tenancy.purge import purge
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_company import PASSWORD, admin  # noqa: F401  fixture

DAYS = timedelta(days=1)


@pytest.fixture
def boss(people):
    return people["administrator"]


@pytest.fixture
def made(boss, things, now):
    export = ask(by=boss, now=now)
    make(export.pk, now=now)
    export.refresh_from_db()
    return export


def address_of(export):
    return f"/company/exports/{export.public_id}"


def opened(export):
    return ZipFile(io.BytesIO(b"".join(parcels.read(export.account_id, export.name))))


def everything(export):
    archive = opened(export)
    return b"".join(archive.read(name) for name in archive.namelist())


def test_it_says_what_the_stages_of_its_deals_are(account, boss, things, now):
    stage = first_stage(account, "deal")
    export = ask(by=boss, now=now)
    make(export.pk, now=now)
    export.refresh_from_db()
    archive = opened(export)
    stages = [json.loads(line) for line in archive.read("rows/stage.jsonl").splitlines()]
    assert {"id": stage.pk, "name": stage.name, "pipeline_id": stage.pipeline_id}.items() <= stages[0].items()
    assert stage.pipeline.public_id.encode() in archive.read("rows/pipeline.jsonl")


def test_own_fields_and_what_they_say_are_in_it(boss, things, account, stranger, now):
    field = OwnField.objects.get(public_id=things.own_field_id)
    record = Record.objects.get(public_id=things.record_id)
    OwnValue.objects.create(account=account, record=record, field=field, text="K-1042")
    theirs = OwnField.objects.create(account=stranger.account, kind="contact", name="Zyxfield", key="zyx", type="text")
    OwnValue.objects.create(account=stranger.account, record=record_of(stranger), field=theirs, text="zyxvalue")
    export = ask(by=boss, now=now)
    make(export.pk, now=now)
    export.refresh_from_db()
    archive = opened(export)
    [value] = archive.read("rows/ownvalue.jsonl").splitlines()
    assert {"record_id": record.pk, "field_id": field.pk, "text": "K-1042"}.items() <= json.loads(value).items()
    assert b"Customer number" in archive.read("rows/ownfield.jsonl") and b"zyx" not in everything(export).lower()


def test_views_that_they_see_are_in_it(boss, things, ines, stranger, now):
    for person, name, is_everyones in ((boss, "Mine", False), (ines, "Of all", True), (ines, "zyx", False)):
        save(person, "contact", f"q={name}", name=name, is_everyones=is_everyones)
    save(stranger, "contact", "q=zyx", name="zyx", is_everyones=True)
    export = ask(by=boss, now=now)
    make(export.pk, now=now)
    export.refresh_from_db()
    views = [json.loads(line)["name"] for line in opened(export).read("rows/listview.jsonl").splitlines()]
    assert {"Mine", "Of all"} <= set(views) and "zyx" not in views


def test_numbers_of_letters_that_they_see_are_in_it(boss, things, account, stranger, now):
    """Opens and clicks (decision 0036): of no other account, and of nothing in the bin."""
    record = Record.objects.get(public_id=things.record_id)
    for number, fields in enumerate(({}, {"deleted_at": now})):
        sent = activity_at(record, direction="out", subject=f"Offer {number}", **fields)
        letter = TrackedLetter.objects.create(
            account=account, holder=sent.holder, about=record.reference, opens=3, opened_at=now, machines={"gmail": 2}
        )
        TrackedLink.objects.create(account=account, letter=letter, position=1, address="https://a.example/", clicks=2)
    other = activity_at(record_of(stranger), direction="out", subject="zyx")
    TrackedLetter.objects.create(account=stranger.account, holder=other.holder, about="contact:zyx")
    export = ask(by=boss, now=now)
    make(export.pk, now=now)
    export.refresh_from_db()
    [row] = opened(export).read("rows/opens_and_clicks.jsonl").splitlines()
    told = json.loads(row)
    assert (told["subject"], told["about"], told["opens"]) == ("Offer 0", record.reference, 3)
    assert told["machines"] == {"gmail": 2} and told["links"][0]["clicks"] == 2
    assert told["links"][0]["address"] == "https://a.example/"


def test_it_is_asked_for_with_the_password_and_a_second_one_is_refused_in_words(
    admin,  # noqa: F811
    boss,
    django_capture_on_commit_callbacks,
):
    assert admin.post("/company/export")["Location"].startswith("/accounts/reauthenticate/")
    assert not Export.objects.exists()
    admin.post("/accounts/reauthenticate/?next=/company/export", {"password": PASSWORD})
    assert "you alone can download" in admin.get("/company/export").content.decode()
    with django_capture_on_commit_callbacks():
        assert admin.post("/company/export")["Location"] == "/company"
    admin.get("/company")
    admin.post("/company/export")
    assert "An export is being made already" in admin.get("/company").content.decode()
    make(Export.objects.get().pk, now=Export.objects.get().asked_at)
    page = admin.get("/company").content.decode()
    assert "Ready" in page and address_of(Export.objects.get()) in page
    assert [e.kind for e in Event.objects.filter(kind__startswith="export.").order_by("pk")] == [
        "export.asked",
        "export.made",
    ]


@pytest.mark.case("C18")
def test_only_the_administrator_who_asked_downloads_it(made, account, boss, people, stranger, sign_in):
    other = employ(account, "Olga", Role.ADMINISTRATOR)
    answer = sign_in(boss).get(address_of(made))
    assert b"".join(answer.streaming_content) == b"".join(parcels.read(account.pk, made.name))
    assert answer["Content-Disposition"].startswith("attachment") and answer["X-Content-Type-Options"] == "nosniff"
    assert Event.objects.get(kind="export.downloaded").by == boss
    assert sign_in(other).get(address_of(made)).status_code == 404
    assert address_of(made) not in sign_in(other).get("/company").content.decode()
    assert sign_in(stranger).get(address_of(made)).status_code == 404
    assert sign_in(people["mate"]).get(address_of(made)).status_code == 403
    assert sign_in(None).get(address_of(made))["Location"].startswith("/accounts/login/")
    boss.role = Role.EMPLOYEE
    boss.save(update_fields=["role"])
    assert sign_in(boss).get(address_of(made)).status_code == 403


@pytest.mark.case("C18", "C22")
def test_nobody_reads_mail_by_role_in_it(boss, things, mailbox, account, deliver, stranger, now):
    deliver(raw_letter("Zyxsubject", text="zyxbody"))
    first = ask(by=boss, now=now)
    make(first.pk, now=now)
    told = everything(first)
    assert b"zyx" not in told.lower() and b"amara@okafor.example>" not in told and b"Renew contract" in told
    assert b"correct horse" not in told and b"pbkdf2" not in told and stranger.email.encode() not in told
    grant = Grant.objects.create(account=account, mailbox=mailbox, employee=boss, may_reply=True)
    assert b"zyxbody" not in everything(again(boss, now))  # read, and not managed
    Grant.objects.filter(pk=grant.pk).update(may_manage=True)
    assert b"zyxbody" in everything(again(boss, now))


def test_templates_with_their_files_and_ones_own_signatures_are_in_it(boss, mailbox, account, ines, stranger, now):
    said = {"name": "Offer", "subject": "", "text": "Zyxshared", "share": "all"}
    keep_with_files(ines, [Given("a.txt", "text/plain", b"zyxfile")], now=now, **said)
    keep_with_files(ines, [Given("b.txt", "text/plain", b"zyxalone")], now=now, **said | {"text": "a", "share": ""})
    keep_with_files(stranger, [], now=now, **said | {"text": "Zyxforeign"})
    Grant.objects.create(account=account, mailbox=mailbox, employee=boss, may_reply=True)
    for each in (boss, ines):
        Signature.objects.create(account=account, mailbox=mailbox, employee=each, text=f"Zyxsigned {each.name}")
    told = everything(again(boss, now))
    assert b"Zyxshared" in told and b"zyxfile" in told and f"Zyxsigned {boss.name}".encode() in told
    assert b"zyxalone" not in told and b"Zyxforeign" not in told and b"Zyxsigned Ines" not in told


def again(boss, now):
    export = ask(by=boss, now=now)
    make(export.pk, now=now)
    return export


def test_the_file_is_for_the_process_alone_and_gone_after_seven_days(made, account, boss, blobs_folder, sign_in, now):
    (file,) = blobs_folder.rglob("*.zip")
    assert made.size == file.stat().st_size and file.stat().st_mode & 0o777 == 0o600
    follow(now=now + 7 * DAYS - timedelta(seconds=1))
    assert file.exists()
    Export.objects.update(asked_at=now - 7 * DAYS)
    assert sign_in(boss).get(address_of(made)).status_code == 404  # by the clock, before any job
    follow(now=now)
    assert not file.exists() and not Export.objects.exists()


def test_a_full_disk_is_told_and_the_export_can_be_asked_for_again(boss, things, sign_in, now, monkeypatch):
    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    export = ask(by=boss, now=now)
    with monkeypatch.context() as patched:
        patched.setattr(FileSystemStorage, "save", full)
        make(export.pk, now=now)
    assert "The disk is full" in sign_in(boss).get("/company").content.decode()
    assert Event.objects.get(kind="export.failed").facts == {"why": "disk_full"}
    assert not parcels.names(boss.account_id)
    assert again(boss, now).pk != export.pk and Export.objects.filter(state="ready").count() == 1


def test_what_a_lost_wake_up_left_is_woken_and_what_a_dead_worker_left_fails(boss, things, now):
    export = ask(by=boss, now=now)
    with pytest.raises(AlreadyGoingOn):
        ask(by=boss, now=now)
    assert follow(now=now) == [export.pk]
    Export.objects.update(state="running", began_at=now)
    make(export.pk, now=now)  # somebody else is at it
    follow(now=now + timedelta(hours=6))
    export.refresh_from_db()
    assert (export.state, export.failure) == ("failed", "lost")


def test_who_is_no_administrator_any_more_gets_none(boss, things, now):
    export = ask(by=boss, now=now)
    boss.role = Role.EMPLOYEE
    boss.save(update_fields=["role"])
    make(export.pk, now=now)
    export.refresh_from_db()
    assert export.failure == "not_allowed" and not parcels.names(boss.account_id)


@pytest.mark.case("F13")
def test_a_closed_company_is_exported_until_its_purge_which_takes_the_file(boss, account, mailbox, sign_in, now):
    close(account, typed="Acme", by=boss, now=now)
    export = again(boss, now)
    assert sign_in(boss).get(address_of(export)).status_code == 200
    late = ask(by=boss, now=now)
    purge(account, now=now + 30 * DAYS)
    make(late.pk, now=now + 30 * DAYS)
    assert not parcels.names(account.pk) and not Export.objects.exists()
