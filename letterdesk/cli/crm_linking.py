"""`letterdesk crm retry`: letters at which CRM could not look, once more."""

from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.crm.linking.set_aside import look_again, make_due
from letterdesk.crm.models import SetAside
from letterdesk.mailboxes.models import Mailbox

from .output import AsJson, answer
from .plan import account_of

app = typer.Typer()


@app.command("retry")
def retry(
    account: Annotated[str, typer.Argument(help="Public id or name of the account; all of them without.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Look at once at the letters that were set aside, as after an update that mends what they failed at."""
    now = timezone.now()
    saved = 0
    for pk in make_due(account_of(account) if account else None, now=now):
        mailbox = Mailbox.objects.select_related("account", "owner__account").get(pk=pk)
        while SetAside.objects.filter(mailbox=mailbox, due_at__lte=now).exists():
            saved += look_again(mailbox, now=now)
    left = SetAside.objects.exclude(error="").count()
    text = f"{saved} letters were saved; {left} still fail and are tried again by themselves."
    answer({"saved": saved, "failing": left}, as_json=as_json, text=text)
