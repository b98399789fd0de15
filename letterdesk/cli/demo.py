"""`letterdesk demo`: a seeded company on an embedded mail server."""

import os
from threading import Thread
from typing import Annotated

import typer
from django.conf import settings
from django.utils import timezone

from letterdesk.demo import company
from letterdesk.demo.arriving import link_when_they_come
from letterdesk.demo.crm import furnish_crm
from letterdesk.demo.run import free_port, furnish, mail_server
from letterdesk.demo.sendsave import furnish_sendsave
from letterdesk.demo.server import MailServer
from letterdesk.demo.tasks import furnish_tasks

from .mailbox import print_ledger, sync_shown
from .output import AsJson, answer, console, fail
from .processes import Listen, migrate
from .supervisor import Supervisor


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Sync, print the ledger, and end.")] = False,
    listen: Listen = "127.0.0.1:8000",
    imap_port: Annotated[int, typer.Option(help="Port of the demo's IMAP server.")] = 4143,
    smtp_port: Annotated[int, typer.Option(help="Port of the demo's SMTP server.")] = 4125,
    inbound_port: Annotated[int, typer.Option(help="Port of the SMTP server for secret addresses.")] = 4525,
    as_json: AsJson = False,
) -> None:
    """Start an embedded mail server with a seeded company, and Letterdesk on top. Everything begins anew each time."""
    now = timezone.now()
    migrate()
    with mail_server(now, imap_port=imap_port, smtp_port=smtp_port) as server:
        mailboxes = furnish(server, now)
        furnish_crm(now)
        furnish_tasks(now)
        furnish_sendsave(now)
        if not once:
            server.inbound = (settings.INBOUND.domain, free_port(inbound_port))
            os.environ["LETTERDESK_INBOUND_LISTEN"] = f"{server.host}:{server.inbound[1]}"
            _welcome(server, listen)
            Thread(target=link_when_they_come, args=(now,), daemon=True).start()
            Supervisor([["web", "--listen", listen], ["work"], ["sync"], ["intake"]]).run()
            return
        reports = {mailbox: sync_shown(mailbox, quiet=as_json) for mailbox in mailboxes}
    if as_json:
        answer({mailbox.address: report.as_json() for mailbox, report in reports.items()}, as_json=True)
    else:
        for mailbox, report in reports.items():
            print_ledger(mailbox, report)
    if not all(report.agrees for report in reports.values()):
        raise typer.Exit(2) if as_json else fail("disagree", "Server and copy do not agree.", status=2)


def _welcome(server: MailServer, listen: str) -> None:
    people = "\n".join(f"  {person.address:<24} {person.name}, {person.role}" for person in company.PEOPLE)
    console.print(
        f"\nLetterdesk: http://{listen}\n\nSign in as one of these, with the password {company.PASSWORD}\n{people}\n\n"
        f"IMAP {server.host}:{server.imap_port} and SMTP {server.host}:{server.smtp_port} are the demo's mail server "
        "(no encryption, this machine only).\nSend a letter and watch it arrive:\n"
        f"  printf 'From: you@example.org\\nSubject: Hello\\n\\nIt works.\\n' | curl -s smtp://{server.host}:"
        f"{server.smtp_port} --mail-from you@example.org --mail-rcpt {company.PEOPLE[0].address} -T -\n\n"
        "Letters to secret addresses (Settings › Send & Save) and answers of guests of tasks go to the same server.\n\n"
        "Stop with Ctrl-C.\n",
        markup=False,
    )
