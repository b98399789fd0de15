from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from letterdesk.accounts.invite import InvitationInvalid, accept, invite, pending, send, withdraw
from letterdesk.accounts.join import AddressTaken, NotAnAddress
from letterdesk.accounts.models import Department, Employee, Invitation, Role
from letterdesk.accounts.pace import TooFast
from letterdesk.accounts.roles import NotAllowed
from tests.rig.together import at_once, refused

from .conftest import PASSWORD
from .dump import everything_stored

pytestmark = pytest.mark.case("C20")


def join(token: str, now, **fields) -> Employee:
    return accept(token, **{"name": "Mia", "password": PASSWORD, **fields}, now=now)


def test_an_invited_person_joins_with_the_role_and_department_of_the_invitation(administrator, account, now):
    sales = Department.objects.create(account=account, name="Sales")
    invited = invite(" Mia@Acme.Example ", by=administrator, role=Role.SUPERVISOR, department=sales, now=now)
    mia = join(invited.token, now)
    assert (mia.email, mia.account, mia.role, mia.department) == ("mia@acme.example", account, Role.SUPERVISOR, sales)
    assert mia.check_password(PASSWORD)


def test_a_token_has_32_random_bytes_and_only_its_hash_is_stored(administrator, now):
    invited = invite("mia@acme.example", by=administrator, now=now)
    assert len(invited.token) == 43
    assert invited.invitation.token_hash in everything_stored()
    assert invited.token not in everything_stored()
    assert invited.token not in repr(invited)


def test_a_token_works_once(administrator, now):
    token = invite("mia@acme.example", by=administrator, now=now).token
    join(token, now)
    with pytest.raises(InvitationInvalid):
        join(token, now)


def test_a_token_works_until_72_hours_are_over(administrator, now):
    token = invite("mia@acme.example", by=administrator, now=now).token
    last = now + timedelta(hours=72) - timedelta(seconds=1)
    assert pending(token, now=last).email == "mia@acme.example"
    for late in (now + timedelta(hours=72), now + timedelta(hours=73)):
        with pytest.raises(InvitationInvalid):
            join(token, late)


def test_a_token_works_for_its_address_alone(administrator, now):
    token = invite("mia@acme.example", by=administrator, now=now).token
    with pytest.raises(InvitationInvalid):
        join(token, now, email="other@acme.example")
    assert join(token, now, email="MIA@acme.example").email == "mia@acme.example"


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "\x00", "ä" * 10_000])
def test_a_made_up_token_is_refused(administrator, now, token):
    invite("mia@acme.example", by=administrator, now=now)
    with pytest.raises(InvitationInvalid):
        join(token, now)


def test_a_weak_password_leaves_the_invitation_open(administrator, now):
    token = invite("mia@acme.example", by=administrator, now=now).token
    with pytest.raises(ValidationError):
        join(token, now, password="short")
    join(token, now)


def test_a_new_invitation_ends_the_earlier_one(administrator, now):
    first = invite("mia@acme.example", by=administrator, now=now).token
    second = invite("mia@acme.example", by=administrator, now=now).token
    with pytest.raises(InvitationInvalid):
        join(first, now)
    join(second, now)


def test_a_withdrawn_invitation_no_longer_works(administrator, colleague, stranger, now):
    invited = invite("mia@acme.example", by=administrator, now=now)
    for other in (colleague, stranger):
        with pytest.raises(NotAllowed):
            withdraw(invited.invitation, by=other)
    withdraw(invited.invitation, by=administrator)
    with pytest.raises(InvitationInvalid):
        join(invited.token, now)


def test_only_administrators_at_work_invite(colleague, administrator, now):
    with pytest.raises(NotAllowed):
        invite("mia@acme.example", by=colleague, now=now)
    administrator.is_active = False
    with pytest.raises(NotAllowed):
        invite("mia@acme.example", by=administrator, now=now)


def test_a_foreign_department_is_refused(administrator, stranger, now):
    foreign = Department.objects.create(account=stranger.account, name="Sales")
    with pytest.raises(NotAllowed):
        invite("mia@acme.example", by=administrator, department=foreign, now=now)


def test_who_is_in_already_and_what_is_no_address_are_refused(administrator, colleague, now):
    with pytest.raises(AddressTaken):
        invite("Jonas@acme.example", by=administrator, now=now)
    with pytest.raises(NotAnAddress):
        invite("mia@", by=administrator, now=now)


@pytest.mark.case("C26")
def test_an_account_sends_60_invitations_an_hour_and_no_more(administrator, stranger, now):
    now = now.replace(minute=0)
    for number in range(60):
        invite(f"mia{number}@acme.example", by=administrator, now=now)
    with pytest.raises(TooFast, match="60 minutes"):
        invite("one-more@acme.example", by=administrator, now=now)
    invite("mia@other.example", by=stranger, now=now)
    invite("one-more@acme.example", by=administrator, now=now + timedelta(hours=1))


@pytest.mark.case("C28")
def test_the_mail_has_the_link_under_the_configured_address(administrator, now, settings, mailoutbox):
    settings.BASE_URL = "https://desk.example"
    invited = invite("mia@acme.example", by=administrator, now=now)
    send(invited)
    (mail,) = mailoutbox
    assert mail.to == ["mia@acme.example"]
    assert f"\nhttps://desk.example/invitations/{invited.token}\n" in mail.body


@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_at_once_one_joins(administrator, now):
    token = invite("mia@acme.example", by=administrator, now=now).token
    assert refused(at_once([lambda: join(token, now)] * 2, refusal=InvitationInvalid)) == 1
    assert Invitation.objects.filter(accepted_at=None).count() == 0
