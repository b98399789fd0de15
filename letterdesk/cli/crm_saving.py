"""`letterdesk crm saving`, `exclude`, `exclusions`, `allow`: what is saved to CRM by itself, and what never."""

from typing import Annotated, Any

import typer
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.crm.linking.exclusions import allow, exclude
from letterdesk.crm.linking.turns import people_in_turn
from letterdesk.crm.models import Exclusion, Kind, Pipeline, Returning, Unknown
from letterdesk.crm.saving import change_saving, saving_of
from letterdesk.mailboxes.models import Mailbox

from .output import AsJson, answer, fail, table
from .people import employee_of

app = typer.Typer()
By = Annotated[str, typer.Option("--by", help="Address of the employee who does it.")]
Pattern = Annotated[str, typer.Argument(help="An address, a domain (@example.com), or a pattern with *.")]


@app.command("saving")
def saving(  # noqa: PLR0913  each is an option of the command
    mailbox: Annotated[str, typer.Argument(help="Address of the mailbox.")],
    *,
    by: By,
    known: Annotated[bool | None, typer.Option(help="Save letters of known addresses.")] = None,
    incoming: Annotated[Unknown | None, typer.Option(help="What a letter of an unknown address becomes.")] = None,
    outgoing: Annotated[Unknown | None, typer.Option(help="What a letter to an unknown address becomes.")] = None,
    returning: Annotated[Returning | None, typer.Option(help="What a client becomes who writes anew.")] = None,
    responsible: Annotated[
        list[str] | None, typer.Option(help="Whose what is made is: an address, several times for a queue in turn.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="What records made of letters say of their source.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="In which pipeline made deals begin; empty: the first.")] = None,
    cards: Annotated[bool | None, typer.Option(help="Make contacts of attached visiting cards.")] = None,
    as_json: AsJson = False,
) -> None:
    """What of a mailbox is saved by itself; with options: change it, from now on."""
    person = employee_of(by)
    found = Mailbox.objects.manageable_by(person).filter(address=mailbox).select_related("account", "owner").first()
    if found is None:
        raise fail("no_such_mailbox", f"{person.email} manages no mailbox {mailbox}.")
    now = saving_of(found)
    asked = (known, incoming, outgoing, returning, responsible, source, pipeline, cards)
    if any(each is not None for each in asked):
        change_saving(
            found,
            by=person,
            known=now.known if known is None else known,
            unknown_incoming=incoming or now.unknown_incoming,
            unknown_outgoing=outgoing or now.unknown_outgoing,
            returning=returning or now.returning,
            responsible=[employee_of(each) for each in responsible] if responsible else people_in_turn(now),
            came_from=now.came_from if source is None else source,
            pipeline=now.pipeline if pipeline is None else _pipeline_called(pipeline, person),
            reads_cards=now.reads_cards if cards is None else cards,
        )
    answer(_facts(found), as_json=as_json)


def _pipeline_called(name: str, person: Employee) -> Pipeline | None:
    """The pipeline of deals of this name that the person may see; None: the name is empty."""
    found = Pipeline.objects.visible_to(person).filter(kind=Kind.DEAL, name=name).first() if name else None
    if name and found is None:
        raise fail("no_such_pipeline", f"{person.email} sees no pipeline of deals {name}.")
    return found


def _facts(mailbox: Mailbox) -> dict[str, Any]:
    now = saving_of(mailbox)
    return {
        "mailbox": mailbox.address,
        "known": now.known,
        "unknown_incoming": str(now.unknown_incoming),
        "unknown_outgoing": str(now.unknown_outgoing),
        "returning": str(now.returning),
        "responsible": [person.email for person in people_in_turn(now)] or [mailbox.owner.email],
        "source": now.came_from or mailbox.address,
        "pipeline": now.pipeline.name if now.pipeline else "",
        "cards": now.reads_cards,
    }


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
