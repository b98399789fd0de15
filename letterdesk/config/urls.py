"""The addresses of all pages. Resources, not actions; no slash at the end."""

from django.urls import URLPattern, URLResolver, include, path

from letterdesk.web import errors, home, ledger, live, people, plans, preferences

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("live", live.live, name="live"),
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
