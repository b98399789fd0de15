"""Sets the demo up: the mail server with its letters, the company, its people and their mailboxes."""

import socket
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from letterdesk.accounts.join import add_employee
from letterdesk.accounts.models import Account, Department, Employee
from letterdesk.mailboxes.connect import Server, connect
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.share import grant
from letterdesk.plans.open import open_account

from . import company
from .letters import seeded
from .server import MailServer, Seeded

DAYS = 30  # of the plan Standard; the older letters show up in the ledger as left out by rule


@contextmanager
def mail_server(now: datetime, *, imap_port: int, smtp_port: int) -> Iterator[MailServer]:
    """The seeded mail server, on other ports where these are taken."""
    passwords = dict.fromkeys(company.ADDRESSES, company.PASSWORD)
    letters: dict[str, list[Seeded]] = defaultdict(list)
    for placed in seeded(now):
        letters[placed.address].append(placed.letter)
    with MailServer(passwords, imap_port=free_port(imap_port), smtp_port=free_port(smtp_port)) as server:
        for address, its_letters in letters.items():
            server.seed(address, sorted(its_letters, key=lambda letter: letter.received_at))
        yield server


def furnish(server: MailServer, now: datetime) -> list[Mailbox]:
    """Open the account on the plan Standard, make its people, connect and share their mailboxes."""
    first, *others = company.PEOPLE
    account = open_account(
        company.NAME,
        time_zone=company.ZONE,
        plan="standard",
        administrator_email=first.address,
        administrator_name=first.name,
        password=company.PASSWORD,
        now=now,
    )
    people = {first.key: Employee.objects.get(email=first.address)}
    for person in others:
        people[person.key] = add_employee(
            account, email=person.address, name=person.name, password=company.PASSWORD, role=person.role, now=now
        )
    departments = _departments(account, people)
    personal = [
        _connect(server, people[person.key], address=person.address, name=person.name, now=now)
        for person in company.PEOPLE
    ]
    return personal + [
        _shared(server, box, owner=people[box.owner], departments=departments, now=now) for box in company.SHARED
    ]


def _departments(account: Account, people: dict[str, Employee]) -> dict[str, Department]:
    departments = {
        name: Department.objects.create(account=account, name=name)
        for name in dict.fromkeys(person.department for person in company.PEOPLE)
    }
    for person in company.PEOPLE:
        people[person.key].department = departments[person.department]
        people[person.key].save(update_fields=["department"])
    return departments


def _connect(server: MailServer, owner: Employee, *, address: str, name: str, now: datetime) -> Mailbox:
    settings = Server(
        imap_host=server.host, imap_port=server.imap_port, imap_security="none", imap_user=address,
        smtp_host=server.host, smtp_port=server.smtp_port, smtp_security="none", smtp_user=address,
    )  # fmt: skip
    secret = {"password": company.PASSWORD}
    return connect(
        owner, address=address, server=settings, secret=secret, name=name, fetch_days=DAYS, by=owner, now=now
    )


def _shared(
    server: MailServer,
    box: company.SharedMailbox,
    *,
    owner: Employee,
    departments: dict[str, Department],
    now: datetime,
) -> Mailbox:
    mailbox = _connect(server, owner, address=box.address, name=box.name, now=now)
    grant(mailbox, to=departments[box.department] if box.department else None, by=owner, now=now)
    return mailbox


def free_port(port: int) -> int:
    """This port, or another one where it is taken."""
    for wish in (port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wish))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("There is no free port on 127.0.0.1.")
