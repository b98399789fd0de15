import pytest
from cryptography.fernet import Fernet
from django.db import connection

from letterdesk.lib.crypto import EncryptedJSON, SecretUnreadable, cipher, rotate, secret_columns

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def table(db, settings):
    """Rows of every secret column, written raw under the old key into tables without their constraints."""
    settings.ENCRYPTION_KEYS = [OLD]
    model, field = next(secret_columns())
    stored = field.get_prep_value({"password": "marker"})
    name, key = f'"{model._meta.db_table}"', model._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(f"alter table {name} rename to kept_aside")
        cursor.execute(f"create table {name} ({key} integer primary key, {field.column} text)")
        cursor.execute(f"insert into {name} ({key}, {field.column}) values (1, %s), (2, null)", [stored])
        yield lambda: stored_in(name, field.column)
        cursor.execute(f"drop table {name}")
        cursor.execute(f"alter table kept_aside rename to {name}")


def stored_in(table: str, column: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"select {column} from {table} where {column} is not null")
        return [row[0] for row in cursor.fetchall()]


def opened(secret: str) -> str:
    return cipher().decrypt(secret.encode()).decode()


@pytest.mark.case("C22")
def test_a_secret_is_not_readable_in_the_database(table):
    (secret,) = table()
    assert "marker" not in secret
    assert opened(secret) == '{"password": "marker"}'


def test_rotation_encrypts_with_the_new_key_so_that_the_old_one_can_go(table, settings):
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert rotate() == 1
    settings.ENCRYPTION_KEYS = [NEW]
    (secret,) = table()
    assert opened(secret) == '{"password": "marker"}'
    assert rotate() == 1


def test_a_secret_that_no_key_opens_is_named_and_not_shown(table, settings):
    settings.ENCRYPTION_KEYS = [NEW]
    before = table()
    with pytest.raises(SecretUnreadable, match="row 1") as error:
        rotate()
    assert before[0] not in str(error.value)
    assert table() == before


def test_the_field_gives_back_what_it_was_given(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    field = EncryptedJSON()
    for value in ({"password": "päss"}, [1, 2], "text", 0, None):
        assert field.from_db_value(field.get_prep_value(value)) == value
