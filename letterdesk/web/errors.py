"""Pages for what went wrong: they say what to do, and nothing about the machine (C28)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: foreign, deleted and never existing look the same (C18)."""
    return render(request, "404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    """403: also for a form that was open too long (CSRF)."""
    return render(request, "403.html", status=403)


def failed(request: HttpRequest) -> HttpResponse:
    """500."""
    return render(request, "500.html", status=500)
