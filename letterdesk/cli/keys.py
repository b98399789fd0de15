"""`letterdesk keys …`: the keys of secrets at rest."""

import typer

from letterdesk.accounts.second_factor import rotate_second_factors
from letterdesk.lib.crypto import rotate

from .output import AsJson, answer

app = typer.Typer(help="The keys of secrets at rest.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """The keys of secrets at rest."""


@app.command("rotate")
def rotate_keys(*, as_json: AsJson = False) -> None:
    """Encrypt every secret anew with the first key; then older ones can go. May run beside everything, and twice."""
    facts = {"secrets": rotate(), "second_factors": rotate_second_factors()}
    answer(facts, as_json=as_json, text=f"{sum(facts.values())} secrets are encrypted with the first key now.")
