"""Identifiers are never given twice, not even by a process and its child."""

import os
import threading
import warnings

from letterdesk.lib.ids import new_public_id


def test_identifiers_are_short_plain_and_different():
    made = {new_public_id() for _ in range(5000)}
    assert len(made) == 5000
    assert all(len(one) == 16 and one.isalnum() and one == one.lower() for one in made)


def test_a_child_process_and_a_thread_give_others_than_their_parent():
    new_public_id()  # there is a stock now
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12 warns of forks beside threads; this child does next to nothing
        child = os.fork()
    if not child:
        os.write(write, new_public_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    of_thread: list[str] = []
    thread = threading.Thread(target=lambda: of_thread.append(new_public_id()))
    thread.start()
    thread.join()
    of_child = os.read(read, 16).decode()
    mine = {new_public_id() for _ in range(300)}
    assert len({of_child, *of_thread} | mine) == 302
