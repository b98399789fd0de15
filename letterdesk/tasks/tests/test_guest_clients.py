"""What guests write with the programs that people have becomes a comment without the letter that they answer."""

import pytest

from letterdesk.tasks.models import Comment

from .test_guests import answer, arrive, guest, house, identity, sink, task  # noqa: F401  fixtures

OURS = (
    "Ines of Acme asks you to take part in “Renew contract”.",
    "",
    "Please look at page 3.",
    "",
    "-- ",
    "Answer this letter: what you write, and the files in it, go to all who work on this with us.",
)
BARE, QUOTED, RICH = "\n".join(OURS), "\n".join(f"> {line}".rstrip() for line in OURS), "<br>".join(OURS)
WROTE = "On Mon, Nov 30, 2026 at 10:05 AM Ines Ortega <ines@acme.example> wrote:"
HEAD = (
    "From: Ines Ortega <ines@acme.example>\nSent: Monday, November 30, 2026 10:05\nTo: Bo\nSubject: [#1] Renew contract"
)
GERMAN = (
    "Von: Ines Ortega <ines@acme.example>\nGesendet: Montag, 30. November 2026 10:05\nAn: Bo\nBetreff: [#1] Vertrag"
)
RUSSIAN = "От: Ines Ortega <ines@acme.example>\nОтправлено: понедельник, 30 ноября 2026 г.\nКому: Bo\nТема: Договор"
RICH_HEAD = "<b>From:</b> Ines Ortega<br><b>Sent:</b> Monday<br><b>To:</b> Bo<br><b>Subject:</b> [#1] Renew contract"
WORD = '<p class="MsoNormal">{}<o:p></o:p></p>'
CLIENTS = {
    "Gmail": (
        f"Page 3 is fine.\n\nBo\n\n{WROTE}\n\n{QUOTED}",
        '<div dir="ltr">Page 3 is fine.<div><br></div><div>Bo</div></div><br><div class="gmail_quote">'
        f'<div class="gmail_attr">{WROTE.replace("<", "&lt;")}<br></div><blockquote>{RICH}</blockquote></div>',
    ),
    "Outlook for Windows": (
        f"Page 3 is fine.\n\n \n\nBo\n\n \n\n{HEAD}\n\n \n\n{BARE}",
        f'<div class="WordSection1">{WORD.format("Page 3 is fine.")}{WORD.format("&nbsp;")}{WORD.format("Bo")}'
        f'<div style="border-top:solid #E1E1E1 1.0pt">{WORD.format(RICH_HEAD)}</div>{WORD.format(RICH)}</div>',
    ),
    "Outlook on the web": (
        f"Page 3 is fine.\n\nBo\n________________________________\n{HEAD}\n\n{BARE}",
        '<div class="elementToProof">Page 3 is fine.</div><div>Bo</div><div id="appendonsend"></div>'
        f'<hr tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">{RICH_HEAD}</div><div>{RICH}</div>',
    ),
    "Outlook, HTML alone": (
        "",
        f"{WORD.format('Page 3 is fine.')}{WORD.format('Bo')}"
        f'<div style="border:none;border-top:solid #E1E1E1 1.0pt">{WORD.format(RICH_HEAD)}</div>{WORD.format(RICH)}',
    ),
    "Apple Mail": (
        f"Page 3 is fine.\n\nBo\n\n> On 30. Nov 2026, at 10:05, Ines Ortega <ines@acme.example> wrote:\n> \n{QUOTED}",
        "<body>Page 3 is fine.<div><br></div><div>Bo<br><div><br>"
        '<blockquote type="cite"><div>On 30. Nov 2026, at 10:05, Ines Ortega wrote:</div>'
        f'<br class="Apple-interchange-newline"><div>{RICH}</div></blockquote></div></div></body>',
    ),
    "Thunderbird": (f"Page 3 is fine.\n\nBo\n\nAm 30.11.26 um 10:05 schrieb Ines Ortega:\n{QUOTED}\n", ""),
    "Outlook in German": (f"Page 3 is fine.\n\nBo\n\n{GERMAN}\n\n{BARE}", ""),
    "Outlook in Russian": (f"Page 3 is fine.\n\nBo\n\n{RUSSIAN}\n\n{BARE}", ""),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_comment_shows_what_is_new_and_brings_its_file(client, guest, arrive):  # noqa: F811
    plain, html = CLIENTS[client]
    letter = answer(guest, plain)
    if html:
        letter.add_alternative(html, subtype="html")
    letter.add_attachment(b"%PDF", "application", "pdf", filename="plan.pdf")
    arrive(letter)
    made = Comment.objects.get()
    assert [line for line in made.text.split("\n") if line] == ["Page 3 is fine.", "Bo"]
    assert "\n\n\n" not in made.text and "Please look at page 3." in made.rest
    assert [each.filename for each in made.files.all()] == ["plan.pdf"]
