"""Templates: a page of one's own and of those that are shared, and the page of each."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from letterdesk.crm.writing.placeholders import own_placeholders
from letterdesk.mail.html import clean_html
from letterdesk.mailboxes.collect import NOT_STORED
from letterdesk.outbound import drafts, files, placeholders, templates
from letterdesk.outbound.models import Template, TemplateFile
from letterdesk.web.mail.downloads import as_file
from letterdesk.web.request import Request
from letterdesk.web.security import set_writing_policy
from letterdesk.web.writing.files import MOST, too_many_at_once

SAID = ("name", "subject", "text", "share")


def templates_page(request: Request) -> HttpResponse:
    """GET /settings/templates: the list. POST: make one, or change the own one that `template` names."""
    if request.method != "POST":
        return _list(request)
    named = request.POST.get("template", "")
    found = _own(request, named) if named else None
    said = {name: request.POST.get(name, "") for name in SAID}
    html = _html(request, found)
    try:
        texts = "\n".join((said["subject"], said["text"], placeholders.whole(html)))
        placeholders.check_own(texts, own_placeholders(request.employee.account))
        given, now = _files(request), timezone.now()
        templates.keep_with_files(request.employee, given, now=now, template=found, html=html, **said)
    except (drafts.BadDraft, *NOT_STORED) as error:
        told = str(error) if isinstance(error, drafts.BadDraft) else _not_stored()
        typed = Template(public_id=named, html=html, **{name: said[name] for name in SAID[:3]})
        show = _page if found else _list
        return show(request, typed, share=said["share"], error=told, status=422)
    messages.success(request, _("Saved."))
    return redirect("templates")


@require_GET
def template(request: Request, template_id: str) -> HttpResponse:
    """GET /settings/templates/<id>: an own template, to be changed."""
    found = _own(request, template_id)
    return _page(request, found, share=_share(found))


@require_POST
def template_removal(request: Request, template_id: str) -> HttpResponse:
    """POST /settings/templates/<id>/removal: letters that were written with it stay as they are."""
    templates.remove(_own(request, template_id), now=timezone.now())
    messages.success(request, _("The template is removed."))
    return redirect("templates")


@require_GET
def template_file(request: Request, template_file_id: str) -> HttpResponse:
    """GET /template-files/<id>: a file of a template, to keep (hard rule 9)."""
    file = get_object_or_404(TemplateFile.objects.visible_to(request.employee), public_id=template_file_id)
    return as_file(files.read(file), name=file.filename, content_type=file.content_type)


@require_POST
def template_file_removal(request: Request, template_file_id: str) -> HttpResponse:
    """POST /template-files/<id>/removal: no further letter has it."""
    mine = TemplateFile.objects.editable_by(request.employee).select_related("template")
    file = get_object_or_404(mine, public_id=template_file_id)
    files.take_from_template(file, now=timezone.now())
    messages.success(request, _("%(name)s is taken out of the template.") % {"name": file.filename})
    return redirect("template", file.template.public_id)


def _own(request: Request, template_id: str) -> Template:
    found: Template = get_object_or_404(Template.objects.editable_by(request.employee), public_id=template_id)
    return found


def _html(request: Request, found: Template | None) -> str:
    """What the editor says. Where no script ran, text that was not touched stays as formatted as it was."""
    said = request.POST
    if said.get("format") == "html":
        return said.get("html", "")
    text = said.get("text", "").replace("\r\n", "\n").strip()
    return found.html if found and said.get("format") != "plain" and text == found.text else ""


def _files(request: Request) -> list[files.Given]:
    """The files of the form. Raises BadDraft before they are read where they are too many or too large."""
    given = request.FILES.getlist("file")
    if len(given) > MOST:
        raise drafts.BadDraft(too_many_at_once())
    if sum(each.size or 0 for each in given) > files.LARGEST:
        raise drafts.BadDraft(files.too_large())
    usual = "application/octet-stream"
    return [files.Given(str(each.name), str(each.content_type or usual), each.read()) for each in given]


def _not_stored() -> str:
    return _("The files could not be stored now, and nothing was saved. Choose them again in a minute.")


# The pages


def _list(
    request: Request, typed: Template | None = None, *, share: str = "", error: str = "", status: int = 200
) -> HttpResponse:
    """The list; `typed`: what somebody wrote and was refused, which still stands in the form of a new one."""
    seen = Template.objects.visible_to(request.employee).select_related("owner", "department")
    lines = [_line(request, each) for each in seen.prefetch_related("files").order_by("name", "pk")]
    facts = {**_form(request, typed or Template(public_id=""), share), "lines": lines, "error": error}
    return set_writing_policy(render(request, "web/outbox/templates.html", facts, status=status))


def _page(request: Request, shown: Template, *, share: str, error: str = "", status: int = 200) -> HttpResponse:
    """Of one's own one; `shown`: with what was just written instead of what is kept."""
    kept = TemplateFile.objects.editable_by(request.employee).filter(template__public_id=shown.public_id)
    facts = {**_form(request, shown, share), "files": kept.order_by("pk"), "error": error}
    return set_writing_policy(render(request, "web/outbox/template.html", facts, status=status))


def _form(request: Request, shown: Template, share: str) -> dict[str, Any]:
    """What the form of a template needs: the page's places, and the fields of the editor."""
    return {
        "area": "mail",
        "view": "templates",
        "template": shown,
        "share": share,
        "shares": _shares(request),
        "names": [f"{{{name}}}" for name in placeholders.PLACEHOLDERS],
        "fields": [f"{{{{ {name} }}}}" for name in (*placeholders.FIELDS, *own_placeholders(request.employee.account))],
        "is_rich": bool(shown.html) or not shown.text,
        "letter_html": _shown(shown.html),
        "plain_text": shown.text,
    }


def _shown(html: str) -> SafeString:
    """Formatted text for the page, cleaned at this moment (hard rule 8)."""
    return mark_safe(clean_html(html).html)  # noqa: S308  cleaned by nh3 just now


def _line(request: Request, each: Template) -> dict[str, Any]:
    mine = {"my_name": request.employee.name, "my_address": request.employee.email}
    example = {"name": "Amara Okafor", "first_name": "Amara", "company": "Okafor Ltd"} | mine
    return {
        "template": each,
        "is_own": each.owner_id == request.employee.pk,
        "preview": placeholders.fill(each.text, example),
        "preview_html": _shown(placeholders.fill_html(each.html, example)) if each.html else "",
    }


def _share(each: Template) -> str:
    return "all" if each.is_everyones else "department" if each.department_id else ""


def _shares(request: Request) -> list[tuple[str, str]]:
    department = [("department", _("My department"))] if request.employee.department_id else []
    return [("", _("Only me")), *department, ("all", _("Everyone in the company"))]
