"""Secrets at rest: a model field that encrypts with the first key and reads with any (rotation)."""

import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """The cipher of `settings.ENCRYPTION_KEYS`: newest key first, older ones still read."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS))


class EncryptedJSON(models.TextField):  # type: ignore[type-arg]  # Django fields are not generic when run
    """A JSON value, encrypted in the database (hard rule 14). It cannot be filtered or ordered by."""

    def from_db_value(self, value: str | None, *_: object) -> Any:
        return None if value is None else json.loads(cipher().decrypt(value.encode()))

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else cipher().encrypt(json.dumps(value).encode()).decode()

    def to_python(self, value: Any) -> Any:
        return value
