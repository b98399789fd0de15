"""The demo lives in a folder of its own, with the commercial catalogue, so that limits and dates can be seen."""

import os
import shutil
from pathlib import Path

MARK = ".letterdesk-demo"


class NotADemoFolder(Exception):
    """The folder holds something else: the demo empties its folder at each start, and will not empty that one."""


def prepare() -> Path:
    """Empty the demo's folder and point the settings at it; called before the settings are read.

    `LETTERDESK_DATA` names the folder, `data/demo` by default. What the environment sets itself stays as it is.
    Raises NotADemoFolder.
    """
    folder = Path(os.environ.get("LETTERDESK_DATA") or "data/demo").resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise NotADemoFolder(f"{folder} is not a folder of the demo: set LETTERDESK_DATA to another one.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    os.environ["LETTERDESK_DATA"] = str(folder)
    os.environ.setdefault("LETTERDESK_CATALOGUE", "commercial")
    os.environ.setdefault("LETTERDESK_ALLOWED_NETWORKS", "127.0.0.0/8")  # its mail server is on loopback
    os.environ.setdefault("LETTERDESK_INBOUND_DOMAIN", "in.nordlicht.example")
    return folder
