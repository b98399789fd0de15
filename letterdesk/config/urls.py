"""The addresses of all pages. Resources, not actions; no slash at the end."""

from django.urls import URLPattern, URLResolver, include, path

from letterdesk.web import (
    attachments,
    body,
    changes,
    connect,
    connect_choices,
    conversation,
    errors,
    home,
    inbox,
    ledger,
    live,
    lookup,
    mailboxes,
    people,
    plans,
    preferences,
    progress,
    search,
    share,
    upkeep,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("mail/<str:folder_id>", inbox.folder, name="folder"),
    path("mail/<str:folder_id>/<str:conversation_id>", conversation.conversation, name="conversation"),
    path("conversations/<str:conversation_id>/changes", changes.changes, name="changes"),
    path("undo", changes.taken_back, name="undo"),
    path("messages/<str:message_id>/body", body.body, name="body"),
    path("messages/<str:message_id>/inline/<int:index>", body.inline, name="inline"),
    path("messages/<str:message_id>/source", attachments.source, name="source"),
    path("messages/<str:message_id>/letter.eml", attachments.eml, name="eml"),
    path("attachments/<str:attachment_id>", attachments.attachment, name="attachment"),
    path("search", search.search, name="search"),
    path("live", live.live, name="live"),
    path("mailboxes", mailboxes.mailboxes, name="mailboxes"),
    path("mailboxes/connect", connect.connect, name="connect"),
    path("mailboxes/connect/lookup", lookup.lookup, name="connect_lookup"),
    path("mailboxes/connect/sign-in", connect.sign_in, name="connect_sign_in"),
    path("mailboxes/connect/choices", connect_choices.choices, name="connect_choices"),
    path("mailboxes/<str:mailbox_id>", mailboxes.mailbox, name="mailbox"),
    path("mailboxes/<str:mailbox_id>/progress", progress.progress, name="progress"),
    path("mailboxes/<str:mailbox_id>/requests", connect_choices.access_request, name="access_requests"),
    path("mailboxes/<str:mailbox_id>/requests/<int:request_id>/declined", share.declined, name="declined"),
    path("mailboxes/<str:mailbox_id>/state", upkeep.mailbox_state, name="mailbox_state"),
    path("mailboxes/<str:mailbox_id>/grants", share.grants, name="grants"),
    path("mailboxes/<str:mailbox_id>/grants/<int:grant_id>/removal", share.removal, name="grant"),
    path("mailboxes/<str:mailbox_id>/ledger", ledger.ledger, name="ledger"),
    path("quarantine/<str:letter_id>", ledger.quarantined, name="quarantined"),
    path("people", people.people, name="people"),
    path("people/invitations/<int:invitation_id>/withdrawal", people.withdrawal, name="withdrawal"),
    path("people/departments", people.departments, name="departments"),
    path("people/<str:employee_id>", people.employee, name="employee"),
    path("invitations/<str:token>", people.invitation, name="invitation"),
    path("plans", plans.plans, name="plans"),
    path("settings", preferences.preferences, name="settings"),
    path("help", home.guide, name="help"),
    path("accounts/", include("letterdesk.accounts.urls")),
]

handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.failed
