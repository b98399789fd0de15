"""The program of a preparing child: orders and raw letters come in by stdin, what was read of them goes out by stdout.

While it parses, a thread of it writes the letters to disk. No Django, no database, no network.
"""

import json
import pickle
import select
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from letterdesk.lib import blob_folder

from .preparing import IDLE_SECONDS, LENGTH, Parsed, parse, read_exactly


def main() -> None:
    """Answers orders until stdin ends, or none comes for a minute."""
    source, out = sys.stdin.buffer, sys.stdout.buffer
    with ThreadPoolExecutor(1) as writer:
        while select.select([source], [], [], IDLE_SECONDS)[0]:
            try:
                order = json.loads(read_exactly(source, LENGTH.unpack(read_exactly(source, LENGTH.size))[0]))
                raws = {name: read_exactly(source, size) for name, size in order["sizes"].items()}
            except EOFError:
                return
            answer = pickle.dumps(_carry_out(order, raws, writer), protocol=pickle.HIGHEST_PROTOCOL)
            out.write(LENGTH.pack(len(answer)))
            out.write(answer)
            out.flush()


def _carry_out(
    order: dict[str, Any], raws: dict[str, bytes], writer: ThreadPoolExecutor
) -> list[Parsed] | tuple[int | None, str]:
    written = writer.submit(blob_folder.put, Path(order["root"]), raws)
    parsed = parse(raws.values())
    try:
        written.result()
    except OSError as error:
        return error.errno, error.strerror or ""
    return parsed


if __name__ == "__main__":
    main()
