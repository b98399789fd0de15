"""Secret addresses among others: they are nobody's but ours, and stand in nothing that people are shown (R30)."""

from collections.abc import Mapping, Sequence

from django.conf import settings

Recipients = Mapping[str, Sequence[Sequence[str]]]


def is_secret(address: str) -> bool:
    """Whether it is one of those at which the SMTP server takes letters."""
    return bool(settings.INBOUND.local_part(address))


def shown(recipients: Recipients) -> dict[str, list[list[str]]]:
    """The recipients of a letter, by field, without secret addresses."""
    kept = {kind: [list(pair) for pair in pairs if not is_secret(pair[1])] for kind, pairs in recipients.items()}
    return {kind: pairs for kind, pairs in kept.items() if pairs}


class Ours(frozenset[str]):
    """The addresses of an account, and all at which our SMTP server takes letters: nobody there is a client."""

    def __contains__(self, address: object) -> bool:
        return super().__contains__(address) or (isinstance(address, str) and is_secret(address))
