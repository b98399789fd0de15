"""How often Python looks for garbage in cycles: seldom, and never among what was loaded at the start.

A batch of letters makes a hundred thousand objects and hardly a cycle; looking through them, and each time through
all of Django, took a fifth of a first sync.
"""

import gc

YOUNG = 20_000  # objects more than before, until Python looks; its default is 700


def settle() -> None:
    """Call once, when the program is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
