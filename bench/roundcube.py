"""Roundcube as Debian packs it, on the server of the round: PHP's own web server, SQLite, a temporary folder."""

import http.client
import re
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import urlencode

from tests.rig.ports import free_port, wait_for_port

from .server import Served

PROGRAM = Path("/usr/share/roundcube")
SETTINGS = Path("/etc/roundcube")
PUBLIC = Path("/var/lib/roundcube/public_html")
CONFIG = """<?php
$config['db_dsnw'] = 'sqlite:///{folder}/roundcube.db?mode=0600';
$config['imap_host'] = '{host}:{port}';
$config['log_dir'] = '{folder}/logs/';
$config['temp_dir'] = '{folder}/temp/';
$config['des_key'] = 'benchbenchbenchbenchbenc';
$config['mail_pagesize'] = 50;
$config['plugins'] = [];
$config['enable_installer'] = false;
$config['language'] = 'en_US';
"""


class Roundcube:
    """Signed in as the user of a server while the `with` lasts."""

    @staticmethod
    def is_installed() -> bool:
        """apt-get install roundcube-core roundcube-sqlite3 php-cli php-sqlite3."""
        return shutil.which("php") is not None and PROGRAM.exists() and PUBLIC.exists()

    def __init__(self, folder: Path, served: Served) -> None:
        self._folder, self._served = folder, served
        self._port = free_port()
        self._cookies: dict[str, str] = {}
        self._token = ""

    def __enter__(self) -> "Roundcube":
        for name in ("logs", "temp", "config"):
            (self._folder / name).mkdir(parents=True)
        (self._folder / "roundcube.db").touch()
        for name in ("defaults.inc.php", "mimetypes.php"):
            if (SETTINGS / name).exists():
                (self._folder / "config" / name).symlink_to(SETTINGS / name)
        served = self._served.dovecot
        config = CONFIG.format(folder=self._folder, host=served.host, port=served.port)
        (self._folder / "config" / "config.inc.php").write_text(config)
        self._log = (self._folder / "php.log").open("wb")
        self._process = subprocess.Popen(
            ["php", "-d", "opcache.enable_cli=1", "-d", f"session.save_path={self._folder}",
             "-S", f"127.0.0.1:{self._port}", "-t", str(PUBLIC)],
            env={"PATH": "/usr/bin:/bin", "ROUNDCUBE_CONFIG_DIR": f"{self._folder}/config"},
            stdout=self._log, stderr=self._log,
        )  # fmt: skip
        try:
            wait_for_port(self._port, timeout=20, alive=lambda: self._process.poll() is None)
            self._sign_in()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._log.close()

    def times(self, word: str) -> dict[str, float]:
        """Seconds of the list, of a letter, of a search in bodies, as its page asks for them, after one turn."""
        listed = self._ask("list", _page="1")
        uids = re.findall(r"add_message_row\((\d+)", listed)
        assert uids, listed[:1000]
        found = self._ask("search", _q=word, _headers="body", _scope="base")
        assert "add_message_row" in found, found[:1000]
        return {
            "list": self._median(10, "list", _page="1"),
            "conversation": self._median(10, "show", _uid=uids[0], _framed="1"),
            "search": self._median(3, "search", _q=word, _headers="body", _scope="base"),
        }

    def _median(self, times: int, action: str, **more: str) -> float:
        taken = []
        for _ in range(times):
            begin = time.perf_counter()
            self._ask(action, **more)
            taken.append(time.perf_counter() - begin)
        return statistics.median(taken)

    def _ask(self, action: str, **more: str) -> str:
        wanted = {"_task": "mail", "_action": action, "_mbox": "INBOX", "_remote": "1", **more}
        if action == "show":
            del wanted["_remote"]  # a page of its own
        status, text = self._request("GET", f"/?{urlencode(wanted)}")
        assert status == 200, (action, status, text[:500])
        return text

    def _sign_in(self) -> None:
        _status, page = self._request("GET", "/?_task=login")
        token = re.search(r'name="_token" value="([^"]+)"', page)
        assert token, page[:1000] + self._told()
        user = self._served.user
        form = {"_token": token[1], "_task": "login", "_action": "login", "_user": user.name, "_pass": user.password}
        status, text = self._request("POST", "/?_task=login", urlencode({**form, "_timezone": "UTC", "_url": ""}))
        assert status == 302, text[:1000] + self._told()
        _status, page = self._request("GET", "/?_task=mail")
        found = re.search(r'"request_token":"([^"]+)"', page)
        assert found, page[:1000] + self._told()
        self._token = found[1]

    def _told(self) -> str:
        logs = [self._folder / "php.log", *sorted((self._folder / "logs").glob("*"))]
        return "\n".join(log.read_text("utf-8", "replace")[-800:] for log in logs)

    def _request(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=600)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if self._token:
            headers |= {"X-Roundcube-Request": self._token, "X-Requested-With": "XMLHttpRequest"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key] = rest.partition(";")[0]
        text = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer.status, text
