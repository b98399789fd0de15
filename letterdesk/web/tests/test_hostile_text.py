"""Hostile text in every place that somebody can fill, on every page; foreign forms; foreign addresses to go on to."""

import pytest
from django.conf import settings as installed
from django.test import Client, RequestFactory
from selectolax.lexbor import LexborHTMLParser

from letterdesk.accounts.models import Department
from letterdesk.crm.models import Activity, Exclusion, Record
from letterdesk.crm.tests.seeding import record_of
from letterdesk.mailboxes.models import FolderRole, Label, Labelled
from letterdesk.tasks.change import comment
from letterdesk.tasks.create import create
from letterdesk.tasks.models import ChecklistItem, Task, TaskFile
from letterdesk.web import acts, errors
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_access import PAGES, knock

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
    """One of everything with a mark in each text that somebody can choose."""

    def fill(mark):
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
        Activity.objects.update(subject=mark, from_name=mark, from_address=mark, snippet=mark, through=mark)
        Exclusion.objects.update(pattern=mark, comment=mark)
        label = Label.objects.create(account=account, mailbox=mailbox, name=mark[:60], key=mark[:60])
        head = f'From: "{mark.replace(chr(34), "")}" <a@b.example>\nTo: "{mark.replace(chr(34), "")}" <c@d.example>\n'
        odd = f"Message-ID: <{mark.replace(' ', '')}@x>\nList-Id: {mark}\n"
        letter = deliver(f"{head}{odd}Subject: {mark}\n\n{mark} needle".encode())[0]
        files = [(f"{mark}.pdf".replace("/", ""), "application/pdf", b"x", "")] * 2
        filed = deliver(raw_letter("Files", files=files))[0]
        for each in (letter, filed):
            Labelled.objects.create(account=account, label=label, conversation=each.conversation)
            things.letter, things.message_id = each, each.public_id
            things.conversation_id = each.conversation.public_id
            yield things

    return fill


@pytest.mark.case("C05")
@pytest.mark.parametrize("mark", MARKS)
def test_text_of_others_is_text_on_every_page(hostile_things, people, sign_in, mark):
    for things in hostile_things(mark):
        for name, (method, _form, *_expected) in PAGES.items():
            for actor in ("owner", "administrator"):
                if method == "GET":
                    answer = knock(sign_in(people[actor]), name, things)
                    is_page = answer["Content-Type"].startswith("text/html") and not answer.streaming
                    if is_page and name not in {
                        "body",
                        "activity_body",
                        "print",
                    }:  # those have a policy and a sandbox of their own
                        assert wrong(answer.content.decode()) == [], (name, actor)
        owner = sign_in(people["owner"])
        for query in (mark, "needle", f"from:{mark}", "is:nonsense", f'"{mark}'):
            assert wrong(owner.get("/search", {"q": query}).content.decode()) == []


@pytest.mark.case("C05")
@pytest.mark.parametrize("mark", MARKS)
def test_what_was_typed_comes_back_as_text_in_what_is_said(hostile_things, people, sign_in, mark):
    things = next(iter(hostile_things(mark)))
    admin, owner = sign_in(people["administrator"]), sign_in(people["owner"])
    admin.post("/people/departments", {"name": mark})
    admin.post("/people", {"email": mark})
    owner.post(f"/messages/{things.message_id}/splitting")
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


@pytest.mark.case("C17")
@pytest.mark.parametrize("wanted", ELSEWHERE, ids=range(len(ELSEWHERE)))
def test_a_form_leads_on_to_our_own_pages_alone(browser, deliver, wanted):
    letter = deliver(raw_letter())[0]
    forms = {
        f"/conversations/{letter.conversation.public_id}/changes": {"change": "star"},
        f"/messages/{letter.public_id}/images": {"show": "once"},
    }
    for address, form in forms.items():
        location = browser.post(address, {**form, "next": wanted})["Location"]
        assert location.startswith("/") and not location.startswith(("//", "/\\")), location
        assert "\r" not in location and "\n" not in location
    task = create("Offer", by=letter.mailbox.owner, now=letter.first_seen_at, letters=[letter])
    unlinking = f"/tasks/{task.public_id}/letters/{letter.public_id}/unlinking"
    for address in (f"/conversations/{letter.conversation.public_id}/merging", "/tasks/new", unlinking):
        assert wrong(browser.get(address, {"next": wanted}).content.decode()) == []
    record = record_of(letter.mailbox.owner)
    for address in ("/crm/contacts/new", f"/messages/{letter.public_id}/crm", panel_of(letter)):
        assert wrong(browser.get(address, {"next": wanted}).content.decode()) == []
    linking = (f"/messages/{letter.public_id}/crm", {"record": record.public_id})
    for address, form in (linking, (panel_of(letter), {"show": "always"})):
        assert browser.post(address, {**form, "next": wanted})["Location"].startswith("/")
    for address, form in {"/tasks": {"title": "x"}, f"/tasks/{task.public_id}/status": {}, unlinking: {}}.items():
        assert browser.post(address, {**form, "next": wanted})["Location"].startswith("/")


@pytest.mark.case("C17")
@pytest.mark.parametrize("wanted", ELSEWHERE, ids=range(len(ELSEWHERE)))
def test_the_sign_in_leads_on_to_our_own_pages_alone(ines, wanted, client):
    ines.set_password("correct horse battery")
    ines.save()
    form = {"login": ines.email, "password": "correct horse battery", "next": wanted}
    answer = Client(HTTP_HOST="127.0.0.1").post("/accounts/login/", form)
    location = answer.headers["Location"]
    assert location.startswith("/") and not location.startswith(("//", "/\\")), location


TYPES = ("application/x-www-form-urlencoded", "text/plain", "application/json", "multipart/form-data; boundary=x")


@pytest.mark.case("C16")
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if page[0] == "POST"])
def test_a_form_from_elsewhere_is_refused_in_whatever_type(name, kind, things, people):
    from letterdesk.web.tests.test_access import address

    client = Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=True)
    client.force_login(people["administrator"])
    for headers in ({}, {"Origin": "http://evil.example"}, {"Referer": "http://evil.example/"}, {"Origin": "null"}):
        answer = client.post(address(name, things), b'{"change": "star"}', content_type=kind, headers=headers)
        assert answer.status_code == 403


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
