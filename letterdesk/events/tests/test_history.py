from datetime import UTC, datetime

from letterdesk.accounts.dismiss import dismiss
from letterdesk.accounts.invite import accept, invite
from letterdesk.accounts.models import Account, Employee, Role
from letterdesk.events.models import Event

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_what_happens_to_people_is_in_the_audit_trail_without_secrets(db, client):
    account = Account.objects.create(name="Acme")
    ines = Employee.objects.create_user(
        "ines@acme.example", "a password", account=account, name="Ines", role="administrator"
    )
    invited = invite("mia@acme.example", by=ines, now=NOW)
    mia = accept(invited.token, name="Mia", password="a long enough one", now=NOW)
    client.post("/accounts/login/", {"login": mia.email, "password": "a long enough one"})
    client.post("/accounts/logout/")
    dismiss(mia, by=ines, now=NOW)
    told = list(Event.objects.visible_to(ines).order_by("id"))
    assert [(event.kind, event.by) for event in told] == [
        ("employee.invited", ines),
        ("employee.joined", mia),
        ("signed.in", mia),
        ("signed.out", mia),
        ("employee.dismissed", ines),
    ]
    assert invited.token not in repr([(event.subject, event.facts) for event in told])


def test_an_administrator_sees_the_account_others_their_own_and_a_stranger_nothing(db):
    account = Account.objects.create(name="Acme")
    make = Employee.objects.create_user
    ines = make("ines@acme.example", account=account, name="Ines", role=Role.ADMINISTRATOR)
    jonas = make("jonas@acme.example", account=account, name="Jonas")
    eve = make("eve@other.example", account=Account.objects.create(name="Other"), name="Eve", role=Role.ADMINISTRATOR)
    own = Event.objects.create(account=account, kind="signed.in", by=jonas)
    other = Event.objects.create(account=account, kind="signed.in", by=ines)
    assert set(Event.objects.visible_to(ines)) == {own, other}
    assert list(Event.objects.visible_to(jonas)) == [own]
    assert not Event.objects.visible_to(eve).exists()
