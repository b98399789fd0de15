"""Who gets what at each address: owner, reader by grant, team-mates, a stranger. What is undeclared fails (P9, C18)."""

import pytest
from django.urls import get_resolver, reverse

# name: (method, form, owner, reader, mate, administrator, stranger); nobody signed in: on to the sign-in, always
PAGES = {
    "home": ("GET", {}, 302, 302, 200, 200, 200),
    "folder": ("GET", {}, 200, 200, 404, 404, 404),
    "conversation": ("GET", {}, 200, 200, 404, 404, 404),
    "changes": ("POST", {"change": "star"}, 302, 404, 404, 404, 404),
    "acts": ("POST", {"change": "star", "c": "{conversation_id}.{folder_id}"}, 302, 404, 404, 404, 404),
    # The owner's answer to a letter, with a file, and a letter of theirs on its way; who may only read writes nothing.
    "compose": ("POST", {"kind": "reply", "letter": "{message_id}"}, 302, 404, 404, 404, 404),
    "recipients": ("GET", {"q": "a"}, 200, 200, 200, 200, 200),
    "drafts": ("GET", {}, 200, 200, 200, 200, 200),
    "draft": ("GET", {}, 200, 404, 404, 404, 404),
    "writer": ("POST", {}, 302, 404, 404, 404, 404),
    "draft_files": ("POST", {}, 302, 404, 404, 404, 404),
    "draft_file": ("GET", {}, 200, 200, 404, 404, 404),
    "draft_file_removal": ("POST", {}, 302, 404, 404, 404, 404),
    "sending": ("POST", {"seen": "1"}, 422, 404, 404, 404, 404),  # it says to whom
    "discarding": ("POST", {}, 200, 404, 404, 404, 404),  # it asks
    "outbox": ("GET", {}, 200, 200, 200, 200, 200),
    "resolution": ("POST", {"as": "sent"}, 302, 404, 404, 404, 404),
    "stopping": ("POST", {}, 302, 404, 404, 404, 404),
    "signatures": ("GET", {}, 200, 200, 200, 200, 200),
    "undo": ("POST", {"action": "{action_id}"}, 302, 404, 404, 404, 404),
    "recent": ("GET", {}, 200, 200, 200, 200, 200),
    "all_inboxes": ("GET", {}, 200, 200, 200, 200, 200),
    "snoozed": ("GET", {}, 200, 200, 200, 200, 200),
    "hidden": ("GET", {}, 200, 200, 200, 200, 200),
    "bundles": ("POST", {"bundles": "off"}, 302, 302, 302, 302, 302),
    "label_list": ("GET", {}, 200, 200, 404, 404, 404),
    "labels": ("GET", {}, 200, 200, 404, 404, 404),
    "label": ("POST", {"name": "New"}, 302, 404, 404, 404, 404),
    "body": ("GET", {}, 200, 200, 404, 404, 404),
    "security": ("GET", {}, 200, 200, 404, 404, 404),
    "print": ("GET", {}, 200, 200, 404, 404, 404),
    "all_attachments": ("GET", {}, 200, 200, 404, 404, 404),
    "shown_images": ("POST", {"show": "once"}, 302, 302, 404, 404, 404),
    "seen": ("POST", {"letters": "{message_id}"}, 204, 204, 404, 404, 404),
    "splitting": ("POST", {}, 302, 404, 404, 404, 404),
    "merging": ("GET", {}, 200, 404, 404, 404, 404),
    "trusted_images": ("GET", {}, 200, 200, 200, 200, 200),
    "source": ("GET", {}, 200, 200, 404, 404, 404),
    "eml": ("GET", {}, 200, 200, 404, 404, 404),
    "attachment": ("GET", {}, 200, 200, 404, 404, 404),
    "mailboxes": ("GET", {}, 200, 200, 200, 200, 200),
    "mailboxes_export": ("GET", {}, 200, 200, 200, 200, 200),
    "mailboxes_states": ("POST", {}, 302, 302, 302, 302, 302),
    "mailbox": ("GET", {}, 200, 200, 404, 200, 404),  # the administrator sees how it is, never a letter
    "mailbox_state": ("POST", {"state": "paused"}, 302, 404, 404, 302, 404),
    "mailbox_settings": ("POST", {"name": "New", "fetch_days": "7"}, 302, 404, 404, 404, 404),
    "mailbox_folders": ("POST", {}, 302, 404, 404, 404, 404),
    "passes": ("POST", {}, 302, 302, 404, 302, 404),
    "mailbox_sign_in": ("GET", {}, 200, 404, 404, 404, 404),
    "mailbox_owner": ("POST", {"to": "{employee_id}"}, 302, 404, 302, 302, 404),  # the mate: owner by then
    "disconnection": ("GET", {}, 200, 404, 404, 200, 404),
    "diagnostics": ("GET", {}, 200, 404, 404, 200, 404),
    "where": ("GET", {"q": "offer"}, 200, 200, 404, 404, 404),
    "where_all": ("GET", {"q": "offer"}, 200, 200, 200, 200, 200),
    "ledger_export": ("GET", {}, 200, 200, 404, 404, 404),
    "grants": ("POST", {"to": "everyone"}, 302, 404, 404, 404, 404),
    "grant": ("POST", {}, 302, 404, 404, 404, 404),
    "ledger": ("GET", {}, 200, 200, 404, 404, 404),
    "quarantined": ("GET", {}, 200, 200, 404, 404, 404),
    "people": ("GET", {}, 403, 403, 403, 200, 200),
    "withdrawal": ("POST", {}, 403, 403, 403, 302, 404),
    "departments": ("POST", {"name": "New"}, 403, 403, 403, 302, 302),
    "employee": ("POST", {"change": "place", "role": "employee"}, 403, 403, 403, 302, 404),
    "operator_accounts": ("GET", {}, 404, 404, 404, 404, 404),  # an operator: test_operator.py
    "operator_account": ("GET", {}, 404, 404, 404, 404, 404),
    "operator_acts": ("POST", {"act": "reopen"}, 404, 404, 404, 404, 404),
    "company": ("GET", {}, 403, 403, 403, 200, 200),
    "company_deletion": ("GET", {}, 403, 403, 403, 200, 200),  # they have no password to confirm
    "company_export": ("GET", {}, 403, 403, 403, 200, 200),  # no password either; see test_company_export.py
    "company_export_file": ("GET", {}, 403, 403, 403, 404, 404),
    "company_reopening": ("POST", {}, 403, 403, 403, 302, 302),
    "leaving": ("GET", {}, 403, 403, 403, 200, 404),
    "reinstatement": ("POST", {}, 403, 403, 403, 302, 404),
    "plan": ("GET", {"to": "start"}, 200, 200, 200, 200, 200),
    "leaving_calendar": ("GET", {"of": "account"}, 200, 200, 200, 200, 200),
    "leaving_day": ("GET", {}, 200, 200, 200, 200, 200),  # each their own: test_calendar.py
    "giving_way": ("POST", {}, 302, 302, 302, 302, 302),
    "plans": ("GET", {}, 200, 200, 200, 200, 200),
    "holds": ("GET", {}, 403, 403, 403, 200, 200),
    "hold_release": ("POST", {}, 403, 403, 403, 302, 404),
    "audit": ("GET", {}, 403, 403, 403, 200, 200),
    "audit_export": ("POST", {}, 403, 403, 403, 200, 200),
    "audit_receipts": ("GET", {}, 403, 403, 403, 200, 200),
    "retention": ("GET", {"days": "10"}, 403, 403, 403, 200, 200),
    "retention_taken_back": ("POST", {}, 403, 403, 403, 302, 404),
    "settings": ("GET", {}, 200, 200, 200, 200, 200),
    "help": ("GET", {}, 200, 200, 200, 200, 200),
    "appearance": ("GET", {}, 200, 200, 200, 200, 200),
    "keyboard": ("GET", {}, 200, 200, 200, 200, 200),
    "folds": ("POST", {"mailbox": "{mailbox_id}", "folded": "yes"}, 302, 302, 404, 404, 404),
    "checklist": ("POST", {}, 302, 302, 302, 302, 302),
    "first_steps": ("GET", {}, 200, 200, 200, 200, 200),
    "palette": ("GET", {}, 200, 200, 200, 200, 200),
    "keys": ("GET", {}, 200, 200, 200, 200, 200),
    "suggestions": ("GET", {"q": "of"}, 200, 200, 200, 200, 200),
    "saved_searches": ("POST", {"q": "offer"}, 302, 302, 302, 302, 302),
    "saved_search": ("POST", {}, 302, 404, 404, 404, 404),
    "search": ("GET", {"q": "offer"}, 200, 200, 200, 200, 200),
    "connect": ("GET", {}, 200, 200, 200, 200, 200),
    "connect_lookup": ("GET", {"address": ""}, 200, 200, 200, 200, 200),
    "connect_sign_in": ("GET", {}, 302, 302, 302, 302, 302),
    "connect_choices": ("GET", {}, 302, 302, 302, 302, 302),
    "progress": ("GET", {}, 200, 200, 404, 404, 404),
    "access_requests": ("POST", {}, 404, 404, 302, 302, 404),
    "declined": ("POST", {}, 302, 404, 404, 404, 404),
    # The administrator oversees the owner's task, and reads none of its letters; the bin is in test_task_bin.py.
    "tasks": ("GET", {}, 200, 200, 200, 200, 200),
    "new_task": ("GET", {"letter": "{message_id}"}, 200, 404, 404, 404, 404),
    "task": ("GET", {}, 200, 404, 404, 200, 404),
    "task_status": ("POST", {"status": "done"}, 302, 404, 404, 302, 404),
    "task_deadline": ("POST", {"day": "2030-01-02"}, 302, 404, 404, 302, 404),
    "task_records": ("GET", {}, 200, 404, 404, 200, 404),
    "task_reminders": ("POST", {"when": "60"}, 302, 404, 404, 302, 404),  # each for themselves
    "reminder_removal": ("POST", {}, 302, 404, 404, 404, 404),
    "reminders": ("GET", {}, 200, 200, 200, 200, 200),
    "reminder_news": ("GET", {}, 200, 200, 200, 200, 200),
    "notice_seen": ("POST", {}, 302, 404, 404, 404, 404),
    "task_checklist": ("POST", {"text": "x"}, 302, 404, 404, 302, 404),
    "checklist_item": ("POST", {"change": "tick"}, 302, 404, 404, 302, 404),
    "task_comments": ("POST", {"text": "x"}, 302, 404, 404, 302, 404),
    "task_files": ("POST", {}, 302, 404, 404, 302, 404),
    "task_file": ("GET", {}, 200, 404, 404, 200, 404),
    "task_file_removal": ("POST", {}, 302, 404, 404, 404, 404),  # it is gone by then
    "unlinking": ("GET", {}, 200, 404, 404, 200, 404),
    "task_deletion": ("GET", {}, 200, 404, 404, 200, 404),
    "task_restoration": ("POST", {}, 404, 404, 404, 404, 404),
    "task_purging": ("GET", {}, 404, 404, 404, 404, 404),
    # The owner's contact, and a letter at it: CRM's own rights, whatever the mailbox allows (R8).
    "letter_crm": ("GET", {}, 200, 404, 404, 404, 404),
    "activity_places": ("GET", {}, 200, 404, 404, 200, 404),
    "mailbox_saving": ("POST", {"known": "yes"}, 302, 404, 404, 404, 404),
    "crm_settings": ("GET", {}, 200, 200, 200, 200, 200),
    "crm_sights": ("POST", {"employee": "own"}, 403, 403, 403, 302, 302),
    "crm_exclusions": ("POST", {"pattern": "@y.example"}, 403, 403, 403, 302, 302),
    "exclusion_removal": ("POST", {}, 403, 403, 403, 302, 404),
    "crm_panel": ("GET", {}, 200, 200, 404, 404, 404),
    "crm": ("GET", {}, 302, 302, 302, 302, 302),
    "activities": ("GET", {}, 200, 200, 200, 200, 200),
    "activity": ("GET", {}, 200, 404, 404, 200, 404),
    "activity_body": ("GET", {}, 200, 404, 404, 200, 404),
    "activity_file": ("GET", {}, 200, 404, 404, 200, 404),
    "activity_eml": ("GET", {}, 200, 404, 404, 200, 404),
    "crm_bin": ("GET", {}, 200, 200, 200, 200, 200),
    "record": ("GET", {}, 200, 404, 404, 200, 404),
    "new_record": ("GET", {}, 200, 200, 200, 200, 200),
    "record_stage": ("POST", {"stage": "x"}, 404, 404, 404, 404, 404),  # a contact has none: test_records.py
    "qualification": ("GET", {}, 404, 404, 404, 404, 404),  # of leads alone: test_records.py
    "record_deletion": ("GET", {}, 200, 404, 404, 200, 404),
    "record_restoration": ("POST", {}, 404, 404, 404, 404, 404),  # it is in no bin: test_crm_bin.py
    "record_purging": ("GET", {}, 404, 404, 404, 404, 404),
    "activity_deletion": ("GET", {}, 200, 404, 404, 200, 404),
    "activity_restoration": ("POST", {}, 404, 404, 404, 404, 404),
    "records": ("GET", {}, 200, 200, 200, 200, 200),
}
ACTORS = ("owner", "reader", "mate", "administrator", "stranger")
# Tested where their rules are: signatures (test_body.py, test_images.py, test_activity.py), tokens (test_people.py),
# the stream (test_live.py).
ELSEWHERE = {"inline", "remote_image", "activity_inline", "activity_image", "invitation", "live"}
# allauth's own pages, which show and change nobody but the one who is signed in (accounts/tests).
OWN = ("account_", "mfa_", "usersessions_")


def routes():
    return [pattern.name for pattern in _all(get_resolver().url_patterns)]


def _all(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _all(pattern.url_patterns)
        else:
            yield pattern


def address(name, things):
    pattern = next(pattern for pattern in _all(get_resolver().url_patterns) if pattern.name == name)
    return reverse(name, kwargs={key: getattr(things, key) for key in pattern.pattern.converters})


def knock(client, name, things):
    method, form, *_ = PAGES[name]
    filled = {key: value.format(**vars(things)) for key, value in form.items()}
    return getattr(client, method.lower())(address(name, things), filled)


def test_every_address_declares_who_gets_what():
    declared = set(PAGES) | ELSEWHERE
    assert {name for name in routes() if not name.startswith(OWN)} == declared


@pytest.mark.case("C18")
@pytest.mark.parametrize("name", PAGES)
def test_each_gets_what_is_declared(name, things, people, sign_in):
    _method, _form, *expected = PAGES[name]
    got = tuple(knock(sign_in(people[actor]), name, things).status_code for actor in ACTORS)
    assert got == tuple(expected), dict(zip(ACTORS, got, strict=True))


@pytest.mark.parametrize("name", PAGES)
def test_nobody_signed_in_is_led_to_the_sign_in(name, things, sign_in):
    answer = knock(sign_in(None), name, things)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.case("C18")
def test_foreign_deleted_and_invented_letters_look_the_same(things, people, sign_in):
    client = sign_in(people["stranger"])
    foreign = client.get(f"/messages/{things.message_id}/body")
    invented = client.get("/messages/aaaaaaaaaaaaaaaa/body")
    assert foreign.status_code == invented.status_code == 404
    assert foreign.content == invented.content


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if page[0] == "POST"])
def test_a_change_without_its_token_is_refused(name, things, people):
    """C16"""
    from django.test import Client

    client = Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=True)
    client.force_login(people["administrator"])
    assert client.post(address(name, things), {}).status_code == 403
