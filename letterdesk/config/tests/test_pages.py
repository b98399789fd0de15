"""The pages of config name things that exist."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from letterdesk.config import environment as env
from letterdesk.config.reactions import REACTIONS
from letterdesk.config.schedule import SCHEDULE
from letterdesk.events.kinds import KINDS
from letterdesk.plans.limits import COMPARISON_PATH


def test_every_reaction_is_to_a_declared_kind():
    assert REACTIONS.keys() <= KINDS.keys()


def test_each_job_stands_once_in_the_schedule_and_runs(db):
    names = [line.job.name for line in SCHEDULE]
    assert len(names) == len(set(names))
    for line in SCHEDULE:
        line.job.now()


def test_every_refusal_leads_to_the_page_of_plans():  # R3
    assert reverse("plans") == COMPARISON_PATH


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("console://", ("console", "", 25, False, False)),
        ("none://", ("dummy", "", 25, False, False)),
        ("smtp://u%40x:p%2Fw@mail.example", ("own_mail", "mail.example", 587, True, False)),
        ("smtps://mail.example", ("own_mail", "mail.example", 465, False, True)),
        ("smtp+plain://127.0.0.1:2525", ("own_mail", "127.0.0.1", 2525, False, False)),
    ],
)
def test_one_address_says_how_our_own_mails_go_out(url, expected):
    made = env.mailer(url)
    assert (made.backend.split(".")[-2], made.host, made.port, made.starttls, made.tls) == expected


def test_user_and_password_of_the_mailer_are_unquoted():
    made = env.mailer("smtp://u%40x:p%2Fw@mail.example")
    assert (made.user, made.password) == ("u@x", "p/w")


@pytest.mark.parametrize("url", ["", "smtp://", "mail.example", "ftp://mail.example"])
def test_a_wrong_address_of_the_mailer_is_refused(url):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        env.mailer(url)


def test_a_number_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("LETTERDESK_PROXIES", "one")
    with pytest.raises(ImproperlyConfigured, match="LETTERDESK_PROXIES"):
        env.number("LETTERDESK_PROXIES", 0)
