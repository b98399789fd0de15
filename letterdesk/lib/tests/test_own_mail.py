"""Our own mails say that a program wrote them."""

from email import message_from_bytes

from django.core.mail import EmailMessage, send_mail

from letterdesk.config import environment as env
from tests.rig.sink import Sink


def test_whatever_goes_out_says_that_a_program_wrote_it(settings):  # RFC 3834 5
    with Sink() as sink:
        way = env.mailer(f"smtp+plain://{sink.host}:{sink.port}")
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = way.backend, way.host, way.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        send_mail("Join us", "Here.", None, ["bo@acme.example"])
        EmailMessage("Away", ".", None, ["bo@acme.example"], headers={"Auto-Submitted": "auto-replied"}).send()
    told = [message_from_bytes(each.raw).get_all("Auto-Submitted") for each in sink.taken]
    assert told == [["auto-generated"], ["auto-replied"]]
