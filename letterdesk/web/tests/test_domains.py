"""An administrator adds a domain, puts its record into DNS, and has it checked."""

import dns.resolver
import pytest

from letterdesk.mail import dkim
from letterdesk.mail.tests.test_autoconfig import zone
from letterdesk.mail.tests.test_dkim import record
from letterdesk.outbound.models import SigningKey


@pytest.fixture
def admin(people, sign_in):
    return sign_in(people["administrator"])


def test_a_domain_is_added_checked_and_removed(admin, monkeypatch):
    page = admin.post("/settings/domains", {"domain": "Acme.example"}, follow=True).content.decode()
    key = SigningKey.objects.get()
    assert dkim.record_name(key.selector, "acme.example") in page and dkim.record_text(key.key) in page
    assert "PRIVATE KEY" not in page
    for records, signed in (([], False), ([record(key.key, f"{key.selector}._domainkey.acme.example.")], True)):
        with zone(*records) as (resolver, _):
            monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
            page = admin.post(f"/settings/domains/{key.public_id}/check", follow=True).content.decode()
        assert ("Letters are signed" in page) is signed
    admin.post(f"/settings/domains/{key.public_id}/removal")
    assert not SigningKey.objects.exists()


def test_what_is_no_domain_is_refused_in_words(admin):
    answer = admin.post("/settings/domains", {"domain": "nonsense"})
    assert answer.status_code == 422 and "is no domain" in answer.content.decode()
    assert 'value="nonsense"' in answer.content.decode()
