"""`letterdesk crm saving`, `exclude`, `exclusions`, `allow`: what is saved to CRM by itself, and what never."""

from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.crm.exclusions import allow, exclude
from letterdesk.crm.models import Exclusion, Unknown
from letterdesk.crm.saving import change_saving, saving_of
from letterdesk.mailboxes.models import Mailbox

from .output import AsJson, answer, fail, table
from .people import employee_of

app = typer.Typer()
By = Annotated[str, typer.Option("--by", help="Address of the employee who does it.")]
Pattern = Annotated[str, typer.Argument(help="An address, a domain (@example.com), or a pattern with *.")]


@app.command("saving")
def saving(
    mailbox: Annotated[str, typer.Argument(help="Address of the mailbox.")],
    *,
    by: By,
    known: Annotated[bool | None, typer.Option(help="Save letters of known addresses.")] = None,
    incoming: Annotated[Unknown | None, typer.Option(help="What a letter of an unknown address becomes.")] = None,
    outgoing: Annotated[Unknown | None, typer.Option(help="What a letter to an unknown address becomes.")] = None,
    responsible: Annotated[str, typer.Option(help="Address of the employee whose leads they are.")] = "",
    as_json: AsJson = False,
) -> None:
    """What of a mailbox is saved by itself; with options: change it, from now on."""
    person = employee_of(by)
    found = Mailbox.objects.manageable_by(person).filter(address=mailbox).select_related("account", "owner").first()
    if found is None:
        raise fail("no_such_mailbox", f"{person.email} manages no mailbox {mailbox}.")
    now = saving_of(found)
    if known is not None or incoming or outgoing or responsible:
        change_saving(
            found,
            by=person,
            known=now.known if known is None else known,
            unknown_incoming=incoming or now.unknown_incoming,
            unknown_outgoing=outgoing or now.unknown_outgoing,
            responsible=employee_of(responsible) if responsible else now.responsible,
        )
        now = saving_of(found)
    facts = {
        "mailbox": found.address,
        "known": now.known,
        "unknown_incoming": str(now.unknown_incoming),
        "unknown_outgoing": str(now.unknown_outgoing),
        "responsible": now.responsible.email if now.responsible else found.owner.email,
    }
    answer(facts, as_json=as_json)


@app.command("exclude")
def exclude_pattern(
    pattern: Pattern,
    *,
    by: By,
    comment: Annotated[str, typer.Option(help="Why, for colleagues.")] = "",
    as_json: AsJson = False,
) -> None:
    """Never save this by itself; replies in conversations that stand in CRM are still kept."""
    made = exclude(pattern, by=employee_of(by), now=timezone.now(), comment=comment)
    answer({"pattern": made.pattern}, as_json=as_json, text=f"{made.pattern} is not saved any more.")


@app.command("exclusions")
def list_exclusions(*, by: By, as_json: AsJson = False) -> None:
    """What is never saved by itself."""
    found = Exclusion.objects.visible_to(employee_of(by)).order_by("pattern")
    rows = [{"pattern": each.pattern, "since": each.at, "comment": each.comment} for each in found]
    table(rows, as_json=as_json, empty="Nothing is excluded.")


@app.command("allow")
def allow_pattern(pattern: Pattern, *, by: By, as_json: AsJson = False) -> None:
    """Take it off the list again; for administrators."""
    person = employee_of(by)
    found = Exclusion.objects.editable_by(person).filter(pattern=pattern).first()
    if found is None:
        raise fail("no_such_exclusion", f"{person.email} can take no {pattern} off the list.")
    allow(found, by=person)
    answer({"pattern": pattern}, as_json=as_json, text=f"{pattern} is saved again.")
