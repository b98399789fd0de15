"""The page on which a company is deleted and kept after all."""

import pytest

from letterdesk.accounts.close import close
from letterdesk.accounts.models import Account

PASSWORD = "four calm green words"


@pytest.fixture
def admin(sign_in, people):
    """The administrator, who has just confirmed the password."""
    boss = people["administrator"]
    boss.set_password(PASSWORD)
    boss.save(update_fields=["password"])
    browser = sign_in(boss)
    return browser


def confirm(browser):
    browser.get("/company/deletion")
    return browser.post("/accounts/reauthenticate/?next=/company/deletion", {"password": PASSWORD})


def test_a_company_is_deleted_by_who_confirms_the_password_and_types_its_name(admin, people, sign_in):
    mate = sign_in(people["mate"])
    assert admin.get("/company/deletion")["Location"].startswith("/accounts/reauthenticate/")
    assert confirm(admin)["Location"] == "/company/deletion"
    assert "Delete Acme?" in admin.get("/company/deletion").content.decode()
    wrong = admin.post("/company/deletion", {"name": "Acne"})
    assert wrong.status_code == 422 and "not the name of the company" in wrong.content.decode()
    assert admin.post("/company/deletion", {"name": "Acme"})["Location"] == "/company"
    assert mate.get("/settings")["Location"].startswith("/accounts/login/")
    for elsewhere in ("/", "/tasks", "/people", "/settings"):
        assert admin.get(elsewhere)["Location"] == "/company"
    assert "about to be deleted" in admin.get("/company").content.decode()
    admin.post("/company/reopening")
    assert admin.get("/settings").status_code == 200
    assert Account.objects.get(name="Acme").closed_at is None


def test_nobody_of_a_closed_company_signs_in_but_administrators(admin, account, people, sign_in, now):
    people["mate"].set_password(PASSWORD)
    people["mate"].save(update_fields=["password"])
    close(account, typed="Acme", by=people["administrator"], now=now)
    form = {"login": people["mate"].email, "password": PASSWORD}
    answer = sign_in(None).post("/accounts/login/", form)
    assert answer["Location"] == "/accounts/inactive/"
    visitor = sign_in(None)
    form["login"] = people["administrator"].email
    assert visitor.post("/accounts/login/", form)["Location"] == "/"
    assert visitor.get("/")["Location"] == "/company"


def test_even_administrators_are_out_once_the_purge_has_begun(admin, account, people, now):
    close(account, typed="Acme", by=people["administrator"], now=now)
    Account.objects.filter(pk=account.pk).update(purge_began_at=now)
    assert admin.get("/company")["Location"].startswith("/accounts/login/")
