"""What is done for CRM beside the requests, and what wakes it."""

import time
from collections.abc import Iterable

from django.apps import apps
from django.db.models import Q
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.models import Event
from letterdesk.lib.jobs import Job, job
from letterdesk.lib.tables import look_at
from letterdesk.lib.turns import in_turn
from letterdesk.mailboxes.models import Mailbox
from letterdesk.plans.models import Channel

from .linking.cards import noted_beside, read_noted
from .linking.link import AT_ONCE, is_behind, link_piece, mailboxes_to_look_at
from .linking.look_back import look_back
from .linking.set_aside import look_again, mailboxes_to_try
from .models import CardsToRead, ChangeOfMany, Record, RecordImport, Source
from .own.index import index_piece
from .records.bin import purge_due
from .records.change_many import forget_old, work
from .records.take_in import find_letters, take_piece
from .records.views import forget_left
from .search.check import Drift, check_piece, following, tell_of_search
from .search.index import read_missing
from .writing.written import keep_written

PIECES = 10  # of a mailbox in one job
REST = 7
_rests: dict[int, float] = {}  # until when, on this process's clock, by mailbox


@job(name="crm.link_letters", priority=-5)
def link_letters_of(mailbox_id: int) -> None:
    """After letters came: look at those of this mailbox that were not looked at yet (R5, R28).

    Some at once; for the rest it lines up again, so that a first sync holds up no other mailbox.
    """
    for mailbox in Mailbox.objects.filter(pk=mailbox_id, forgotten_at=None).select_related("account", "owner__account"):
        for _ in range(PIECES):
            if not is_behind(mailbox) or link_piece(mailbox, now=timezone.now()).is_last:
                break
        else:
            link_letters_of.later(mailbox_id)
        if CardsToRead.objects.filter(mailbox=mailbox).exists():
            read_cards_of.later(mailbox_id)


@job(name="crm.link_along", priority=-5)
def link_along(mailbox_id: int) -> None:
    """While more letters are on their way: look at a whole piece at most, and rest for `REST` times as long.

    So a first sync, whose letters people wait for, is an eighth slower at most; its end wakes the job above.
    """
    begin = time.monotonic()
    if begin < _rests.get(mailbox_id, begin):
        return
    for mailbox in Mailbox.objects.filter(pk=mailbox_id, forgotten_at=None).select_related("account", "owner__account"):
        if is_behind(mailbox, AT_ONCE):
            link_piece(mailbox, now=timezone.now())
            end = time.monotonic()
            _rests[mailbox_id] = end + REST * (end - begin)


@job(name="crm.read_cards", priority=-8)
def read_cards_of(mailbox_id: int) -> None:
    """After letters with visiting cards were saved: make contacts of them."""
    for mailbox in Mailbox.objects.filter(pk=mailbox_id, forgotten_at=None).select_related("account", "owner__account"):
        read_noted(mailbox, now=timezone.now())


@job(name="crm.read_cards_beside", priority=-8)
def read_cards_beside(account_id: int) -> None:
    """After letters with visiting cards came past Webmail (R30): make contacts of them."""
    for through in noted_beside(account_id):
        read_noted(through, now=timezone.now())


@job(name="crm.look_again", priority=-10)
def look_again_at(mailbox_id: int) -> None:
    """When letters that were set aside are due: look at them again."""
    for mailbox in Mailbox.objects.filter(pk=mailbox_id).select_related("account", "owner__account"):
        for _ in range(PIECES):
            if not look_again(mailbox, now=timezone.now()):
                break  # nothing is due, or it fails still


@job(name="crm.link_missed", priority=-10)
def link_missed() -> None:
    """Every ten minutes: what has lost its wake-up – letters, visiting cards, imports, changes of many records –, and
    letters that were set aside."""
    for change_id in ChangeOfMany.objects.filter(is_over=False).values_list("pk", flat=True):
        change_many.later(change_id)
    _look_at(mailboxes_to_look_at(), link_letters_of)
    _look_at(mailboxes_to_try(timezone.now()), look_again_at)
    waiting = RecordImport.objects.filter(
        Q(state=RecordImport.State.RUNNING) | ~Q(content=b""), ~Q(state=RecordImport.State.DRAFT)
    )
    for import_id in waiting.values_list("pk", flat=True):
        take_in.later(import_id)
    cards = CardsToRead.objects.exclude(mailbox=None)
    _look_at(cards.values_list("mailbox", flat=True).distinct(), read_cards_of)
    beside = CardsToRead.objects.filter(mailbox=None)
    in_turn(
        beside.values_list("account", flat=True).distinct(),
        lambda each: bool(read_cards_beside.now(each)),
        failure="CRM cannot read the visiting cards of account %s",
    )


def _look_at(mailbox_ids: Iterable[int], look: Job[[int]]) -> None:
    in_turn(mailbox_ids, lambda each: bool(look.now(each)), failure="CRM cannot look at mailbox %s")


@job(name="crm.keep_written", priority=-5)
def keep_written_letters() -> None:
    """After a letter that was written in CRM has left, and every ten minutes: its copy stands at its record (R6)."""
    keep_written(now=timezone.now())


@job(name="crm.read_letters", priority=-10)
def read_letters() -> None:
    """Every minute: letters that came past Webmail (R30), or before CRM's search, are found by their text, too."""
    for _ in range(PIECES):
        if not read_missing():
            break


@job(name="crm.index_own", priority=-10)
def index_own_fields(account_id: int, kind: str, after: int = 0) -> None:
    """After an own field was retired, came back or was deleted, or an option got another name or was deleted: records
    are found by what is there, and by nothing else. Where it is lost, `check_search` does its work at night."""
    for _ in range(PIECES):
        after = index_piece(account_id, kind, after=after)
        if not after:
            return
    index_own_fields.later(account_id, kind, after)


@job(name="crm.check_search", priority=-10)
def check_search() -> None:
    """Nightly: what can be found in CRM is compared with what stands there, account by account; it is what wakes again
    what a lost `crm.index_own` left."""
    for account_id in Account.objects.filter(purged_at=None).values_list("pk", flat=True):
        check_search_of.later(account_id)


@job(name="crm.check_search_of", priority=-10)
def check_search_of(account_id: int, of: str = "records", after: int = 0, *found: int) -> None:
    """Compare some pieces of an account, then line up again; what was set right is told once, at the end.

    `found`: what was set right so far, as of `Drift`.
    """
    drift = Drift(*found)
    for _ in range(PIECES):
        after, more = check_piece(account_id, of, after=after)
        drift += more
        of = of if after else following(of)
        if not of:
            tell_of_search(account_id, drift)
            return
    check_search_of.later(account_id, of, after, *drift)


@job(name="crm.take_in", priority=-5)
def take_in(import_id: int) -> None:
    """After somebody started an import: some pieces of it, then it lines up again; then letters are looked for."""
    for _ in range(PIECES):
        if not take_piece(import_id, now=timezone.now()):
            break
    else:
        take_in.later(import_id)
        return
    for taken in RecordImport.objects.filter(pk=import_id).select_related("by__account"):
        find_letters(taken, now=timezone.now())


@job(name="crm.change_many", priority=-5)
def change_many(change_id: int) -> None:
    """After somebody changed many records, or took that back: some pieces of it, then it lines up again."""
    for _ in range(PIECES):
        if not work(change_id, now=timezone.now()):
            return
    change_many.later(change_id)


@job(name="crm.look_back", priority=-10)
def look_back_for(record_id: int, by_id: int | None = None) -> None:
    """After a record got addresses: letters of them that are here already, where who named them may read (P9)."""
    by = Employee.objects.filter(pk=by_id).first()
    for record in Record.objects.present().filter(pk=record_id).select_related("account", "responsible"):
        look_back(record, by=by, now=timezone.now())


@job(name="crm.purge_bin", priority=-10)
def purge_bin() -> None:
    """Hourly: remove what has lain in CRM's bin for 30 days (R8), and views that who left then kept for themselves;
    changes of many records as old can no longer be taken back."""
    purge_due(now=timezone.now())
    forget_old(now=timezone.now())
    forget_left(now=timezone.now())


@job(name="crm.look_at_tables", priority=-10)
def look_at_tables() -> None:
    """Hourly: SQLite is told how CRM's tables are filled, so that lists and searches use the right index."""
    look_at([model._meta.db_table for model in apps.get_app_config("crm").get_models()])


def after_receiving(event: Event) -> None:
    """A reaction to `message.received`."""
    public_id, look = event.topic.removeprefix("mailbox:"), link_along if event.facts.get("more") else link_letters_of
    mailboxes = Mailbox.objects.filter(account=event.account_id, public_id=public_id)
    for mailbox_id in mailboxes.values_list("pk", flat=True):
        look.later(mailbox_id)


def after_saving(event: Event) -> None:
    """A reaction to `activity.saved`: there may be visiting cards among what came past Webmail."""
    if CardsToRead.objects.filter(account=event.account_id, mailbox=None).exists():
        read_cards_beside.later(event.account_id)


def after_leaving(event: Event) -> None:
    """A reaction to `letter.sent` and `letter.deferred`: some have it."""
    if event.facts.get("channel") == Channel.CRM:
        keep_written_letters.later()


def after_own_field(event: Event) -> None:
    """A reaction to `own_field.deleted` and `own_field.changed`."""
    facts = event.facts
    said_less = event.kind == "own_field.deleted" or "is_retired" in facts["changed"]
    if said_less or facts.get("renamed") or facts.get("records"):
        index_own_fields.later(event.account_id, event.facts["of"])


def after_new_addresses(event: Event) -> None:
    """A reaction to `record.created`, `record.changed` and `record.restored`; a lead of a letter has no past (R28).

    What was imported is looked for when the whole file is in (`take_in.py`).
    """
    if event.facts.get("source") in {Source.LETTER, Source.IMPORT} or "addresses" not in event.facts.get(
        "changed", ["addresses"]
    ):
        return
    kind, _, public_id = event.subject.partition(":")
    records = Record.objects.present().filter(account=event.account_id, kind=kind, public_id=public_id)
    for record_id in records.exclude(addresses=None).values_list("pk", flat=True).distinct():
        look_back_for.later(record_id, event.by_id)
