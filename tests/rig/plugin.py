"""The fixtures of the rig, for tests of every room. Registered by the root conftest.py."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .certificates import Authority
from .consent import Consents, dovecot_settings
from .database import empty, migrated
from .dovecot import BINARY, Dovecot
from .proxy import CutProxy
from .standin import StandIn

ROOM = 4 * 2**30  # bytes


def pytest_configure() -> None:
    """Folders of tests lie in memory where there is room: houses and blobs wait for the disk at every turn."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


@pytest.fixture(scope="session")
def authority() -> Iterator[Authority]:
    """The certificate authority of this session."""
    folder = Path(tempfile.mkdtemp(prefix="rig-authority-"))
    folder.chmod(0o755)
    yield Authority(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def dovecot_server(authority):
    """Give a Dovecot with these options (see `Dovecot`); one per set of options, for the whole session."""
    if not BINARY:
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd")
    running: dict[str, Dovecot] = {}

    def server(**options) -> Dovecot:
        if "without" in options:
            options["without"] = sorted(options["without"])
        key = repr(sorted(options.items()))
        if key not in running:
            running[key] = Dovecot(authority, **options)
        return running[key]

    yield server
    for each in running.values():
        each.stop()


@pytest.fixture(scope="session")
def dovecot(dovecot_server) -> Dovecot:
    """The ordinary Dovecot: everything announced, TLS with a valid certificate beside plain."""
    return dovecot_server()


@pytest.fixture(scope="session")
def _authorizer() -> Iterator[Consents]:
    with Consents() as running:
        yield running


@pytest.fixture
def consents(_authorizer) -> Consents:
    """The authorization server of this session, behaving well."""
    return _authorizer.begin()


@pytest.fixture(scope="session")
def token_dovecot(_authorizer, dovecot_server, tmp_path_factory) -> Dovecot:
    """A Dovecot that asks the authorization server whose token it is; passwords are taken, too."""
    folder = tmp_path_factory.mktemp("oauth")
    folder.chmod(0o755)
    return dovecot_server(settings=dovecot_settings(_authorizer, folder / "oauth2.conf.ext"))


@pytest.fixture
def trust_rig(authority, monkeypatch) -> None:
    """OpenSSL's default context trusts the rig's authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))


@pytest.fixture
def allow_loopback(settings) -> None:
    """The outgoing guard admits loopback, where the rig's servers are."""
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def blob_folder(settings, tmp_path) -> Path:
    """Blobs lie in a folder of this test."""
    folder = tmp_path / "blobs"
    settings.STORAGES = {
        **settings.STORAGES,
        "blobs": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}},
    }
    return folder


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """SQLite's test database is a file of this process, as in production: threads and children share it.

    It is a copy of one that was migrated before.
    """
    from django.conf import settings

    database = settings.DATABASES["default"]
    folder = tempfile.mkdtemp(prefix="rig-database-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    if database["ENGINE"].endswith("sqlite3"):
        file = migrated(Path(folder) / "test.sqlite3")
        database.setdefault("TEST", {}).update(NAME=str(file), MIGRATE=False)
    else:  # nothing here outlives the server
        database["OPTIONS"]["options"] += " -c synchronous_commit=off"
    yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb) -> bool:
    """What lies at the name of SQLite's test database is that copy: it is used as it is."""
    from django.db import connection

    return django_db_keepdb or connection.vendor == "sqlite"


@pytest.fixture(scope="session", autouse=True)
def _quickly_emptied():
    """After a test with real transactions the database is emptied by ours."""
    from django.test import TransactionTestCase

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


@pytest.fixture(autouse=True)
def _no_language_stays():
    """What a page activated for its reader is not there for the next test."""
    yield
    from django.utils.translation import deactivate

    deactivate()


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords():
    """Passwords are hashed as in production, with less effort: what it costs there is meant for attackers."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1000)
        yield


@pytest.fixture(scope="session")
def mail_server(request):
    """Dovecot, or pymap in memory where Dovecot is missing. For what every correct server can do."""
    if BINARY:
        yield request.getfixturevalue("dovecot")
        return
    standin = StandIn()
    yield standin
    standin.stop()


@pytest.fixture
def cutproxy():
    """Make proxies: `cutproxy(server)`; they end with the test."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(CutProxy(server.host, server.port))


@pytest.fixture
def invent():
    """Start scripts: `invent(JunkModseq)` gives a running Liar; it ends with the test."""
    with ExitStack() as stack:
        yield lambda script, **options: stack.enter_context(script(**options))
