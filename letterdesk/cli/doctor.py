"""`letterdesk doctor`: is everything that Letterdesk stands on there, and what is to be done where it is not."""

import socket
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import typer
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from letterdesk.crm.models import PolledMailbox, PolledState, SetAside
from letterdesk.crm.search.check import unfindable, unread
from letterdesk.intake.models import FAILED_TRIES
from letterdesk.lib.ids import new_public_id
from letterdesk.lib.jobs import waiting
from letterdesk.mail.errors import MailError
from letterdesk.mail.guard import Guard
from letterdesk.mail.inbound import Inbound
from letterdesk.mail.oauth import Provider, try_registration
from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.mailboxes.tokens import redirect_address
from letterdesk.plans.catalogue import catalogue
from letterdesk.sync.models import SyncProcess

from .output import AsJson, table

Check = Callable[[], str]
SECONDS_AT_PORT = 3


class Trouble(Exception):
    """Something is wrong; the text says what to do."""


def doctor(*, as_json: AsJson = False) -> None:
    """Check database, jobs, blobs, keys, plans, OAuth, sync, mailboxes, inbound SMTP, CRM; exit 1 if one is wrong."""
    rows = [_examine(name, check) for name, check in _checks()]
    table(rows, as_json=as_json)
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)


def _checks() -> Iterator[tuple[str, Check]]:
    yield "database", _database
    yield "jobs", _jobs
    yield "blobs", _blobs
    yield "keys", _keys
    yield "plans", _plans
    yield "sign-in by OAuth", _oauth
    yield "sync", _sync_processes
    yield "mailboxes", _mailboxes
    yield "letters by SMTP", _inbound
    yield "CRM's letters", _linking
    yield "CRM's search", _search


def _examine(name: str, check: Check) -> dict[str, Any]:
    try:
        return {"check": name, "ok": True, "says": check()}
    except Exception as error:
        return {"check": name, "ok": False, "says": f"{error}" or type(error).__name__}


def _database() -> str:
    executor = MigrationExecutor(connection)
    if missing := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Trouble(f"{len(missing)} migrations are missing: run `letterdesk migrate`.")
    return f"{connection.vendor}, up to date"


def _jobs() -> str:
    return f"{settings.JOBS_URL.partition(':')[0]}, {waiting()} waiting"


def _blobs() -> str:
    storage = storages["blobs"]
    name = storage.save(f"doctor-{new_public_id()}", ContentFile(b"letterdesk"))
    try:
        with storage.open(name) as file:
            if file.read() != b"letterdesk":
                raise Trouble("What was written is not what is read: check BLOBS_URL.")
    finally:
        storage.delete(name)
    return f"{type(storage).__name__}, written and read"


def _keys() -> str:
    for name in ("secret.key", "encryption.keys"):
        file = Path(settings.DATA_DIR) / name
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise Trouble(f"{file} can be read by others: chmod 600 it.")
    return f"{len(settings.ENCRYPTION_KEYS)} encryption key(s)"


def _plans() -> str:
    return f"{settings.CATALOGUE}: {', '.join(plan.name for plan in catalogue().plans.values())}"


def _oauth() -> str:
    """Each provider knows our id and secret; none is missing at which a mailbox signs in."""
    providers: dict[str, Provider] = settings.OAUTH_PROVIDERS
    here = Mailbox.objects.exclude(state=MailboxState.DISCONNECTED).exclude(signs_in_by="")
    if missing := set(here.values_list("signs_in_by", flat=True)) - set(providers):
        raise Trouble(f"Mailboxes sign in by {', '.join(sorted(missing))}: set its id and secret (docs/settings.md).")
    guard = Guard(allowed=tuple(settings.ALLOWED_NETWORKS))
    for provider in providers.values():
        try:
            try_registration(provider, guard=guard)
        except MailError as error:
            raise Trouble(error.text) from error
    addresses = [f"{provider.name}: {redirect_address(key)}" for key, provider in providers.items()]
    return "; ".join(addresses) or "no provider is set up"


def _sync_processes() -> str:
    living = SyncProcess.objects.filter(seen_at__gte=timezone.now() - timedelta(minutes=1)).count()
    waiting_for_one = Mailbox.objects.filter(state=MailboxState.CONNECTED).exclude(imap_host="").count()
    waiting_for_one += PolledMailbox.objects.filter(state=PolledState.CONNECTED, account__closed_at=None).count()
    if waiting_for_one and not living:
        raise Trouble(f"No sync process runs, and {waiting_for_one} mailboxes wait: start `letterdesk run` or `sync`.")
    return f"{living} running, {waiting_for_one} mailboxes"


def _mailboxes() -> str:
    failing = list(Mailbox.objects.filter(state=MailboxState.FAILING).values_list("address", "error_code"))
    polled = PolledMailbox.objects.filter(state=PolledState.FAILING)
    failing += polled.values_list("address", "error_code")
    if failing:
        raise Trouble("Failing: " + ", ".join(f"{address} ({code})" for address, code in failing[:10]))
    connected = PolledMailbox.objects.filter(state=PolledState.CONNECTED, account__closed_at=None)
    due = connected.filter(due_at__lt=timezone.now()).order_by("due_at")[:100]
    if late := [each.address for each in due if each.is_late(timezone.now())]:
        told = ", ".join(late[:10])
        raise Trouble(f"Not looked at for CRM: {told}. `letterdesk sync` has to run, perhaps with more `--looks`.")
    return "none is failing"


def _inbound() -> str:
    """Whether letters can come in by SMTP here; that may be another machine's work, so nobody at the port is told."""
    inbound: Inbound = settings.INBOUND
    if not inbound.is_on:
        return "not set up: no secret addresses, no guests of tasks (docs/operate.md)"
    try:
        inbound.tls()
    except OSError as error:
        raise Trouble(f"The certificate cannot be read ({error}): check LETTERDESK_INBOUND_CERTIFICATE.") from error
    where = f"{inbound.domain} at {inbound.host}:{inbound.port}"
    host = inbound.host.strip("[]")
    is_everywhere = not host.strip("0.:")  # 0.0.0.0, ::
    try:
        at = ("localhost" if is_everywhere else host, inbound.port)
        socket.create_connection(at, timeout=SECONDS_AT_PORT).close()
    except OSError:
        return f"{where}: nobody answers from here; start `letterdesk run` or `intake`, unless another machine does it"
    return f"{where}: answers"


def _linking() -> str:
    errors = Counter(SetAside.objects.filter(tries__gte=FAILED_TRIES).values_list("error", flat=True))
    if lost := errors.total():
        kinds = ", ".join(sorted(errors))
        where = "the worker's log says where. After an update: `letterdesk crm retry`."
        raise Trouble(f"{_letters(lost)} could not be looked at ({kinds}): {where}")
    waiting = SetAside.objects.count()
    return f"{_letters(waiting)} set aside, and tried again" if waiting else "none is set aside"


def _letters(count: int) -> str:
    return f"{count} letter{'' if count == 1 else 's'}"


def _search() -> str:
    if lost := unfindable():
        raise Trouble(f"{lost} records cannot be found: run `letterdesk crm reindex`, or wait for the night.")
    return f"every record can be found; {unread()} letters wait to be read"
