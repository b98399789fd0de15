"""Second factors at rest: allauth keeps them in JSON, in which the TOTP key and the recovery seed are encrypted."""

from allauth.mfa.models import Authenticator
from django.db import transaction

from letterdesk.lib.crypto import cipher

ENCRYPTED = ("secret", "seed")


def rotate_second_factors() -> int:
    """Encrypt every TOTP key and recovery seed anew with the first key; returns how many were."""
    changed = 0
    for pk in Authenticator.objects.values_list("pk", flat=True):
        with transaction.atomic():
            factor = Authenticator.objects.select_for_update().get(pk=pk)
            changed += _rotate(factor)
    return changed


def _rotate(factor: Authenticator) -> int:
    names = [name for name in ENCRYPTED if factor.data.get(name)]
    for name in names:
        factor.data[name] = cipher().rotate(factor.data[name].encode()).decode()
    if names:
        factor.save(update_fields=["data"])
    return len(names)
