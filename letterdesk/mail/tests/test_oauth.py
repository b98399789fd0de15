"""Signing in by OAuth 2.0: the question, its answer, and every way in which a provider may answer otherwise."""

from urllib.parse import parse_qs, urlsplit

import pytest

from letterdesk.mail import errors, oauth
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap_types import Login
from letterdesk.mail.oauth import Provider
from letterdesk.mail.sasl_token import saying
from tests.rig.consent import SECRET, Consents

LOOPBACK = Guard(("127.0.0.0/8",))
BACK = "http://127.0.0.1:8000/oauth/rigmail"
ADDRESS = "ines@rig.example"
HERE = {"imap": "localhost:993 tls", "smtp": "localhost:465 tls"}


@pytest.fixture
def server():
    with Consents() as running:
        yield running


@pytest.fixture
def provider(server):
    return server.provider(**HERE)


@pytest.fixture
def answered(server, provider):
    """Ask, let somebody allow it, and give what came back with what is remembered."""

    def ask(account=""):
        url, asked = oauth.ask_for_consent(provider, redirect=BACK, address=ADDRESS)
        return asked, server.allow(url, account=account)

    return ask


def test_a_code_becomes_tokens_and_says_who_signed_in(server, provider, answered):
    asked, answer = answered()
    assert oauth.is_answer_to(asked, provider, answer)
    tokens = oauth.redeem(provider, oauth.code_of(provider, answer), asked, redirect=BACK, guard=LOOPBACK)
    assert tokens.who == (ADDRESS,) and tokens.lasts == 3600 and tokens.refresh
    assert server.address_of(tokens.access) == ADDRESS


def test_the_question_says_what_is_wanted_and_nothing_secret(provider):
    url, asked = oauth.ask_for_consent(provider, redirect=BACK, address=ADDRESS)
    query = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
    assert query["response_type"] == "code" and query["code_challenge_method"] == "S256"
    assert query["scope"] == "mail openid email" and query["login_hint"] == ADDRESS
    assert asked.verifier not in url and SECRET not in url
    assert len(asked.verifier) >= 43  # RFC 7636 4.1
    again = oauth.ask_for_consent(provider, redirect=BACK, address=ADDRESS)[1]
    assert {again.state, again.verifier, again.nonce}.isdisjoint({asked.state, asked.verifier, asked.nonce})


def test_a_code_is_good_once_and_with_its_own_verifier_alone(provider, answered):
    asked, answer = answered()
    other, _ = answered()
    with pytest.raises(errors.ConsentRefused):
        oauth.redeem(provider, answer["code"], other, redirect=BACK, guard=LOOPBACK)
    asked, answer = answered()
    oauth.redeem(provider, answer["code"], asked, redirect=BACK, guard=LOOPBACK)
    with pytest.raises(errors.ConsentRefused):
        oauth.redeem(provider, answer["code"], asked, redirect=BACK, guard=LOOPBACK)


def test_an_answer_to_another_question_or_from_another_provider_is_none(provider, answered):
    asked, answer = answered()
    other, _ = answered()
    assert not oauth.is_answer_to(other, provider, answer)
    assert not oauth.is_answer_to(asked, provider, {**answer, "state": ""})
    assert not oauth.is_answer_to(asked, provider, {"code": "x"})
    assert not oauth.is_answer_to(asked, provider, {**answer, "iss": "https://evil.example"})  # RFC 9207


def test_an_id_token_that_was_meant_for_another_question_is_refused(provider, answered):
    asked, answer = answered()
    mixed = oauth.Asked(asked.state, asked.verifier, nonce="another")
    with pytest.raises(errors.ConsentRefused, match="meant for somebody else"):
        oauth.redeem(provider, answer["code"], mixed, redirect=BACK, guard=LOOPBACK)


def test_less_than_mail_needs_is_told(server, provider, answered):
    server.scope = "openid email"
    asked, answer = answered()
    with pytest.raises(errors.ConsentRefused, match="not allowed: mail"):
        oauth.redeem(provider, answer["code"], asked, redirect=BACK, guard=LOOPBACK)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"error": "access_denied"}, errors.ConsentRefused),
        ({"error": "access_denied", "error_description": "AADSTS90094: needs admin"}, errors.ConsentMissing),
        ({"error": "consent_required"}, errors.ConsentMissing),
        ({"error": "admin_policy_enforced"}, errors.ConsentMissing),
        ({"error": "temporarily_unavailable"}, errors.ProviderUnavailable),
        ({"error": "unauthorized_client"}, errors.NotRegistered),
        ({}, errors.ConsentRefused),
    ],
)
def test_every_no_has_a_name(provider, answer, kind):
    with pytest.raises(errors.MailError) as caught:
        oauth.code_of(provider, answer)
    assert type(caught.value) is kind


@pytest.mark.parametrize("token", ["a b", "", "a\r\nb", "ä", "x" * 20_000, 7, None])
def test_what_is_no_token_never_reaches_a_command(provider, token):
    with pytest.raises(errors.ProviderUnavailable):
        oauth._tokens(provider, {"access_token": token}, "")


@pytest.mark.parametrize(
    ("told", "seconds"), [(60, 60), ("3599", 3599), (None, 3600), ("soon", 3600), (-5, 0), (10**9, 86_400)]
)
def test_how_long_a_token_lasts_is_believed_within_reason(provider, told, seconds):
    assert oauth._tokens(provider, {"access_token": "a", "expires_in": told}, "").lasts == seconds


@pytest.mark.parametrize("id_token", ["", "a.b", "a.!!.c", "a.W10.c", 7, f"a.{'A' * 50}.c"])
def test_an_id_token_that_cannot_be_read_says_nobody(provider, id_token):
    assert oauth._who(provider, id_token, "n") == ()


@pytest.mark.case("D02")
def test_the_token_endpoint_passes_the_guard(provider):
    with pytest.raises(errors.NotRegistered, match="not allowed"):
        oauth.renew(provider, "r", guard=Guard())


def test_a_provider_speaks_encrypted_or_on_this_machine(server):
    table = server.table(**HERE)
    for key in ("authorize", "token"):
        with pytest.raises(ValueError, match="https"):
            Provider.of("x", {**table, key: "http://login.example/x"})
    with pytest.raises(ValueError, match="colour"):
        Provider.of("x", {**table, "colour": "red"})
    with pytest.raises(ValueError, match="token"):
        Provider.of("x", {name: value for name, value in table.items() if name != "token"})


def test_its_tokens_go_to_its_own_servers_alone(provider):
    assert provider.serves("LocalHost.", "")
    assert not provider.serves("localhost", "smtp.thief.example")


def test_a_token_is_said_as_the_server_offers():
    login = Login("imap.example", 993, "tls", "ines,=x@a.example", oauth_token="tok")
    assert saying(login, ["XOAUTH2", "OAUTHBEARER"]).mechanism == "XOAUTH2"
    bearer = saying(login, ["PLAIN", "OAUTHBEARER"])
    assert bearer.response.startswith(b"n,a=ines=2C=3Dx@a.example,\1host=imap.example\1port=993\1auth=Bearer tok\1\1")
    assert bearer.after_report == b"\1"
    with pytest.raises(errors.NotSupported):
        saying(login, ["PLAIN"])
    with pytest.raises(errors.NotSendable):
        saying(Login("h", 1, "tls", "a\1b", oauth_token="t"), ["XOAUTH2"])
    assert "tok" not in repr(bearer)
