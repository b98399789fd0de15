"""Mailboxes that sign in by OAuth, on a real Dovecot that asks a real authorization server whose token it is."""

import pytest

from letterdesk.accounts.models import Employee
from letterdesk.mail.errors import NotRegistered, ProviderUnavailable, SignInAgain, TokenRefused
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection, Login
from letterdesk.mailboxes.connect import mend
from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.mailboxes.tokens import Consent
from letterdesk.outbound import drafts
from letterdesk.outbound.models import State
from letterdesk.outbound.send import send
from letterdesk.outbound.tests.sending import after
from letterdesk.sync.connections import Connections
from letterdesk.sync.diagnose import trace_of
from tests.rig.consent import CLIENT, SECRET, dovecot_settings
from tests.rig.copies import Copy
from tests.rig.sink import Sink
from tests.rig.world import make_mailbox

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.dovecot,
    pytest.mark.usefixtures("allow_loopback", "blob_folder"),
]
LETTER = b"From: a@b.example\r\nSubject: One\r\n\r\nHello"
LOOPBACK = Guard(("127.0.0.0/8",))


@pytest.fixture
def copy(token_dovecot, consents, settings):
    """A mailbox with one letter, whose owner has consented."""
    server = token_dovecot
    settings.OAUTH_PROVIDERS = {
        "rigmail": consents.provider(imap=f"127.0.0.1:{server.port} none", smtp="127.0.0.1:1 none")
    }
    user = server.add_user()
    server.deliver(user, LETTER)
    mailbox = make_mailbox(server, user, address=user.name, smtp_host="127.0.0.1", signs_in_by="rigmail")
    sign_in_again(mailbox, consents)
    return Copy(server, user, mailbox)


def sign_in_again(mailbox, consents):
    consent = Consent("rigmail", consents.consent(mailbox.address).refresh)
    mend(mailbox, secret=consent.as_secret(), by=mailbox.owner, now=mailbox.connected_at)


def test_a_mailbox_is_kept_in_step_by_tokens_that_end_and_are_withdrawn(copy, consents):
    copy.settle()
    copy.agrees()
    first = Consent.of(copy.mailbox.secret).access
    consents.forget_access()  # before its time: the next sign-in is refused, and another token gets in
    copy.server.deliver(copy.user, LETTER.replace(b"One", b"Two"))
    copy.settle()
    assert len(copy.uids()) == 2 and Consent.of(copy.mailbox.secret).access != first
    consents.revoke(copy.user.name)
    with pytest.raises(SignInAgain):
        copy.sync()
    copy.mailbox.refresh_from_db()
    assert (copy.mailbox.state, copy.mailbox.error_code) == (MailboxState.FAILING, "oauth_again")
    assert copy.mailbox.error_text == "Rigmail no longer lets us in: sign in again."
    sign_in_again(copy.mailbox, consents)
    copy.server.deliver(copy.user, LETTER.replace(b"One", b"Three"))
    copy.settle()
    copy.agrees()
    assert len(copy.uids()) == 3 and copy.mailbox.state == MailboxState.CONNECTED
    assert copy.mailbox.error_code == ""


def test_a_provider_in_trouble_stops_nothing_for_good_and_blames_no_host(copy, consents):
    doors = Connections(timeout=5)
    consents.modes = ["503#1", "invalid_client#1"]
    for kind in (ProviderUnavailable, NotRegistered):
        with pytest.raises(kind):
            doors.open(copy.mailbox)
        assert doors.hosts.rest(copy.mailbox.imap_host) == 0
    consents.modes = ["503#1"]
    with pytest.raises(ProviderUnavailable):
        copy.sync()
    copy.mailbox.refresh_from_db()
    assert (copy.mailbox.state, copy.mailbox.error_code) == (MailboxState.CONNECTED, "oauth_unavailable")
    copy.settle()
    copy.mailbox.refresh_from_db()
    assert copy.mailbox.error_code == ""


def test_a_token_that_the_server_does_not_take_is_renewed_once(copy, consents):
    """Somebody else's token: the server's word counts, and it is asked twice, not for ever."""
    consents.opens = {copy.user.name: "somebody@else.example"}
    asked = len(consents.asked)
    with pytest.raises(TokenRefused, match="did not accept the sign-in"):
        copy.sync()
    assert len(consents.asked) == asked + 2
    copy.mailbox.refresh_from_db()
    assert (copy.mailbox.state, copy.mailbox.error_code) == (MailboxState.FAILING, "oauth_refused")


def test_a_shared_mailbox_is_opened_with_the_token_of_who_may(copy, consents):
    consent = Consent("rigmail", consents.consent("boss@rig.example").refresh)
    mend(copy.mailbox, secret=consent.as_secret(), by=copy.mailbox.owner, now=copy.now)
    consents.opens = {"boss@rig.example": copy.user.name}
    copy.settle()
    copy.agrees()


def test_a_password_gives_way_to_a_consent_and_everything_stays(copy, consents):
    mend(copy.mailbox, secret={"password": copy.user.password}, by=copy.mailbox.owner, now=copy.now)
    assert copy.mailbox.signs_in_by == ""
    copy.settle()
    before = copy.uids(), list(Mailbox.objects.get().folders.values_list("pk", flat=True))
    sign_in_again(copy.mailbox, consents)
    copy.settle()
    assert (copy.uids(), list(Mailbox.objects.get().folders.values_list("pk", flat=True))) == before
    assert copy.mailbox.signs_in_by == "rigmail"


def test_oauthbearer_is_spoken_where_it_alone_is_offered(consents, dovecot_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bearer")
    folder.chmod(0o755)
    settings = dovecot_settings(consents, folder / "oauth2.conf.ext", mechanisms="oauthbearer")
    server = dovecot_server(settings=settings)
    user = server.add_user()
    form = {"client_id": CLIENT, "client_secret": SECRET, "grant_type": "refresh_token"}
    token = consents.token({**form, "refresh_token": consents.consent(user.name).refresh})[1]["access_token"]
    with Connection.open(Login(server.host, server.port, "none", user.name, oauth_token=str(token)), LOOPBACK) as line:
        assert line.status("INBOX").messages == 0
    with pytest.raises(TokenRefused, match="did not accept"):
        Connection.open(Login(server.host, server.port, "none", user.name, oauth_token="wrong"), LOOPBACK)


@pytest.mark.case("C22")
def test_a_trace_has_no_token(copy):
    copy.sync()
    copy.mailbox.refresh_from_db()
    consent = Consent.of(copy.mailbox.secret)
    traced = trace_of(copy.mailbox)
    text = "\n".join(traced.lines)
    assert traced.error is None and "AUTHENTICATE" in text
    assert consent.access not in text and "Bearer" not in text and "QmVhcmVy" not in text


def test_a_letter_leaves_by_token_and_waits_where_one_has_to_sign_in_again(copy, consents):
    with Sink(address_of=consents.address_of) as sink:
        sink.reach(copy.mailbox)
        delivery = after(letter(copy), copy.now)
        assert delivery.state == State.SENT and len(sink.taken) == 1
        consents.forget_access()  # refused with an error report, acknowledged with nothing, and another token gets in
        delivery = after(letter(copy), copy.now)
        assert delivery.state == State.SENT and len(sink.taken) == 2
        assert "" in sink.lines
        consents.revoke(copy.user.name)
        consents.forget_access()
        delivery = after(letter(copy), copy.now)
        assert delivery.state == State.DEFERRED and "sign in again" in delivery.error
        sign_in_again(copy.mailbox, consents)
        assert after(delivery, copy.now).state == State.SENT and len(sink.taken) == 3


def letter(copy):
    copy.mailbox.refresh_from_db()
    owner = Employee.objects.get(pk=copy.mailbox.owner_id)
    draft = drafts.start(copy.mailbox, by=owner, now=copy.now, to=[("Bo", "bo@c.example")], subject="Hi", body_text="x")
    return send(draft, by=owner, seen=1, now=copy.now)
