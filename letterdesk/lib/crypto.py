"""Secrets at rest: a model field that encrypts with the first key and reads with any (rotation)."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import connection, models


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """The cipher of `settings.ENCRYPTION_KEYS`: newest key first, older ones still read."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS))


class EncryptedJSON(models.TextField):  # type: ignore[type-arg]  # Django fields are not generic when run
    """A JSON value, encrypted in the database (hard rule 14). It cannot be filtered or ordered by."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, *_: object) -> Any:
        return None if value is None else json.loads(cipher().decrypt(value.encode()))

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else cipher().encrypt(json.dumps(value).encode()).decode()

    def value_to_string(self, obj: models.Model) -> str:
        """In an export (dumpdata) the value is encrypted as in the database (C22)."""
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def to_python(self, value: Any) -> Any:
        """The value itself; what comes back from an export is decrypted."""
        try:
            return json.loads(cipher().decrypt(value.encode())) if isinstance(value, str) else value
        except InvalidToken:
            return value


class SecretUnreadable(Exception):
    """A secret that none of the keys opens. The text names table, column and row, never the secret."""


def rotate() -> int:
    """Encrypt every secret of the database anew with the first key; returns how many were. Then older keys can go.

    Row by row and only if the row is unchanged since it was read, so it can run while others write, and twice.
    Raises SecretUnreadable at the first secret that no key opens.
    """
    return sum(_rotate_column(model, field) for model, field in secret_columns())


def secret_columns() -> "Iterator[tuple[type[models.Model], models.Field[Any, Any]]]":
    """Every column of the database that holds encrypted values."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedJSON):
                yield model, field


def _rotate_column(model: type[models.Model], field: "models.Field[Any, Any]") -> int:
    """Raw SQL, because the field itself would decrypt. Names come from the models alone."""
    quote = connection.ops.quote_name
    table, column, key = (quote(str(name)) for name in (model._meta.db_table, field.column, model._meta.pk.column))
    changed = 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL")  # noqa: S608
        for row, old in cursor.fetchall():
            new = _again(old, place=f"{table}.{column}, row {row}")
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s", [new, row, old])  # noqa: S608
            changed += cursor.rowcount
    return changed


def _again(secret: str, *, place: str) -> str:
    try:
        return cipher().rotate(secret.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable(f"No key of LETTERDESK_ENCRYPTION_KEYS opens {place}.") from error
