"""The entrance for the command line: `letterdesk`."""

import os

import django


def main() -> None:
    """Set Django up, then hand over to the commands."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "letterdesk.config.settings")
    django.setup()
    from letterdesk.cli.app import app  # noqa: PLC0415  commands import models, which need setup

    app()
