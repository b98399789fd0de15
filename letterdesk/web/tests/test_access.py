"""Who gets what at each address: owner, reader by grant, team-mates, a stranger. What is undeclared fails (P9, C18)."""

import pytest
from django.db import transaction
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
    "draft_news": ("GET", {}, 200, 404, 404, 404, 404),
    "writer": ("POST", {}, 302, 404, 404, 404, 404),
    "draft_files": ("POST", {}, 302, 404, 404, 404, 404),
    "draft_file": ("GET", {}, 200, 200, 404, 404, 404),
    "draft_file_removal": ("POST", {}, 302, 404, 404, 404, 404),
    "sending": ("POST", {"seen": "1"}, 422, 404, 404, 404, 404),  # it says to whom
    "templates": ("GET", {}, 200, 200, 200, 200, 200),
    "template_removal": ("POST", {}, 302, 404, 404, 404, 404),
    "template": ("GET", {}, 200, 404, 404, 404, 404),
    "template_file": ("GET", {}, 200, 200, 200, 200, 404),
    "template_file_removal": ("POST", {}, 302, 404, 404, 404, 404),
    "template_finder": ("GET", {}, 200, 200, 200, 200, 200),
    "template_use": ("POST", {"template": "{template_id}", "seen": "1"}, 302, 404, 404, 404, 404),
    "storing": ("POST", {}, 302, 404, 404, 404, 404),
    "taking_up": ("POST", {}, 404, 404, 404, 404, 404),  # it lies in no folder of drafts: test_server_drafts.py
    "discarding": ("POST", {}, 302, 404, 404, 404, 404),
    "restoring": ("POST", {}, 404, 404, 404, 404, 404),  # it is not discarded: test_writing.py
    "outbox": ("GET", {}, 200, 200, 200, 200, 200),
    "dismissal": ("POST", {}, 302, 404, 404, 404, 404),
    "draft_release": ("POST", {"release": "gone@client.example"}, 302, 404, 404, 404, 404),
    "undeliverable": ("GET", {}, 200, 200, 200, 200, 200),
    "suppressed": ("POST", {}, 302, 404, 404, 404, 404),  # it is gone by the administrator's turn: test_reach.py
    "resolution": ("POST", {"as": "sent"}, 302, 404, 404, 404, 404),
    "stopping": ("POST", {}, 302, 404, 404, 404, 404),
    "signatures": ("GET", {}, 200, 200, 200, 200, 200),
    # A comment of the owner; the conversation is shared with nobody (test_talk.py: who got it).
    "comments": ("POST", {"text": "x"}, 302, 302, 404, 404, 404),
    "comment": ("GET", {}, 200, 404, 404, 404, 404),
    "presence": ("POST", {"as": "reading"}, 200, 200, 404, 404, 404),
    "followers": ("POST", {}, 302, 302, 404, 404, 404),
    "shares": ("GET", {}, 200, 404, 404, 404, 404),
    "unsharing": ("POST", {}, 404, 404, 404, 404, 404),
    "shared_with_me": ("GET", {}, 200, 200, 200, 200, 200),
    "shared_conversation": ("GET", {}, 404, 404, 404, 404, 404),
    "undo": ("POST", {"action": "{action_id}"}, 302, 404, 404, 404, 404),
    "recent": ("GET", {}, 200, 200, 200, 200, 200),
    "all_inboxes": ("GET", {}, 200, 200, 200, 200, 200),
    "snoozed": ("GET", {}, 200, 200, 200, 200, 200),
    "awaited": ("GET", {}, 200, 200, 200, 200, 200),
    # Team work: who may only read sees all of it and changes nothing.
    "assigned_to_me": ("GET", {}, 200, 200, 200, 200, 200),
    "team_list": ("GET", {}, 200, 200, 404, 404, 404),
    "triage": ("GET", {}, 200, 200, 404, 404, 404),
    "assignees": ("GET", {"conversation": "{conversation_id}"}, 200, 404, 404, 404, 404),
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
    "senders": ("GET", {}, 403, 403, 403, 200, 200),
    "sender": ("POST", {"who": "everyone"}, 403, 403, 403, 302, 404),
    "sender_server": ("POST", {}, 403, 403, 403, 302, 404),
    "sender_link": ("POST", {}, 403, 403, 403, 302, 404),
    "sender_removal": ("POST", {}, 403, 403, 403, 302, 404),
    "domains": ("GET", {}, 403, 403, 403, 200, 200),
    "domain_check": ("POST", {}, 403, 403, 403, 302, 404),
    "domain_removal": ("POST", {}, 403, 403, 403, 302, 404),
    "audit": ("GET", {}, 403, 403, 403, 200, 200),
    "audit_export": ("POST", {}, 403, 403, 403, 200, 200),
    "audit_receipts": ("GET", {}, 403, 403, 403, 200, 200),
    "audit_receipts_checked": ("POST", {}, 403, 403, 403, 302, 302),
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
    "saved_search_change": ("POST", {"share": ""}, 302, 404, 404, 404, 404),
    "saved_search_place": ("POST", {"to": "up"}, 302, 404, 404, 404, 404),
    "search": ("GET", {"q": "offer"}, 200, 200, 200, 200, 200),
    "connect": ("GET", {}, 200, 200, 200, 200, 200),
    "connect_lookup": ("GET", {"address": ""}, 200, 200, 200, 200, 200),
    "connect_sign_in": ("GET", {}, 302, 302, 302, 302, 302),
    "connect_consent": ("POST", {}, 302, 302, 302, 302, 302),  # nothing was begun; test_consent.py
    "consent_answer": ("GET", {}, 302, 302, 302, 302, 302),  # nothing was asked
    "mailbox_consent": ("POST", {}, 404, 404, 404, 404, 404),  # it has no provider: test_consent.py
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
    "notifications": ("GET", {}, 200, 200, 200, 200, 200),
    "notification_news": ("GET", {}, 200, 200, 200, 200, 200),
    "notification": ("GET", {}, 302, 404, 404, 404, 404),
    "notification_seen": ("POST", {}, 302, 404, 404, 404, 404),
    "telling": ("GET", {}, 200, 200, 200, 200, 200),
    "pausing": ("POST", {"hours": "1"}, 302, 302, 302, 302, 302),
    "push_browsers": ("POST", {}, 422, 422, 422, 422, 422),
    "push_browser_removal": ("POST", {}, 302, 404, 404, 404, 404),
    "push_test": ("POST", {}, 302, 302, 302, 302, 302),  # to one's own browsers: they have none
    "notice_seen": ("POST", {}, 302, 404, 404, 404, 404),
    "task_checklist": ("POST", {"text": "x"}, 302, 404, 404, 302, 404),
    "checklist_item": ("POST", {"change": "tick"}, 302, 404, 404, 302, 404),
    "task_comments": ("POST", {"text": "x"}, 302, 404, 404, 302, 404),
    "task_files": ("POST", {}, 302, 404, 404, 302, 404),
    "task_guests": ("POST", {"address": "x"}, 422, 404, 404, 422, 404),
    "task_guest_letter": ("POST", {"change": "drop"}, 302, 404, 404, 404, 404),  # it is decided by then
    "task_guest_eml": ("GET", {}, 200, 404, 404, 200, 404),
    "task_guest_removal": ("POST", {}, 302, 404, 404, 302, 404),
    "task_comment_eml": ("GET", {}, 200, 404, 404, 200, 404),
    "task_file": ("GET", {}, 200, 404, 404, 200, 404),
    "task_file_removal": ("POST", {}, 302, 404, 404, 404, 404),  # it is gone by then
    "unlinking": ("GET", {}, 200, 404, 404, 200, 404),
    "task_deletion": ("GET", {}, 200, 404, 404, 200, 404),
    "task_restoration": ("POST", {}, 404, 404, 404, 404, 404),
    "task_purging": ("GET", {}, 404, 404, 404, 404, 404),
    # The owner's contact, and a letter at it: CRM's own rights, whatever the mailbox allows (R8).
    "letter_crm": ("GET", {}, 200, 404, 404, 404, 404),
    "activity_places": ("GET", {}, 200, 404, 404, 200, 404),
    "daily_limit": ("POST", {"most": "500"}, 302, 404, 404, 404, 404),
    "mailbox_saving": ("POST", {"known": "yes"}, 302, 404, 404, 404, 404),
    "crm_settings": ("GET", {}, 200, 200, 200, 200, 200),
    "crm_sights": ("POST", {"employee": "own"}, 403, 403, 403, 302, 302),
    "crm_tracking": ("POST", {"track": "yes"}, 403, 403, 403, 302, 302),
    "crm_writing": ("POST", {"to": "anybody"}, 403, 403, 403, 302, 302),
    "crm_exclusions": ("POST", {"pattern": "@y.example"}, 403, 403, 403, 302, 302),
    "exclusion_removal": ("POST", {}, 403, 403, 403, 302, 404),
    "crm_panel": ("GET", {}, 200, 200, 404, 404, 404),
    "not_kept": ("GET", {}, 200, 200, 404, 404, 404),
    "crm": ("GET", {}, 302, 302, 302, 302, 302),
    "activities": ("GET", {}, 200, 200, 200, 200, 200),
    "activity": ("GET", {}, 200, 404, 404, 200, 404),
    "activity_body": ("GET", {}, 200, 404, 404, 200, 404),
    "activity_file": ("GET", {}, 200, 404, 404, 200, 404),
    "activity_eml": ("GET", {}, 200, 404, 404, 200, 404),
    "activity_confirmation": ("POST", {}, 302, 404, 404, 302, 404),
    # A letter at the owner's own secret address asks nobody else; an administrator asks after what is the company's.
    "asked": ("GET", {}, 200, 200, 200, 200, 200),
    "asked_letter": ("POST", {"change": "drop"}, 302, 404, 404, 404, 404),
    "asked_eml": ("GET", {}, 200, 404, 404, 404, 404),
    "sendsave": ("GET", {}, 200, 200, 200, 200, 200),
    "sendsave_addresses": ("POST", {"whose": "company"}, 403, 403, 403, 404, 404),  # not set up: test_sendsave.py
    "sendsave_address": ("POST", {"unknown_incoming": "lead", "unknown_outgoing": "lead"}, 302, 404, 404, 404, 404),
    "polled_mailboxes": ("GET", {}, 403, 403, 403, 200, 200),
    "polled_mailbox": ("GET", {}, 403, 403, 403, 200, 404),
    "polled_consent": ("POST", {}, 403, 403, 403, 404, 404),  # it has no provider: test_polled_consent.py
    "polled_server": ("POST", {}, 403, 403, 403, 302, 404),
    "polled_letter": ("POST", {}, 403, 403, 403, 302, 404),
    "crm_bin": ("GET", {}, 200, 200, 200, 200, 200),
    "record": ("GET", {}, 200, 404, 404, 200, 404),
    "record_form": ("GET", {}, 200, 404, 404, 200, 404),
    "new_record": ("GET", {}, 200, 200, 200, 200, 200),
    "record_letters": ("POST", {}, 302, 404, 404, 302, 404),
    "activity_answers": ("POST", {"record": "{record_id}"}, 302, 404, 404, 302, 404),
    "record_notes": ("POST", {"what": "note", "text": "x"}, 302, 404, 404, 302, 404),
    "note": ("GET", {}, 200, 404, 404, 404, 404),  # of who wrote it
    "note_restoration": ("POST", {}, 404, 404, 404, 404, 404),  # it is in no bin: test_record_notes.py
    "record_labels": ("POST", {"name": "VIP"}, 302, 404, 404, 302, 404),
    "crm_labels": ("POST", {"name": "VIP"}, 403, 403, 403, 302, 302),
    "crm_label": ("POST", {"name": "VIP"}, 403, 403, 403, 302, 404),
    "own_fields": ("GET", {}, 403, 403, 403, 200, 200),
    "own_field": ("GET", {}, 403, 403, 403, 200, 404),
    "pipelines": ("POST", {"name": "New"}, 403, 403, 403, 302, 302),
    "pipeline": ("GET", {}, 403, 403, 403, 200, 404),
    "record_stage": ("POST", {"stage": "x"}, 404, 404, 404, 404, 404),  # a contact has none: test_records.py
    "qualification": ("GET", {}, 404, 404, 404, 404, 404),  # of leads alone: test_records.py
    "imports": ("GET", {}, 200, 200, 200, 200, 200),
    "record_import": ("GET", {}, 200, 404, 404, 404, 404),
    "import_refusals": ("GET", {}, 200, 404, 404, 404, 404),
    "export_records": ("GET", {}, 200, 200, 200, 200, 200),  # each what they see: test_importing.py
    "duplicates": ("GET", {}, 200, 200, 200, 200, 200),
    "record_merging": ("GET", {}, 200, 404, 404, 200, 404),
    "record_doubles": ("GET", {}, 200, 404, 404, 200, 404),
    "record_deletion": ("GET", {}, 200, 404, 404, 200, 404),
    "record_restoration": ("POST", {}, 404, 404, 404, 404, 404),  # it is in no bin: test_crm_bin.py
    "record_purging": ("GET", {}, 404, 404, 404, 404, 404),
    "activity_deletion": ("GET", {}, 200, 404, 404, 200, 404),
    "activity_restoration": ("POST", {}, 404, 404, 404, 404, 404),
    # A view of the owner alone; everyone's: test_list_views.py.
    "list_views": ("POST", {"of": "contacts", "query": "who=me", "name": "x"}, 302, 302, 302, 302, 302),
    "list_view": ("POST", {"name": "x"}, 302, 404, 404, 404, 404),
    "list_view_place": ("POST", {"to": "ahead"}, 302, 404, 404, 404, 404),
    "list_view_removal": ("POST", {}, 302, 404, 404, 404, 404),
    "records": ("GET", {}, 200, 200, 200, 200, 200),
    "many": ("GET", {}, 200, 200, 200, 200, 200),  # each what they may change: test_many.py
    "changes_of_many": ("GET", {}, 200, 200, 200, 200, 200),
    "change_of_many": ("GET", {}, 200, 404, 404, 404, 404),  # of who made it
    "undoing_of_many": ("POST", {}, 302, 404, 404, 404, 404),
}
ACTORS = ("owner", "reader", "mate", "administrator", "stranger")
# Tested where their rules are: signatures (test_body.py, test_images.py, test_activity.py), tokens (test_people.py,
# test_senders.py), what letters fetch (test_tracked.py), the stream (test_live.py), the signed link of a digest
# (test_notifications.py).
ELSEWHERE = {
    "inline",
    "remote_image",
    "activity_inline",
    "activity_image",
    "invitation",
    "sender_proof",
    "tracked_picture",
    "tracked_link",
    "live",
    "digest_ended",
}
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


def address_keys(name):
    """What the address names: {"message_id"}."""
    return set(next(each for each in _all(get_resolver().url_patterns) if each.name == name).pattern.converters)


def address(name, things):
    return reverse(name, kwargs={key: getattr(things, key) for key in address_keys(name)})


def knock(client, name, things):
    method, form, *_ = PAGES[name]
    filled = {key: value.format(**vars(things)) for key, value in form.items()}
    return getattr(client, method.lower())(address(name, things), filled)


def test_every_address_declares_who_gets_what():
    declared = set(PAGES) | ELSEWHERE
    assert {name for name in routes() if not name.startswith(OWN)} == declared


@pytest.mark.case("C18")
def test_each_gets_what_is_declared(things, people, sign_in):
    browsers = [sign_in(people[actor]) for actor in ACTORS]
    wrong = {}
    for name, (_method, _form, *expected) in PAGES.items():
        with transaction.atomic():  # what the five do at one address is taken back before the next
            got = [knock(browser, name, things).status_code for browser in browsers]
            transaction.set_rollback(True)
        if got != expected:
            wrong[name] = dict(zip(ACTORS, got, strict=True))
    assert wrong == {}


def test_nobody_signed_in_is_led_to_the_sign_in(things, sign_in):
    answers = {name: knock(sign_in(None), name, things) for name in PAGES}  # nothing is done, so one company is enough
    led = {name for name, answer in answers.items() if answer.get("Location", "").startswith("/accounts/login/")}
    assert {name: answer.status_code for name, answer in answers.items() if name not in led} == {}
    assert {answer.status_code for answer in answers.values()} == {302}


@pytest.mark.case("C18")
def test_foreign_deleted_and_invented_letters_look_the_same(things, people, sign_in):
    client = sign_in(people["stranger"])
    foreign = client.get(f"/messages/{things.message_id}/body")
    invented = client.get("/messages/aaaaaaaaaaaaaaaa/body")
    assert foreign.status_code == invented.status_code == 404
    assert foreign.content == invented.content


def test_a_change_without_its_token_is_refused(things, people):
    """C16"""
    from django.test import Client

    client = Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=True)
    client.force_login(people["administrator"])
    changing = [name for name, page in PAGES.items() if page[0] == "POST"]
    got = {name: client.post(address(name, things), {}).status_code for name in changing}
    assert {name: status for name, status in got.items() if status != 403} == {}
