"""Hostile text in every place that somebody can fill, on every page; foreign forms; foreign addresses to go on to."""

from itertools import cycle, product
from types import SimpleNamespace

import pytest
from django.conf import settings as installed
from django.db import transaction
from django.test import Client, RequestFactory
from selectolax.lexbor import LexborHTMLParser

from letterdesk.accounts.models import Department
from letterdesk.crm.models import Activity, Exclusion, Note, OwnField, OwnValue, Pipeline, Record, Stage
from letterdesk.crm.models import Label as RecordLabel
from letterdesk.crm.tests.seeding import record_of
from letterdesk.mailboxes.models import FolderRole, Label, Labelled
from letterdesk.tasks.change import comment
from letterdesk.tasks.create import create
from letterdesk.tasks.models import ChecklistItem, Task, TaskFile
from letterdesk.web import errors
from letterdesk.web.mail import acts
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_access import PAGES, address, address_keys, knock

MARKS = (
    '"><img src=x onerror=alert(1) class=pwned>',
    "'><script class=pwned>alert(1)</script>",
    "</title></textarea><svg class=pwned onload=alert(1)>{{ 7|add:7 }}",
)
OURS = ("http://127.0.0.1", "/", "#", "?", "data:image/", "mailto:")


def wrong(page):
    """What stands in a page of ours and should not: elements of the mark, handlers, addresses elsewhere."""
    found = []
    for element in LexborHTMLParser(page).css("*"):
        names = element.attributes
        if "pwned" in (names.get("class") or ""):
            found.append(element.tag)
        found += [f"{element.tag} {name}" for name in names if name.startswith("on") or name == "style"]
        for name in ("src", "href", "action", "formaction", "hx-get", "hx-post"):
            if names.get(name) is not None and not (names[name] or "/").startswith(OURS):
                found.append(f"{element.tag} {name}={names[name]}")
        if element.tag == "script" and "src" not in names and names.get("type") != "application/json":
            found.append("inline script")
    return found


@pytest.fixture
def hostile_things(things, deliver, mailbox, inbox, people):
    """One of everything with the marks in each text that somebody can choose; twice, with a letter and with files."""
    mark = " ".join(MARKS)
    account = mailbox.account
    account.name = mailbox.name = inbox.name = mark
    account.save()
    mailbox.save()
    inbox.role = FolderRole.NONE
    inbox.save()
    Department.objects.create(account=account, name=mark)
    for person in people.values():
        if person is not None:
            person.name = mark
            person.save()
    Task.objects.update(title=mark, description=mark)
    TaskFile.objects.update(filename=mark)
    ChecklistItem.objects.update(text=mark)
    comment(things.task, mark, by=people["owner"], now=things.task.created_at)
    Record.objects.update(name=mark, note=mark, position=mark)
    Note.objects.update(text=mark)
    RecordLabel.objects.update(name=MARKS[0][:60])
    OwnField.objects.update(name=MARKS[0][:60], is_listed=True)
    OwnValue.objects.create(account=account, record=Record.objects.get(), field=OwnField.objects.get(), text=mark)
    Pipeline.objects.update(name=MARKS[0])
    Stage.objects.filter(position=0).update(name=MARKS[1])
    Activity.objects.update(subject=mark, from_name=mark, from_address=mark, snippet=mark, through=mark)
    Exclusion.objects.update(pattern=mark, comment=mark)
    labels = [Label.objects.create(account=account, mailbox=mailbox, name=each[:60], key=each[:60]) for each in MARKS]
    name = mark.replace(chr(34), "")
    head = f'From: "{name}" <a@b.example>\nTo: "{name}" <c@d.example>\n'
    odd = f"Message-ID: <{mark.replace(' ', '')}@x>\nList-Id: {mark}\n"
    letter = deliver(f"{head}{odd}Subject: {mark}\n\n{mark} needle".encode())[0]
    files = [(f"{each}.pdf".replace("/", ""), "application/pdf", b"x", "") for each in MARKS]
    filed = deliver(raw_letter("Files", files=files))[0]
    both = []
    for each in (letter, filed):
        for label in labels:
            Labelled.objects.create(account=account, label=label, conversation=each.conversation)
        ids = {"letter": each, "message_id": each.public_id, "conversation_id": each.conversation.public_id}
        both.append(SimpleNamespace(**{**vars(things), **ids}))
    return both


def shows(name, things):
    """Whether the page is one of the letter."""
    return bool({"message_id", "conversation_id"} & address_keys(name)) or things.letter.subject != "Files"


@pytest.mark.case("C05")
def test_text_of_others_is_text_on_every_page(hostile_things, people, sign_in):
    browsers = {actor: sign_in(people[actor]) for actor in ("owner", "administrator")}
    framed = {"body", "activity_body", "print"}  # have a policy and a sandbox of their own
    pages = [name for name, (method, *_) in PAGES.items() if method == "GET" and name not in framed]
    for things, name, actor in product(hostile_things, pages, browsers):
        if shows(name, things):
            answer = knock(browsers[actor], name, things)
            if answer["Content-Type"].startswith("text/html") and not answer.streaming:
                assert wrong(answer.content.decode()) == [], (name, actor)
    for mark in MARKS:
        for query in (mark, "needle", f"from:{mark}", "is:nonsense", f'"{mark}'):
            assert wrong(browsers["owner"].get("/search", {"q": query}).content.decode()) == []


@pytest.mark.case("C05")
@pytest.mark.parametrize("mark", MARKS)
def test_what_was_typed_comes_back_as_text_in_what_is_said(hostile_things, people, sign_in, mark):
    admin, owner = sign_in(people["administrator"]), sign_in(people["owner"])
    admin.post("/people/departments", {"name": mark})
    admin.post("/people", {"email": mark})
    owner.post(f"/messages/{hostile_things[0].message_id}/splitting")
    for client in (admin, owner):
        assert wrong(client.get("/people").content.decode()) == []
        assert wrong(client.get("/mailboxes").content.decode()) == []


ELSEWHERE = [
    "//evil.example", "///evil.example", "////evil.example", "http://evil.example", "https://evil.example",
    "HTTPS://evil.example", "http:evil.example", "https:/evil.example", "\\\\evil.example", "/\\evil.example",
    "\\/evil.example", "/\\/evil.example", "\t//evil.example", "/\t/evil.example", "/\n/evil.example",
    "\r\n//evil.example", " //evil.example", "\x00//evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "ftp://evil.example", "//evil.example\\@127.0.0.1",
    "http://127.0.0.1@evil.example", "//127.0.0.1@evil.example", "http://[::1]@evil.example", "//evil.example:80",
    "//evil%E3%80%82example", "／／evil.example", "/／evil.example", "//\u202eevil.example", ".evil.example",
    "@evil.example", "evil.example", "..//evil.example", "?next=//evil.example", "http:///evil.example",
    "https:evil.example", "//[evil.example", "/%0d%0aLocation:%20//evil.example\r\nX: y",
]  # fmt: skip


def panel_of(letter):
    return f"/conversations/{letter.conversation.public_id}/crm"


def is_ours(location):
    return location.startswith("/") and not location.startswith(("//", "/\\")) and not {"\r", "\n"} & {*location}


@pytest.mark.case("C17")
def test_a_form_leads_on_to_our_own_pages_alone(browser, deliver):
    letter = deliver(raw_letter())[0]
    task = create("Offer", by=letter.mailbox.owner, now=letter.first_seen_at, letters=[letter])
    record = record_of(letter.mailbox.owner)
    unlinking = f"/tasks/{task.public_id}/letters/{letter.public_id}/unlinking"
    pages = (
        f"/conversations/{letter.conversation.public_id}/merging",
        "/tasks/new",
        unlinking,
        "/crm/contacts/new",
        f"/messages/{letter.public_id}/crm",
        panel_of(letter),
    )
    forms = {
        f"/conversations/{letter.conversation.public_id}/changes": {"change": "star"},
        f"/messages/{letter.public_id}/images": {"show": "once"},
        f"/messages/{letter.public_id}/crm": {"record": record.public_id},
        panel_of(letter): {"show": "always"},
        "/tasks": {"title": "x"},
        f"/tasks/{task.public_id}/status": {},
        unlinking: {},
    }
    for wanted, page in zip(ELSEWHERE, cycle(pages), strict=False):
        assert wrong(browser.get(page, {"next": wanted}).content.decode()) == [], (page, wanted)
    for wanted, form in product(ELSEWHERE, forms):
        with transaction.atomic():
            location = browser.post(form, {**forms[form], "next": wanted})["Location"]
            assert is_ours(location), (form, wanted, location)
            transaction.set_rollback(True)


@pytest.mark.case("C17")
def test_the_sign_in_leads_on_to_our_own_pages_alone(ines, settings):
    settings.ACCOUNT_RATE_LIMITS = False
    ines.set_password("correct horse battery")
    ines.save()
    for wanted in ELSEWHERE:
        form = {"login": ines.email, "password": "correct horse battery", "next": wanted}
        answer = Client(HTTP_HOST="127.0.0.1").post("/accounts/login/", form)
        assert is_ours(answer.headers["Location"]), wanted


TYPES = ("application/x-www-form-urlencoded", "text/plain", "application/json", "multipart/form-data; boundary=x")


ORIGINS = ({}, {"Origin": "http://evil.example"}, {"Referer": "http://evil.example/"}, {"Origin": "null"})


@pytest.mark.case("C16")
def test_a_form_from_elsewhere_is_refused_in_whatever_type(things, people):
    """Each address in one of the ways, some in all."""
    client = Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=True)
    client.force_login(people["administrator"])
    changing = [name for name, page in PAGES.items() if page[0] == "POST"]
    ways = list(product(TYPES, ORIGINS))
    for name, (kind, headers) in [*zip(changing, cycle(ways), strict=False), *product(changing[:3], ways)]:
        answer = client.post(address(name, things), b'{"change": "star"}', content_type=kind, headers=headers)
        assert answer.status_code == 403, (name, kind, headers)


@pytest.mark.case("C16")
def test_signing_in_and_out_need_the_token_as_well(people):
    client = Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=True)
    assert client.post("/accounts/login/", {"login": "x", "password": "y"}).status_code == 403
    client.force_login(people["owner"])
    assert client.post("/accounts/logout/").status_code == 403
    assert client.get("/settings").status_code == 200  # still signed in


HOSTS = [
    {"HTTP_HOST": host}
    for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:80", "127.0.0.1@evil.example", "[::2]", "a b",
                 "evil.example#127.0.0.1", "127.0.0.1:80:80", "-", ".127.0.0.1", "127.0.0.1%00.evil.example")
]  # fmt: skip
FORWARDED = [
    {"HTTP_HOST": "127.0.0.1", name: value}
    for name in ("HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_X_ORIGINAL_HOST", "HTTP_X_HOST", "HTTP_X_REWRITE_URL")
    for value in ("evil.example", "host=evil.example")
]


@pytest.mark.case("C28")
@pytest.mark.parametrize("headers", [*HOSTS, *FORWARDED], ids=str)
def test_a_host_that_somebody_claims_is_in_no_page(headers, db):
    answer = Client(**headers).get("/accounts/login/")
    assert answer.status_code == (200 if headers["HTTP_HOST"] == "127.0.0.1" else 400)
    assert b"evil.example" not in answer.content
    assert "evil.example" not in str(dict(answer.headers))


@pytest.mark.case("C28")
def test_a_view_that_fails_tells_nothing_of_the_machine(browser, deliver, monkeypatch):
    def fail(*_args, **_more):
        raise RuntimeError("secret of the machine")

    letter = deliver(raw_letter())[0]
    monkeypatch.setattr(acts, "act", fail)
    browser.raise_request_exception = False
    answer = browser.post(f"/conversations/{letter.conversation.public_id}/changes", {"change": "star"})
    assert answer.status_code == 500
    page = answer.content.decode()
    for told in (
        "secret of the machine",
        "RuntimeError",
        "Traceback",
        installed.SECRET_KEY,
        "letterdesk/web",
        "django",
    ):
        assert told not in page
    assert not installed.DEBUG


@pytest.mark.case("C28")
def test_error_pages_say_what_to_do(rf: RequestFactory, ines):
    request = rf.get("/nothing")
    request.user = ines
    for answer in (errors.not_found(request, Exception("secret")), errors.failed(request)):
        assert b"secret" not in answer.content and b"<a" in answer.content
