"""Invitations, roles, departments."""

import re

import pytest
from django.core import mail

from letterdesk.accounts.models import Employee, Role


@pytest.fixture
def admin(sign_in, people):
    return sign_in(people["administrator"])


def invited(admin, **form):
    answer = admin.post("/people", {"email": "new@acme.example", "role": "employee", **form})
    assert answer.status_code == 200, answer.content.decode()
    return re.search(r"/invitations/([\w-]{30,})", answer.content.decode())[1]


@pytest.mark.case("C20")
def test_an_invitation_works_once_and_signs_in(admin, sign_in):
    token = invited(admin)
    assert token in mail.outbox[0].body
    visitor = sign_in(None)
    assert "new@acme.example" in visitor.get(f"/invitations/{token}").content.decode()
    answer = visitor.post(f"/invitations/{token}", {"name": "New", "password": "four calm green words"})
    assert answer.headers["Location"] == "/"
    assert visitor.get("/settings").status_code == 200
    assert sign_in(None).get(f"/invitations/{token}").status_code == 404
    assert "no longer" in sign_in(None).get(f"/invitations/{token}").content.decode()


def test_a_weak_password_is_refused_with_its_reason(admin, sign_in):
    token = invited(admin)
    answer = sign_in(None).post(f"/invitations/{token}", {"name": "New", "password": "short"})
    assert answer.status_code == 422
    assert "10 characters" in answer.content.decode()


def test_an_address_in_use_is_said_so(admin, people):
    answer = admin.post("/people", {"email": people["owner"].email, "role": "employee"})
    assert answer.status_code == 422 and "in use already" in answer.content.decode()


def test_roles_change_and_the_last_administrator_stays(admin, people):
    mate, boss = people["mate"], people["administrator"]
    admin.post(f"/people/{mate.public_id}", {"change": "place", "role": "supervisor"})
    assert Employee.objects.get(pk=mate.pk).role == Role.SUPERVISOR
    admin.post(f"/people/{boss.public_id}", {"change": "place", "role": "employee"})
    assert Employee.objects.get(pk=boss.pk).role == Role.ADMINISTRATOR
    assert "last administrator" in admin.get("/people").content.decode()


def test_who_is_dismissed_is_signed_out(admin, people, sign_in):
    browser = sign_in(people["mate"])
    assert browser.get("/settings").status_code == 200
    admin.post(f"/people/{people['mate'].public_id}/leaving")
    assert browser.get("/settings").status_code == 302


def test_a_withdrawn_invitation_no_longer_works(admin, sign_in, people):
    token = invited(admin)
    invitation = people["administrator"].account.invitations.get()
    admin.post(f"/people/invitations/{invitation.pk}/withdrawal")
    assert sign_in(None).get(f"/invitations/{token}").status_code == 404
