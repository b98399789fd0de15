"""The company that looks at its mail, and what it is told."""

import pytest
from django.test import Client
from django.utils import timezone

from letterdesk.events.dispatch import dispatch
from letterdesk.notifications.browsers import subscribe
from letterdesk.notifications.lines import lines_of
from letterdesk.web.tests.conftest import (  # noqa: F401  fixtures
    account,
    archive,
    blobs_folder,
    browser,
    deliver,
    inbox,
    ines,
    jonas,
    mailbox,
    now,
    people,
    sign_in,
    sold_plans,
    stranger,
    things,
    trash,
)
from tests.rig.pushing import PushService, Receiver


@pytest.fixture
def told():
    """What somebody is told, as (kind, title, detail), after all that happened was handed on."""

    def look(employee, **only):
        dispatch(timezone.now())
        return [(line.kind, line.title, line.detail) for line in lines_of(employee, timezone.now(), **only)]

    return look


@pytest.fixture
def service(authority, settings, monkeypatch):
    """A push service on this machine, which the installation may reach."""
    settings.PUSH_NETWORKS = ["127.0.0.0/8", "::1/128"]
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with PushService(authority.pair()) as service:
        yield service


@pytest.fixture
def subscribed(service):
    """Let somebody's browser subscribe; returns the browser."""

    def enter(employee, path="/p/1"):
        client = Client()
        client.force_login(employee)
        receiver = Receiver()
        receiver.row = subscribe(
            employee, **receiver.form(service.address(path)), session=client.session.session_key, name="Firefox"
        )
        return receiver

    return enter
