"""One opener of outgoing connections, and it judges addresses, not texts (D01–D03)."""

import ast
import errno
import inspect
import ipaddress
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import letterdesk
from letterdesk.mail import errors, guard
from letterdesk.mail.guard import Guard, fetch

CLOSED = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1",
    "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1",
    "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "3fff::1", "5f00::1", "fc00::1",
    "fd12:3456::1", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1", "ff0e::1", "4000::1",
]  # fmt: skip
OPEN = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.1",
        "2001:4860:4860::8888", "2a00:1450::1", "2606:4700::1", "::ffff:8.8.8.8"]  # fmt: skip
ODD = [
    "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.0.0.1.", "localhost",
    "localhost.",
    "LOCALHOST", "[::1]", "127。0。0。1", "１２７.0.0.1", "127.0.1", "0", "0.0.0.0", "::", "::1", "::ffff:7f00:1",
    "0:0:0:0:0:ffff:127.0.0.1", " 127.0.0.1", "127.0.0.1\t", "127.0.0.1\0.example.com", "a" * 300, "a..b", "", ".",
    "127.0.0.1:993", "user@127.0.0.1", "127.0.0.1/24", "%31%32%37.0.0.1",
]  # fmt: skip


@contextmanager
def canary():
    """A listening port of this machine and the list of who came."""
    came = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            with suppress(OSError):
                while True:
                    connection, address = listener.accept()
                    came.append(address)
                    connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], came


@contextmanager
def names(monkeypatch, *answers):
    """A resolver: each look-up gets the next list of addresses, the last one for ever."""
    asked = []

    def resolve(host, port, *_, **__):
        addresses = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "",
             (each, port, 0, 0) if ":" in each else (each, port))
            for each in addresses
        ]  # fmt: skip

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve)
        yield asked


@pytest.mark.case("D01")
@pytest.mark.parametrize("address", CLOSED)
def test_private_and_special_addresses_are_closed(address):
    assert not Guard().admits(address)


@pytest.mark.case("D01")
@pytest.mark.parametrize("address", OPEN)
def test_public_addresses_are_open(address):
    assert Guard().admits(address)


@pytest.mark.case("D01")
def test_nothing_is_open_that_python_calls_private():
    for address in CLOSED + OPEN:
        plain = ipaddress.ip_address(address.partition("%")[0])
        if not plain.is_global and not getattr(plain, "ipv4_mapped", None):
            assert not Guard().admits(address)


@pytest.mark.case("D01")
@pytest.mark.parametrize("host", ODD)
def test_no_way_of_writing_an_address_reaches_this_machine(host):
    with canary() as (port, came):
        with pytest.raises((errors.BlockedAddress, errors.DnsNotFound)):
            Guard().connect(host, port, timeout=2)
        time.sleep(0.01)
        assert came == []


@pytest.mark.case("D01")
def test_the_operator_opens_networks():
    private = Guard(("127.0.0.0/8", "fd00::/8"))
    assert private.admits("127.0.0.1")
    assert private.admits("::ffff:127.0.0.1")
    assert private.admits("fd12::1")
    assert not private.admits("10.0.0.1")
    assert not private.admits("::1")
    assert private.admits("8.8.8.8")
    with canary() as (port, came):
        for host in ("127.0.0.1", "localhost", "2130706433"):
            private.connect(host, port, timeout=2).close()
        time.sleep(0.05)
        assert len(came) == 3


@pytest.mark.case("D01")
def test_a_name_that_changes_its_answer_gains_nothing(monkeypatch):
    """DNS rebinding: first public, then loopback. There is one look-up, and what it said is what is connected to."""
    connected = []
    monkeypatch.setattr(guard, "_open", lambda _, sockaddr, **__: connected.append(sockaddr[0]) or socket.socket())
    with names(monkeypatch, ["93.184.216.34"], ["127.0.0.1"]) as asked:
        Guard().connect("rebind.example", 993, timeout=1).close()
    assert asked == ["rebind.example"]
    assert connected == ["93.184.216.34"]


@pytest.mark.case("D01")
def test_of_mixed_answers_only_the_public_ones_are_tried(monkeypatch):
    connected = []

    def refuse(_, sockaddr, **__):
        connected.append(sockaddr[0])
        raise OSError(errno.ECONNREFUSED, "refused")

    monkeypatch.setattr(guard, "_open", refuse)
    with names(monkeypatch, ["127.0.0.1", "93.184.216.34", "::1", "10.0.0.1"]), pytest.raises(errors.TcpRefused):
        Guard().connect("mixed.example", 993, timeout=1)
    assert connected == ["93.184.216.34"]
    with names(monkeypatch, ["10.0.0.1", "::ffff:127.0.0.1"]), pytest.raises(errors.BlockedAddress):
        Guard().connect("inside.example", 993, timeout=1)


@pytest.mark.case("D03")
def test_a_closed_address_tells_nothing_about_its_ports():
    """Open, closed and silent ports of this machine: the same error, the same text, in no time, nothing connected."""
    told, times = set(), []
    with canary() as (port, came), socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        for target in (port, silent.getsockname()[1], 22, 80, 993, 65535):
            for connect in (Guard().connect, Guard().connect_securely):
                began = time.monotonic()
                with pytest.raises(errors.BlockedAddress) as caught:
                    connect("127.0.0.1", target, timeout=5)
                times.append(time.monotonic() - began)
                told.add((caught.value.code, caught.value.text, caught.value.detail))
        assert came == []
    assert len(told) == 1
    assert max(times) < 1


def test_refused_silent_and_unknown_hosts_are_named(monkeypatch):
    private = Guard(("127.0.0.0/8",))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(errors.TcpRefused):
            private.connect("127.0.0.1", closed.getsockname()[1], timeout=2)
    monkeypatch.setattr(guard, "_open", lambda *_, **__: (_ for _ in ()).throw(TimeoutError()))
    with pytest.raises(errors.TcpTimeout) as caught:
        private.connect("127.0.0.1", 993, timeout=2)
    assert caught.value.text == "127.0.0.1:993 did not answer within 2 s."
    with pytest.raises(errors.DnsNotFound):
        private.connect("no-such-host.invalid", 993, timeout=2)
    for port in (0, -1, 65536):
        with pytest.raises(errors.DnsNotFound):
            private.connect("127.0.0.1", port, timeout=2)


def test_many_addresses_share_the_time(monkeypatch):
    waited = []

    def wait(_, __, *, timeout, patience):
        waited.append(patience)
        raise TimeoutError

    monkeypatch.setattr(guard, "_open", wait)
    with names(monkeypatch, [f"93.184.216.{number}" for number in range(1, 50)]), pytest.raises(errors.TcpTimeout):
        Guard().connect("many.example", 993, timeout=6)
    assert len(waited) == guard.TRIED_ADDRESSES
    assert all(patience <= 6 for patience in waited)
    assert waited[0] <= 1.01


# The page reader


@contextmanager
def page_server(*answers):
    """Serves raw HTTP answers in turn; gives its port and the request lines heard."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve():
            with suppress(OSError):
                for answer in answers:
                    connection, _ = listener.accept()
                    with connection:
                        heard.append(connection.recv(65536))
                        connection.sendall(answer.replace(b"%P", b"%d" % port))

        threading.Thread(target=serve, daemon=True).start()
        yield port, heard


def ok(body, status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def get(port, *, limit=1000, timeout=2):
    return fetch(Guard(("127.0.0.0/8",)), f"http://127.0.0.1:{port}/a?b=c", timeout=timeout, limit=limit)


@pytest.mark.case("D02")
def test_a_page_is_read_within_its_limits():
    with page_server(ok(b"hello")) as (port, heard):
        assert get(port) == b"hello"
        assert heard[0].startswith(b"GET /a?b=c HTTP/1.1\r\n")
        assert b"cookie" not in heard[0].lower()
        assert b"referer" not in heard[0].lower()
    with page_server(ok(b"x" * 1001)) as (port, _):
        assert get(port) is None
    with page_server(ok(b"", b"404 Not Found")) as (port, _):
        assert get(port) is None
    with page_server(b"nonsense\r\n\r\n") as (port, _), pytest.raises(errors.Disconnected):
        get(port)
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    with page_server(half) as (port, _), pytest.raises(errors.Disconnected):
        get(port)


@pytest.mark.case("D02")
def test_redirects_are_few_pass_the_guard_and_never_drop_encryption():
    def to(target):
        return b"HTTP/1.1 302 Found\r\nLocation: " + target + b"\r\nContent-Length: 0\r\n\r\n"

    with page_server(to(b"/b"), ok(b"there")) as (port, heard):
        assert get(port) == b"there"
        assert heard[1].startswith(b"GET /b ")
    with page_server(*[to(b"http://127.0.0.1:%P/again")] * 9) as (port, heard):
        assert get(port) is None
        assert len(heard) == guard.REDIRECTS + 1
    for target in (b"http://10.0.0.1/", b"http://[::1]/", b"http://169.254.169.254/latest"):
        with page_server(to(target)) as (port, _), pytest.raises(errors.BlockedAddress):
            get(port)
    for target in (b"file:///etc/passwd", b"ftp://127.0.0.1/", b"gopher://127.0.0.1/"):
        with page_server(to(target)) as (port, _):
            assert get(port) is None


# No other door

OPENERS = {
    "socket": {"socket", "create_connection", "fromfd"},
    "urllib.request": {"*"},
    "http.client": {"*"},
    "requests": {"*"},
    "httpx": {"*"},
    "aiohttp": {"*"},
    "urllib3": {"*"},
    "ftplib": {"*"},
    "poplib": {"*"},
    "imaplib": {"*"},
    "imapclient": {"*"},
    "telnetlib": {"*"},
    "nntplib": {"*"},
    "xmlrpc.client": {"*"},
    "asyncio": {"open_connection", "create_connection"},
}
ELSEWHERE = {
    "mail/guard.py": {"socket", "http.client"},
    "demo/run.py": {"socket"},  # binds a port of its own to see whether it is free
    "cli/doctor.py": {"socket"},  # asks at our own port whether somebody takes letters
    "demo/server.py": {"smtplib"},  # hands letters on to our own port, as a company's mail server does
}


def opened(tree):
    """Modules and functions that can open a connection, as they are named in this source."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if "*" in OPENERS.get(name.name, ()):
                    yield name.name
        elif isinstance(node, ast.ImportFrom) and node.module in OPENERS:
            wanted = {name.name for name in node.names}
            if "*" in OPENERS[node.module] or wanted & OPENERS[node.module]:
                yield node.module
        elif isinstance(node, ast.Call):
            yield from _called(ast.unparse(node.func), node)


def _called(name, call):
    module, _, function = name.rpartition(".")
    if function in OPENERS.get(module, ()):
        yield module
    has_host = call.args or any(keyword.arg == "host" for keyword in call.keywords)
    if module == "smtplib" and function in {"SMTP", "SMTP_SSL", "LMTP"} and has_host:
        yield "smtplib"


@pytest.mark.case("D02")
def test_no_other_file_opens_connections():
    root = Path(letterdesk.__file__).parent
    doors = {}
    for file in root.rglob("*.py"):
        name = file.relative_to(root).as_posix()
        if "/tests/" not in name:
            doors[name] = set(opened(ast.parse(file.read_text()))) - ELSEWHERE.get(name, set())
    assert {name: found for name, found in doors.items() if found} == {}


@pytest.mark.case("D02")
@pytest.mark.parametrize(
    "source",
    ["import requests", "from urllib.request import urlopen", "import socket\nsocket.create_connection(('h', 1))",
     "from socket import create_connection", "import smtplib\nsmtplib.SMTP('host')", "import http.client",
     "import smtplib\nsmtplib.SMTP_SSL(host='x')", "import socket\nsocket.socket()", "import imaplib"],
)  # fmt: skip
def test_the_search_for_doors_finds_them(source):
    assert set(opened(ast.parse(source)))


@pytest.mark.case("D02")
def test_the_search_for_doors_lets_harmless_lines_pass():
    harmless = "import socket\nimport smtplib\nsocket.gethostname()\nsmtplib.SMTP()\nx: socket.socket"
    assert set(opened(ast.parse(harmless))) == set()
    assert "_open" in inspect.getsource(Guard.connect)
