"""Whom somebody works for, guessed from what stands behind the @ of their address."""

from functools import lru_cache
from importlib.resources import files

from letterdesk.mail.addresses import address_key

from ..models import EmailAddress, Kind, Record

MOST = 50  # addresses of a domain that are looked at


@lru_cache(maxsize=1)
def public_domains() -> frozenset[str]:
    """Domains whose addresses are given to anybody (public_domains.txt)."""
    lines = files(__package__).joinpath("public_domains.txt").read_text("utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def domain_of(address: str) -> str:
    """What stands behind the @, folded; empty where that says nothing about a company."""
    domain = address_key(address).rpartition("@")[2]
    labels = domain.split(".")
    above = {".".join(labels[place:]) for place in range(len(labels))}
    return "" if len(labels) < 2 or above & public_domains() else domain


def company_of(account_id: int, address: str) -> Record | None:
    """The one company in which addresses of this domain stand already; None: none does, or several do."""
    domain = domain_of(address)
    if not domain:
        return None
    same = EmailAddress.objects.filter(account=account_id, domain=domain, record__deleted_at=None)
    of_companies = same.filter(record__kind=Kind.COMPANY).values_list("record", flat=True)[:MOST]
    of_people = same.filter(record__kind=Kind.CONTACT, record__company__deleted_at=None)
    found = {*of_companies, *of_people.exclude(record__company=None).values_list("record__company", flat=True)[:MOST]}
    return Record.objects.filter(pk=found.pop()).first() if len(found) == 1 else None


def name_of(address: str) -> str:
    """A company's name that the domain suggests, for a form: "Okafor Studio" of amara@okafor-studio.example."""
    labels = domain_of(address).split(".")
    if len(labels) < 2:
        return ""
    own = labels[-3] if len(labels) > 2 and len(labels[-2]) <= 3 and len(labels[-1]) == 2 else labels[-2]  # co.uk
    return "" if own.startswith("xn--") else " ".join(word.capitalize() for word in own.split("-") if word)
