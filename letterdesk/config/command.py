"""The entrance for the command line: `letterdesk`."""

import os
import sys

import django

from letterdesk.demo.environment import NotADemoFolder, prepare
from letterdesk.lib import garbage


def main() -> None:
    """Set Django up, then hand over to the commands."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "letterdesk.config.settings")
    if sys.argv[1:2] == ["demo"] and not {"--help", "letter"} & set(sys.argv):
        try:
            prepare()
        except NotADemoFolder as error:
            sys.exit(str(error))
    django.setup()
    from letterdesk.cli.app import app  # noqa: PLC0415  commands import models, which need setup

    garbage.settle()
    app()
