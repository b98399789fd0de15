"""Deletion goes by pieces and rests after each, so that who reads meanwhile waits hardly longer than at other times."""

import time
from collections.abc import Callable

REST = 0.05  # of the time that the piece took


def in_pieces(piece: Callable[[], int]) -> int:
    """Call `piece`, a transaction of its own, until it returns 0; returns the sum. Rests outside of transactions."""
    done = 0
    while True:
        begin = time.monotonic()
        gone = piece()
        if not gone:
            return done
        done += gone
        time.sleep(REST * (time.monotonic() - begin))
