"""Static files under an asynchronous server: whitenoise finds them, we hand them over whole and compressed."""

import gzip
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from letterdesk.web.sheet import sheet

WORTH_PACKING = 1000  # bytes


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # whitenoise is not typed
    """Middleware: whitenoise's own answers stream synchronously, which an ASGI server cannot do well."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the joined style sheet, else as whitenoise does."""
        if request.path_info == sheet().address:
            kept = {"Cache-Control": "max-age=31536000, public, immutable"}
            return _packed(
                request, HttpResponse(sheet().content, content_type='text/css; charset="utf-8"', headers=kept)
            )
        answer: HttpResponse = super().__call__(request)
        return answer

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Answer with the file, its caching headers as whitenoise decides."""
        found = static_file.get_response(request.method or "GET", request.META)
        content = b""
        if found.file is not None:
            with found.file as file:
                content = file.read()
        response = HttpResponse(content, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return _packed(request, response)


def _packed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer in gzip, where it is text and the browser takes it."""
    is_text = response.get("Content-Type", "").startswith(("text/", "image/svg", "application/javascript"))
    if not is_text or response.status_code != 200 or len(response.content) < WORTH_PACKING:
        return response
    patch_vary_headers(response, ["Accept-Encoding"])
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response.content = _gzip(response.content)
        response["Content-Encoding"] = "gzip"
        response["Content-Length"] = str(len(response.content))
    return response


@lru_cache(maxsize=128)
def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)
