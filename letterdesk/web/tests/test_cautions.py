"""What is said before a letter goes out."""

import pytest

from letterdesk.web.writing.cautions import MANY, Letter, cautions


def letter(**more):
    usual = {"subject": "Offer", "html": "", "text": "Hello", "has_files": False, "recipients": ("a@b.example",)}
    return Letter(**(usual | more))


def test_a_letter_as_it_should_be_is_sent_in_silence():
    assert cautions(letter()) == []


@pytest.mark.parametrize("text", ["see the attached list", "anbei die Liste", "im Anhang", "ci-joint", "во вложении"])
def test_a_file_that_is_spoken_of_and_missing_is_told(text):
    assert len(cautions(letter(text=text))) == 1
    assert cautions(letter(text=text, has_files=True)) == []


def test_what_the_quoted_letter_spoke_of_is_not_ours():
    assert cautions(letter(text="Thanks\n\nOn Monday, Amara wrote:\n> the attached list\n")) == []
    html = "<p>Thanks</p><blockquote><p>the attached list</p></blockquote>"
    assert cautions(letter(html=html)) == []


def test_no_subject_and_many_people_are_told():
    told = cautions(letter(subject=" ", recipients=tuple(f"a{number}@b.example" for number in range(MANY))))
    assert told == ["It has no subject.", f"It goes to {MANY} people."]


def test_people_from_outside_are_named_where_so_far_only_colleagues_wrote():
    inside = frozenset({"acme.example"})
    assert cautions(letter(recipients=("jonas@acme.example",), inside=inside)) == []
    [told] = cautions(letter(recipients=("jonas@acme.example", "amara@okafor.example"), inside=inside))
    assert "amara@okafor.example is from outside" in told
