"""Subjects: what a conversation is called, whoever answered in whatever language."""

import time

import pytest

from letterdesk.mail.subjects import is_forward_subject, is_reply_subject, normal_subject

REPLIES = (
    "Re RE re AW Antw SV VS Vá Ref RES Rif Odp ΑΠ Σχετ YNT BLS Réf RÉP Réponse Ответ Отв НА Відповідь "
    "回复 回覆 答复 返信 회신 תשובה השב רה رد الرد ตอบกลับ"
).replace("НА ", "")
FORWARDS = "Fwd FWD Fw WG VB VL TR ENC RV Doorst PD İlt ΠΡΘ Пересл Пер Переслано 转发 轉寄 転送 전달 הועבר إعادة"


@pytest.mark.parametrize("prefix", REPLIES.split())
def test_reply_prefixes_are_known_in_many_languages(prefix):
    assert normal_subject(f"{prefix}: Offer") == "Offer"
    assert is_reply_subject(f"{prefix}: Offer")
    assert not is_forward_subject(f"{prefix}: Offer")


@pytest.mark.parametrize("prefix", FORWARDS.replace("İlt ", "").split())
def test_forward_prefixes_are_no_replies(prefix):
    assert normal_subject(f"{prefix}: Offer") == "Offer"
    assert not is_reply_subject(f"{prefix}: Offer")
    assert is_forward_subject(f"{prefix}: Offer")


@pytest.mark.parametrize(
    ("subject", "normal", "reply"),
    [
        ("Offer", "Offer", False),
        ("Re: Re: AW: Fwd: Offer", "Offer", True),
        ("Re[2]: Offer", "Offer", True),
        ("RE(3): Offer", "Offer", True),
        ("Re^4: Offer", "Offer", True),
        ("Re2: Offer", "Offer", True),
        ("Re : Offer", "Offer", True),
        ("回复：转发：Offer", "Offer", True),
        ("R: Offer", "Offer", True),
        ("I: Offer", "Offer", False),
        ("[sales] Re: [sales] Offer", "Offer", True),
        ("Re: [sales]  Offer", "Offer", True),
        ("[Ticket 12] Offer", "[Ticket 12] Offer", False),
        ("Re: [#12] Offer", "[#12] Offer", True),
        ("[sales]", "[sales]", False),
        ("Offer (fwd)", "Offer", False),
        ("Re:", "", True),
        ("", "", False),
        ("  Re:   Offer\r\n for   you ", "Offer for you", True),
        ("Recipe: soup", "Recipe: soup", False),
        ("Reply to all: no", "Reply to all: no", False),
        ("Reason: none", "Reason: none", False),
        ("Internal: Re: x", "Internal: Re: x", False),
        ("Answer: 42", "Answer: 42", False),
        ("Re: عرض السعر", "عرض السعر", True),
        ("RE\u0301P: Offre", "Offre", True),
    ],
)
def test_a_conversation_keeps_its_name(subject, normal, reply):
    assert normal_subject(subject) == normal
    assert is_reply_subject(subject) is reply
    assert normal_subject(normal) == normal


@pytest.mark.case("B16")
@pytest.mark.parametrize("piece", ["Re:", "Re: ", "[", "[a] ", "Re[2", " ", "(fwd)", "re re", "回复"])
def test_a_subject_of_a_megabyte_is_no_trouble(piece):
    started = time.process_time()
    normal_subject(piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 0.2
