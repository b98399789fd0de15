"""Free ports, and waiting for a server to answer on one."""

import socket
import time
from collections.abc import Callable


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int, *, timeout: float = 5, alive: Callable[[], bool] = lambda: True) -> None:
    """Return when something accepts connections on the port; TimeoutError when not in time or no longer alive."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and alive():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise TimeoutError(f"nothing answers on port {port}")
