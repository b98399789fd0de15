import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet
from django.contrib.auth import get_user
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client

from letterdesk.accounts.second_factor import rotate_second_factors
from letterdesk.accounts.sessions import end_sessions, sessions_of

from .conftest import PASSWORD
from .dump import everything_stored

LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def forget_attempts(db):
    cache.clear()


@pytest.fixture
def secret() -> str:
    return "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def with_totp(colleague, secret):
    TOTP.activate(colleague, secret)
    return colleague


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra):
    return client.post(LOGIN, {"login": email, "password": password}, **extra)


def is_in(client: Client) -> bool:
    """Whether the browser's session is somebody's, as every request asks it."""
    request = HttpRequest()
    request.session = client.session
    return get_user(request).is_authenticated


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_a_person_signs_in_by_address_and_password_and_it_is_told(client, colleague, told):
    assert sign_in(client, " Jonas@ACME.example").status_code == 302
    assert is_in(client)
    ((kind, facts),) = told
    assert (kind, facts["by"], facts["account"]) == ("signed.in", colleague, colleague.account)
    assert (facts["methods"], facts["ip"]) == (["password"], "127.0.0.1")


def test_signing_out_is_told_and_needs_a_post(client, colleague, told):
    sign_in(client, colleague.email)
    client.get("/accounts/logout/")
    assert is_in(client)
    client.post("/accounts/logout/")
    assert not is_in(client)
    assert [(kind, facts["by"]) for kind, facts in told] == [("signed.in", colleague), ("signed.out", colleague)]


@pytest.mark.parametrize(
    "path", ["/accounts/signup/", "/accounts/email/", "/accounts/confirm-email/", "/accounts/3rdparty/"]
)
def test_nobody_signs_up_or_changes_the_address(client, colleague, path):
    assert client.get(path).status_code in {302, 404}  # to the sign-in, for those who are out
    sign_in(client, colleague.email)
    assert client.get(path).status_code == 404
    assert client.post(path, {"email": "eve@evil.example", "password1": PASSWORD}).status_code == 404


@pytest.mark.case("C26")
def test_the_sixth_wrong_password_in_five_minutes_locks_the_address_also_for_the_right_one(client, colleague):
    for _ in range(5):
        sign_in(client, colleague.email, "wrong password")
    sign_in(client, colleague.email)
    assert not is_in(client)


@pytest.mark.case("C26")
def test_other_sessions_hosts_and_ports_do_not_give_more_attempts(colleague, settings):
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
    hosts = ["localhost", "127.0.0.1", "LOCALHOST:81", "localhost:1", "testserver"]
    for number in range(20):
        sign_in(Client(), colleague.email, "wrong password", headers={"host": hosts[number % 5]})
    fresh = Client()
    sign_in(fresh, colleague.email)
    assert not is_in(fresh)


@pytest.mark.case("C26")
def test_one_address_being_locked_leaves_the_colleagues_alone(client, colleague, administrator):
    for _ in range(10):
        sign_in(Client(), colleague.email, "wrong password")
    sign_in(client, administrator.email)
    assert is_in(client)


@pytest.mark.case("C27")
def test_the_session_is_another_one_after_the_sign_in(client, colleague):
    client.get(LOGIN)
    client.session["planted"] = True
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    sign_in(client, colleague.email)
    assert is_in(client)
    assert client.session.session_key != before
    planted = Client()
    planted.cookies["sessionid"] = before
    assert not is_in(planted)


@pytest.mark.case("C27")
def test_the_cookies_are_flagged(client, colleague, settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True  # what BASE_URL=https://… sets
    response = sign_in(client, colleague.email)
    cookie = response.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True)


@pytest.mark.case("C27")
def test_who_does_not_ask_to_be_remembered_has_a_cookie_that_ends_with_the_browser(client, colleague):
    assert sign_in(client, colleague.email).cookies["sessionid"]["max-age"] == ""
    remembered = client.post(LOGIN, {"login": colleague.email, "password": PASSWORD, "remember": "on"})
    assert remembered.status_code == 302


@pytest.mark.case("C27")
def test_the_password_alone_is_not_enough_where_there_is_a_second_factor(client, with_totp, secret, told):
    response = sign_in(client, with_totp.email)
    assert response.url == "/accounts/2fa/authenticate/"
    assert not is_in(client)
    client.post(response.url, {"code": "000000"})
    assert not is_in(client)
    assert told == []
    client.post(response.url, {"code": code(secret)})
    assert is_in(client)
    assert told[0][1]["methods"] == ["password", "mfa"]


@pytest.mark.case("C27")
def test_a_code_works_once(with_totp, secret):
    used = code(secret)
    first, second = Client(), Client()
    for client in (first, second):
        sign_in(client, with_totp.email)
        client.post("/accounts/2fa/authenticate/", {"code": used})
    assert is_in(first)
    assert not is_in(second)


@pytest.mark.case("C26", "C27")
def test_codes_cannot_be_guessed(client, with_totp, secret):
    sign_in(client, with_totp.email)
    for guess in range(20):
        client.post("/accounts/2fa/authenticate/", {"code": f"{guess:06}"})
    client.post("/accounts/2fa/authenticate/", {"code": code(secret)})
    assert not is_in(client)


@pytest.mark.case("C27")
def test_a_recovery_code_works_once(with_totp):
    codes = RecoveryCodes.activate(with_totp).get_unused_codes()
    for client, expected in ((Client(), True), (Client(), False)):
        sign_in(client, with_totp.email)
        client.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert is_in(client) is expected


@pytest.mark.case("C27")
def test_a_new_password_ends_the_other_sessions(client, colleague):
    other = Client()
    for browser in (client, other):
        sign_in(browser, colleague.email)
    wish = {"oldpassword": PASSWORD, "password1": "quite another one 7", "password2": "quite another one 7"}
    assert client.post("/accounts/password/change/", wish).status_code == 302
    assert is_in(client)
    assert not is_in(other)


@pytest.mark.case("C27")
def test_second_factors_are_changed_only_after_saying_the_password_again(client, colleague, monkeypatch):
    def may_change() -> bool:
        response = client.get("/accounts/2fa/totp/activate/")
        assert response.status_code == 200 or response.url.startswith("/accounts/reauthenticate/")
        return response.status_code == 200

    sign_in(client, colleague.email)
    assert not may_change()
    client.post("/accounts/reauthenticate/", {"password": "wrong password"})
    assert not may_change()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert may_change()
    later = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: later)
    assert not may_change()


def test_a_person_sees_the_own_sessions_and_ends_the_others(client, colleague, administrator):
    other = Client()
    for browser in (client, other):
        sign_in(browser, colleague.email)
    assert sessions_of(colleague).count() == 2
    assert not sessions_of(administrator).exists()
    assert end_sessions(colleague, keep=client.session.session_key) == 1
    assert is_in(client)
    assert not is_in(other)
    assert UserSession.objects.count() == 1


@pytest.mark.case("C22")
def test_second_factors_are_encrypted_at_rest_and_survive_a_rotation(with_totp, secret, settings):
    RecoveryCodes.activate(with_totp)
    codes = RecoveryCodes(Authenticator.objects.get(type="recovery_codes"))
    before, seed = codes.get_unused_codes(), codes.instance.data["seed"]
    assert secret not in everything_stored()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    assert rotate_second_factors() == 2
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    after = RecoveryCodes(Authenticator.objects.get(type="recovery_codes"))
    assert after.instance.data["seed"] != seed
    assert after.get_unused_codes() == before
    assert TOTP(Authenticator.objects.get(type="totp")).validate_code(code(secret))


@pytest.mark.case("C28")
def test_passkeys_belong_to_the_configured_host(client, settings):
    settings.BASE_URL = "https://desk.example"
    settings.ALLOWED_HOSTS = ["evil.example", "testserver"]
    options = client.get(
        "/accounts/2fa/webauthn/login/", headers={"host": "evil.example", "accept": "application/json"}
    ).json()
    assert options["request_options"]["publicKey"]["rpId"] == "desk.example"


def test_an_old_session_ends_by_itself(client, colleague, settings):
    sign_in(client, colleague.email)
    session = client.session
    session.set_expiry(timedelta(seconds=-1))
    session.save()
    assert not is_in(client)
