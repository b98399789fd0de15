"""Pictures from elsewhere: rasters alone, small, in time, from public hosts (C10)."""

import time

import pytest

from letterdesk.mail.errors import BlockedAddress, Disconnected
from letterdesk.mail.guard import Guard
from letterdesk.mail.pictures import fetch_picture, raster_type
from tests.rig.leakpage import PIXEL, Canary

HERE = Guard(allowed=("127.0.0.0/8",))
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.fixture
def server():
    canary = Canary()
    yield canary
    canary.stop()


def serve(server, path, *pieces, status=200, pause=0.0, **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        try:
            for piece in pieces:
                handler.wfile.write(piece)
                time.sleep(pause)
        except (BrokenPipeError, ConnectionResetError):
            return

    server.answers[path] = answer
    return server.address + path


@pytest.mark.case("C10")
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (PIXEL, "image/gif"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (SVG, None),
        (b"<?xml version='1.0'?>" + SVG, None),
        (b"<html><script>1</script>", None),
        (b"%PDF-1.7", None),
        (b"BM\x00\x00", None),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x00\x00\x00\x01\x00\x00", None),  # 65,536 × 65,536
        (b"", None),
    ],
)
def test_the_first_bytes_say_what_a_picture_is(content, kind):
    assert raster_type(content) == kind


@pytest.mark.case("C10")
def test_a_picture_is_fetched_without_cookie_and_referrer(server):
    picture = fetch_picture(HERE, serve(server, "/a", PNG, Content_Type="text/html"))
    assert picture.content == PNG and picture.content_type == "image/png"
    [asked] = server.asked
    assert not asked.headers.keys() & {"cookie", "referer", "authorization", "x-forwarded-for"}


@pytest.mark.case("C10")
def test_what_calls_itself_a_picture_and_is_none_is_refused(server):
    assert fetch_picture(HERE, serve(server, "/a.png", SVG, Content_Type="image/png")) is None


@pytest.mark.case("C10", "D01")
def test_a_redirect_to_a_private_address_is_refused(server):
    for target in ("http://10.0.0.1/x.png", "http://169.254.169.254/", "http://[::1]:1/", "http://0x7f.1.1.1:9/"):
        narrow = Guard(allowed=("127.0.0.1/32",))
        with pytest.raises(BlockedAddress):
            fetch_picture(narrow, serve(server, "/go", status=302, Location=target))


@pytest.mark.case("C10")
def test_ten_redirects_and_other_schemes_lead_nowhere(server):
    for number in range(10):
        serve(server, f"/r{number}", status=302, Location=f"{server.address}/r{number + 1}")
    serve(server, "/r10", PNG)
    assert fetch_picture(HERE, f"{server.address}/r0") is None
    assert fetch_picture(HERE, serve(server, "/file", status=302, Location="file:///etc/passwd")) is None


@pytest.mark.case("C10")
def test_fifty_megabytes_are_refused_after_ten(server):
    url = serve(server, "/big", PNG, *[b"\0" * (1 << 20)] * 50)
    began = time.monotonic()
    assert fetch_picture(HERE, url) is None
    assert time.monotonic() - began < 8


@pytest.mark.case("C10")
def test_a_slow_server_is_refused_in_time_in_its_body_and_in_its_headers(server):
    slow = serve(server, "/slow", PNG, *[b"\0"] * 100, pause=0.2)
    began = time.monotonic()
    with pytest.raises(Disconnected):
        fetch_picture(HERE, slow, timeout=1)
    assert time.monotonic() - began < 2

    def drip(handler):
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(100):
                handler.wfile.write(b"X-Drip: 1\r\n")
                time.sleep(0.2)
        except (BrokenPipeError, ConnectionResetError):
            return

    server.answers["/drip"] = drip
    began = time.monotonic()
    with pytest.raises(Disconnected):
        fetch_picture(HERE, f"{server.address}/drip", timeout=1)
    assert time.monotonic() - began < 2
