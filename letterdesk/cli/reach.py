"""`letterdesk outbox undeliverable`, `allow`, `limit`: addresses to which nothing is sent, and letters a day."""

from typing import Annotated

import typer

from letterdesk.mail.addresses import address_key
from letterdesk.mailboxes.models import Mailbox
from letterdesk.outbound.models import DailyLimit, Suppressed
from letterdesk.outbound.pacing import set_daily_limit
from letterdesk.outbound.suppression import release

from .output import AsJson, answer, fail, table
from .people import employee_of

app = typer.Typer()
By = Annotated[str, typer.Option("--by", help="Address of the employee who does it.")]


@app.command("undeliverable")
def list_undeliverable(
    *, of: Annotated[str, typer.Option("--of", help="Address of the employee who looks.")], as_json: AsJson = False
) -> None:
    """Addresses to which nothing is sent, because a report said that they do not exist; the latest first."""
    found = Suppressed.objects.visible_to(employee_of(of)).select_related("mailbox").order_by("-at", "-pk")
    rows = [
        {"address": each.address, "since": each.at, "mailbox": str(each.mailbox or ""), "reason": each.reason}
        for each in found
    ]
    table(rows, as_json=as_json, empty="No address is undeliverable.")


@app.command("allow")
def allow_address(
    address: Annotated[str, typer.Argument(help="The address.")], *, by: By, as_json: AsJson = False
) -> None:
    """Take an address off that list: letters go there again."""
    person = employee_of(by)
    row = Suppressed.objects.editable_by(person).filter(address=address_key(address)).first()
    if row is None:
        raise fail("not_undeliverable", f"{person.email} can take no {address} off the list.")
    release(row, by=person)
    answer({"address": row.address}, as_json=as_json, text=f"Letters go to {row.address} again.")


@app.command("limit")
def limit_mailbox(
    mailbox: Annotated[str, typer.Argument(help="Address of the mailbox.")],
    *,
    by: By,
    most: Annotated[int | None, typer.Option(help="Letters a day; 0: as many as one likes.")] = None,
    as_json: AsJson = False,
) -> None:
    """How many letters may leave a mailbox in a day; with --most: set it. Those beyond wait for the next day."""
    person = employee_of(by)
    found = Mailbox.objects.manageable_by(person).filter(address=mailbox).select_related("account").first()
    if found is None:
        raise fail("no_such_mailbox", f"{person.email} manages no mailbox {mailbox}.")
    if most is not None:
        set_daily_limit(found, most or None, by=person)
    now = DailyLimit.objects.filter(mailbox=found).values_list("most", flat=True).first()
    answer({"mailbox": found.address, "most": now}, as_json=as_json)
