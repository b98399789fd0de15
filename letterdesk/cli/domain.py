"""`letterdesk domain …`: the domains whose letters are signed (DKIM, RFC 6376)."""

from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.mail import dkim
from letterdesk.mail.dkim import Published
from letterdesk.outbound import signing
from letterdesk.outbound.models import SigningKey

from .output import AsJson, answer, fail, table
from .plan import account_of

app = typer.Typer(help="Domains whose letters are signed.", no_args_is_help=True)
Account = Annotated[str, typer.Argument(help="The account's public id, or its name.")]
Domain = Annotated[str, typer.Argument(help="The domain, as in example.com.")]


@app.command("list")
def show(account: Account, *, as_json: AsJson = False) -> None:
    """The domains of an account, and since when their letters are signed."""
    rows = [
        {"domain": key.domain, "record": dkim.record_name(key.selector, key.domain), "signed since": key.published_at}
        for key in signing.of(account_of(account))
    ]
    table(rows, as_json=as_json, empty="No domain is signed.")


@app.command("add")
def add(account: Account, domain: Domain, *, as_json: AsJson = False) -> None:
    """Make a key for a domain; prints the record that has to stand in DNS before letters are signed."""
    try:
        key = signing.add(account_of(account), domain, by=None, now=timezone.now())
    except signing.NotADomain as error:
        raise fail("not_a_domain", str(error)) from None
    told = {"record": dkim.record_name(key.selector, key.domain), "type": "TXT", "text": dkim.record_text(key.key)}
    answer(told, as_json=as_json)


@app.command("check")
def check(account: Account, domain: Domain, *, as_json: AsJson = False) -> None:
    """Ask DNS for a domain's record: signing begins or ends with the answer. Ends with 1 unless it stands there."""
    key = _key(account, domain)
    said = signing.check(key, now=timezone.now())
    if said != Published.YES:
        raise fail(f"record_{said}", f"The record of {key.domain} in DNS: {said}.")
    answer({"domain": key.domain, "signed since": key.published_at}, as_json=as_json)


@app.command("remove")
def remove(account: Account, domain: Domain, *, as_json: AsJson = False) -> None:
    """Forget a domain's key: its letters are not signed any more."""
    key = _key(account, domain)
    signing.remove(key, by=None)
    answer({"removed": key.domain}, as_json=as_json)


def _key(account: str, domain: str) -> SigningKey:
    key = signing.of(account_of(account)).filter(domain=domain.lower()).first()
    if key is None:
        raise fail("no_such_domain", f"There is no domain {domain} in this account.")
    return key
