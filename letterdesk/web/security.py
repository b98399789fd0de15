"""The headers of every page: a strict Content-Security-Policy, and no talk to strangers.

Hard rules 7 and 9: letters and files have policies of their own, which their views set.
"""

from collections.abc import Callable, Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

APP_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; font-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
PICTURE_HEADERS = {
    "Content-Security-Policy": FILE_POLICY,
    "Cross-Origin-Resource-Policy": "cross-origin",  # the frame that shows it is of no origin
    "Cache-Control": "private, max-age=900",
    "Referrer-Policy": "no-referrer",
}
HEADERS = {
    "Content-Security-Policy": APP_POLICY,
    "X-DNS-Prefetch-Control": "off",  # C11
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Files of ours that pages load by the dozen: the same strictness in a tenth of the bytes.
STATIC_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'",  # the worker listens to /live
    "Cross-Origin-Resource-Policy": "same-origin",
}


def letter_policy(nonce: str, *, more: str = "") -> str:
    """Return the policy of a letter's own response: only our measuring script runs, nothing is fetched elsewhere.

    `more`: what else the sandbox allows, such as "allow-modals" for a page to be printed.
    """
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
        f"script-src 'nonce-{nonce}'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
        f"sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox {more}".rstrip()
    )


def set_writing_policy(response: HttpResponse) -> HttpResponse:
    """The page of a letter that is written: what is quoted keeps its inline styles; all else as everywhere."""
    set_headers(response, {"Content-Security-Policy": f"{APP_POLICY}; style-src-attr 'unsafe-inline'"})
    return response


def set_headers(response: HttpResponseBase, headers: Mapping[str, str]) -> None:
    """Set several headers at once."""
    for name, value in headers.items():
        response.headers[name] = value


def strict_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: give every response the headers above unless its view chose others (C15)."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        headers = STATIC_HEADERS if request.path.startswith(settings.STATIC_URL) else HEADERS
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    return answer
