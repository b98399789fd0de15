"""How commands take passwords: never as an argument, which every user of the machine could read."""

import getpass
import os
import sys
from typing import Annotated

import typer

from .output import fail

PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def read_secret(*, stdin: bool, what: str = "password") -> str:
    """The password from standard input, else from LETTERDESK_PASSWORD, else asked for at the terminal."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if given := os.environ.get("LETTERDESK_PASSWORD", ""):
        return given
    if sys.stdin.isatty():
        return getpass.getpass(f"The {what}: ")
    raise fail("password_missing", f"The {what} is missing: use --password-stdin or LETTERDESK_PASSWORD.")
