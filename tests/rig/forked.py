"""Commands of Letterdesk without the two seconds in which each would set Django up: forked from one process that has.

commands = Commands(environment)
done = commands.run("mailbox", "connect", ..., secret="...")     # as subprocess.run; a process of its own
commands.python("from ... import ...")                          # a script instead of a command
commands.stop()
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NURSERY = "import django; django.setup(); from tests.rig.forked import nurse; nurse()"


class Commands:
    """The process that has Django set up; it has touched no database, so that its children may."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        settings = {"DJANGO_SETTINGS_MODULE": "letterdesk.config.settings", "PYTHONPATH": str(ROOT)}
        self._nursery = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            env={**environment, **settings}, text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *words: str, secret: str = "", script: str = "") -> subprocess.CompletedProcess[bytes]:
        """Run a command, or a script, to its end, with `secret` as its input."""
        assert self._nursery.stdin is not None and self._nursery.stdout is not None
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "0").write_text(secret)
            self._nursery.stdin.write(json.dumps({"words": words, "script": script, "folder": name}) + "\n")
            code = int(self._nursery.stdout.readline() or -1)
            said = [path.read_bytes() if path.exists() else b"" for path in (folder / "1", folder / "2")]
        return subprocess.CompletedProcess(words, code, *said)

    def python(self, script: str) -> None:
        """Run a script with Django set up. Fails with it."""
        done = self.run(script=script)
        assert done.returncode == 0, (script, done.stdout.decode(), done.stderr.decode())

    def stop(self) -> None:
        """End the process."""
        self._nursery.communicate()


def nurse() -> None:
    """Fork a child for each line, say how it ended. The body of the process."""
    from letterdesk.cli.app import app  # noqa: F401  imported once for all children

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _be(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _be(told: dict[str, str]) -> None:
    for number in (0, 1, 2):
        os.dup2(os.open(f"{told['folder']}/{number}", os.O_RDWR | os.O_CREAT, 0o600), number)
    sys.stdin, sys.argv = os.fdopen(0), ["letterdesk", *told["words"]]
    code = 1
    try:
        _do(told["script"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        if code == 1:
            import traceback

            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _do(script: str) -> None:
    if script:
        exec(script, {"__name__": "__main__"})  # a test's own
    else:
        from letterdesk.cli.app import app

        app()
