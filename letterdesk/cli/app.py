"""All commands. What is refused is told by name and in words, with exit status 1."""

from collections.abc import Callable
from typing import Any

import typer
from django.core.exceptions import ValidationError
from typer.core import TyperGroup

from letterdesk.accounts.close import AlreadyClosed, NotClosed
from letterdesk.accounts.dismiss import NotDismissed
from letterdesk.accounts.invite import InvitationInvalid
from letterdesk.accounts.join import AddressTaken, NotAnAddress
from letterdesk.accounts.pace import TooFast
from letterdesk.accounts.roles import LastAdministrator, NotAllowed
from letterdesk.crm.linking.exclusions import BadPattern
from letterdesk.crm.own.fields import BadField
from letterdesk.crm.own.read import BadValue
from letterdesk.crm.polled.connect import BadPolled
from letterdesk.crm.records import bin as crm_bin
from letterdesk.crm.records import change as crm_change
from letterdesk.crm.records import hand_over as crm_hand_over
from letterdesk.crm.records.fields import BadRecord
from letterdesk.lib.crypto import SecretUnreadable
from letterdesk.mail.errors import MailError
from letterdesk.mailboxes.connect import AlreadyConnected, NotPossible
from letterdesk.mailboxes.importing import HasServer
from letterdesk.mailboxes.retention import legal
from letterdesk.outbound.drafts import NotYours
from letterdesk.outbound.pacing import BadLimit
from letterdesk.outbound.resolve import NotSo
from letterdesk.outbound.send import TooLate
from letterdesk.outbound.senders import BadSender, NoMail
from letterdesk.plans import change
from letterdesk.plans.catalogue import CatalogueError
from letterdesk.plans.limits import LimitReached, NotInPlan
from letterdesk.plans.open import UnknownTimeZone
from letterdesk.sync.once import Busy, NotSyncable
from letterdesk.tasks.bin import NotInBin, StillOnItsWay
from letterdesk.tasks.hand_over import NotHandedOver
from letterdesk.tasks.link import InBin
from letterdesk.tenancy.purge import Held

from . import (
    audit,
    closing,
    crm,
    doctor,
    domain,
    exporting,
    hold,
    importing,
    keys,
    leaving,
    mailbox,
    operator,
    outbox,
    people,
    plan,
    processes,
    retention,
    sender,
    sendsave,
    tasks,
    usage,
)
from .crm import NoSuchLetter, NoSuchRecord
from .demo import demo
from .outbox import NotOnItsWay
from .output import asked_for_json, fail
from .tasks import NoSuchTask

NAMED: dict[type[Exception], str] = {
    NotSo: "not_so", NotYours: "not_yours", TooLate: "too_late", NotOnItsWay: "not_on_its_way",
    NotInPlan: "not_in_plan", LimitReached: "over_plan", AlreadyConnected: "already_connected",
    NotPossible: "not_possible", NotSyncable: "not_syncable", Busy: "busy", AddressTaken: "address_taken",
    NotAnAddress: "not_an_address", NotAllowed: "not_allowed", InvitationInvalid: "invitation_invalid",
    UnknownTimeZone: "unknown_time_zone", CatalogueError: "catalogue", FileNotFoundError: "file_not_found",
    legal.NotPossible: "not_possible", change.NotPossible: "not_possible",
    HasServer: "has_server", SecretUnreadable: "secret_unreadable",
    InBin: "in_bin", NotInBin: "not_in_bin", StillOnItsWay: "still_on_its_way", NoSuchTask: "no_such_task",
    AlreadyClosed: "already_closed", NotClosed: "not_closed", Held: "held",
    NotDismissed: "not_dismissed", NotHandedOver: "not_handed_over", LastAdministrator: "last_administrator",
    BadLimit: "bad_limit", BadSender: "bad_sender", BadPolled: "bad_polled", NoMail: "no_mail", TooFast: "too_fast",
    BadValue: "bad_value", BadField: "bad_field",
    BadRecord: "bad_record", BadPattern: "bad_pattern", NoSuchRecord: "no_such_record", NoSuchLetter: "no_such_letter",
    crm_hand_over.NotHandedOver: "not_handed_over", crm_change.InBin: "in_bin", crm_bin.NotInBin: "not_in_bin",
}  # fmt: skip


class Commands(TyperGroup):
    """Tells named errors in words instead of a traceback."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Note whether errors are to be told in JSON too."""
        asked_for_json.set("--json" in args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        return _told(lambda: super(Commands, self).invoke(ctx))


def _told(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except MailError as error:
        raise fail(error.code, error.text) from error
    except ValidationError as error:
        raise fail("not_valid", " ".join(error.messages)) from error
    except tuple(NAMED) as error:
        code = next(name for kind, name in NAMED.items() if isinstance(error, kind))
        raise fail(code, str(error)) from error


app = typer.Typer(
    cls=Commands,
    help="Letterdesk: team webmail joined to CRM and tasks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(processes.run)
app.command()(processes.web)
app.command()(processes.work)
app.command()(processes.sync)
app.command()(processes.intake)
app.command("migrate")(processes.migrate)
app.command()(demo)
app.command()(doctor.doctor)
app.command("import")(importing.import_letters)
app.command()(importing.reparse)
people.accounts.command("plan")(plan.plan)
people.accounts.command("usage")(usage.usage)
leaving.lay_out(people.employees)
closing.lay_out(people.accounts)
people.accounts.command("export")(exporting.export_account)
app.command()(audit.audit)
app.add_typer(people.accounts, name="account")
app.add_typer(people.employees, name="employee")
app.add_typer(mailbox.app, name="mailbox")
app.add_typer(operator.app, name="operator")
app.add_typer(retention.app, name="retention")
app.add_typer(domain.app, name="domain")
app.add_typer(sender.app, name="sender")
app.add_typer(sendsave.app, name="sendsave")
app.add_typer(hold.app, name="hold")
app.add_typer(tasks.app, name="task")
app.add_typer(outbox.app, name="outbox")
app.add_typer(crm.app, name="crm")
app.add_typer(keys.app, name="keys")
