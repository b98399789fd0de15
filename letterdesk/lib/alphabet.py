"""Names in the order in which people look them up, whatever database compares them."""

import unicodedata

LONGEST_KEY = 100  # characters: what agrees so far stands as it was made


def sort_key(name: str) -> str:
    """A name as names are put in order: without case, accents and double spaces, at most `LONGEST_KEY` characters.

    SQLite compares bytes and PostgreSQL as its server was set up: Ärzte would come after Zürich in one of them.
    """
    plain = unicodedata.normalize("NFKD", " ".join(name[: 2 * LONGEST_KEY].replace("\0", " ").split()))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return letters.casefold()[:LONGEST_KEY]
