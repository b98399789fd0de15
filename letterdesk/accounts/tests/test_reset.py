import re

import pytest
from django.core.cache import cache
from django.test import Client

from .conftest import PASSWORD
from .test_signin import is_in, sign_in

RESET = "/accounts/password/reset/"
HOSTS = [
    {"host": "evil.example"},
    {"host": "evil.example:443"},
    {"host": "desk.example.evil.example"},
    {"host": "desk.example@evil.example"},
    {"host": "desk.example:80@evil.example"},
    {"host": "evil.example#desk.example"},
    {"host": "evil.example/desk.example"},
    {"host": "desk.example evil.example"},
    {"host": "desk.example\tevil.example"},
    {"host": ""},
    {"host": "localhost"},
    {"host": "127.0.0.1:8000"},
    {"host": "[::1]"},
    {"host": "desk.example."},
    {"host": "DESK.EXAMPLE"},
    {"host": "desk.example:99"},
    {"host": "desk.example", "x-forwarded-host": "evil.example"},
    {"host": "desk.example", "forwarded": "host=evil.example"},
    {"host": "desk.example", "x-host": "evil.example"},
    {"host": "desk.example", "x-forwarded-server": "evil.example", "x-forwarded-proto": "http"},
]


@pytest.fixture(autouse=True)
def configured(db, settings):
    settings.BASE_URL = "https://desk.example"
    settings.ALLOWED_HOSTS = ["desk.example", "localhost", "127.0.0.1", "[::1]", "testserver"]
    cache.clear()


def ask(email: str, **headers: str):
    return Client().post(RESET, {"email": email}, headers=headers)


@pytest.mark.case("C28")
@pytest.mark.parametrize("headers", HOSTS, ids=lambda headers: " ".join(headers.values()))
def test_the_link_of_a_reset_mail_is_built_from_the_configured_address_alone(colleague, headers, mailoutbox):
    response = ask(colleague.email, **headers)
    assert response.status_code in {302, 400}
    for mail in mailoutbox:
        assert re.findall(r"https?://[^/\s]+", mail.body) == ["https://desk.example"]
        assert "evil" not in mail.body + mail.subject
    assert len(mailoutbox) == (response.status_code == 302)


@pytest.mark.case("C20")
def test_a_reset_link_works_once_and_ends_all_sessions(client, colleague, mailoutbox):
    sign_in(client, colleague.email)
    ask(colleague.email)
    path = re.search(r"https://desk\.example(/\S+)", mailoutbox[0].body).group(1)
    browser = Client()
    form = browser.get(path, follow=False)
    assert "set-password" in form.url  # the token leaves the address, and so Referer and history
    wish = {"password1": "quite another one 7", "password2": "quite another one 7"}
    assert browser.post(form.url, wish).status_code == 302
    assert not is_in(client)
    assert not is_in(browser)
    again = Client().get(path)
    assert again.status_code == 200
    assert "password1" not in again.content.decode()
    sign_in(browser, colleague.email, "quite another one 7")
    assert is_in(browser)


def test_an_unknown_and_a_dismissed_address_get_the_same_answer_and_no_mail(colleague, mailoutbox):
    known = ask(colleague.email)
    mailoutbox.clear()
    colleague.is_active = False
    colleague.save(update_fields=["is_active"])
    for address in ("nobody@acme.example", colleague.email):
        answer = ask(address)
        assert (answer.status_code, answer.url) == (known.status_code, known.url)
    assert mailoutbox == []


@pytest.mark.case("C26")
def test_an_address_gets_three_reset_mails_a_minute_at_most(colleague, mailoutbox):
    for _ in range(6):
        ask(colleague.email)
    assert len(mailoutbox) == 3


def test_a_changed_password_is_told_by_mail(client, colleague, mailoutbox):
    sign_in(client, colleague.email)
    wish = {"oldpassword": PASSWORD, "password1": "quite another one 7", "password2": "quite another one 7"}
    client.post("/accounts/password/change/", wish)
    assert [mail.to for mail in mailoutbox] == [[colleague.email]]
