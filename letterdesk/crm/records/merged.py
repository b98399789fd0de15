"""A record that was made one with another: what is said of it is said of the one that stays."""

from collections.abc import Collection

from ..models import Record

MOST = 20  # merges one after the other; nobody merges so often, and a circle ends


def staying(keys: Collection[int]) -> dict[int, int]:
    """Of each of these records the one that stays: itself, or what it was merged into, in the bin or not."""
    found = {key: key for key in keys}
    for _ in range(MOST):
        merged = Record.objects.filter(pk__in=set(found.values()), merged_into__isnull=False)
        further = dict(merged.values_list("pk", "merged_into_id"))
        if not further:
            break
        found = {key: further.get(at, at) for key, at in found.items()}
    return found
