"""A list of records as a file: what it shows, for whoever sees it, on record."""

from django.http import Http404, HttpResponse

from letterdesk.crm.models import Kind
from letterdesk.crm.own.values import own_fields_of
from letterdesk.crm.records.export import cards_of, exported, head_of, table_of, tell_export
from letterdesk.crm.records.lists import all_of
from letterdesk.lib.sheets import as_csv
from letterdesk.mail.vcard import write_cards
from letterdesk.web.crm.records import still_there, wanted_of, words_of
from letterdesk.web.mail.downloads import as_file
from letterdesk.web.request import Request


def export(request: Request, plural: str) -> HttpResponse:
    """GET /crm/<plural>/export?form=csv|vcf and as the list: what it shows, filtered so; of deals no cards."""
    words, form = words_of(plural), request.GET.get("form", "csv")
    if form not in {"csv", "vcf"} or (form == "vcf" and words.kind == Kind.DEAL):
        raise Http404
    own = own_fields_of(request.employee.account, words.kind)
    wanted, _gone = still_there(request, words, wanted_of(request, words, own), own)
    found = all_of(request.employee, wanted)
    records = exported(request.employee, found, own)
    tell_export(request.employee, words.kind, len(records), form)
    if form == "vcf":
        cards = write_cards(cards_of(records, own)).encode()
        return as_file(cards, name=f"{plural}.vcf", content_type="text/vcard")
    content = as_csv(head_of(own), table_of(records, own)).encode("utf-8-sig")
    return as_file(content, name=f"{plural}.csv", content_type="text/csv")
