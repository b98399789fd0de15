"""The policies that keep letters from acting: on every answer (C07, C11, C14, C15)."""

import re
from pathlib import Path

import pytest

from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_access import PAGES, knock

WEB = Path(__file__).resolve().parents[1]


def directives(response):
    policy = response.headers["Content-Security-Policy"]
    return {part.split()[0]: part.split()[1:] for part in policy.split(";") if part.strip()}


@pytest.mark.case("C15")
def test_every_page_has_a_strict_policy(things, people, sign_in):
    pages = sorted(PAGES, key=lambda name: PAGES[name][0])  # GET first: what is changed then may be gone
    browsers = {actor: sign_in(people[actor]) for actor in ("anonymous", "owner", "administrator")}
    for name in pages:
        for actor in ("anonymous", "administrator" if PAGES[name][2] in (403, 404) else "owner"):
            assert lax(knock(browsers[actor], name, things)) == [], (name, actor)


def lax(answer):
    """What of the policy is missing in this answer."""
    policy, headers = directives(answer), answer.headers
    scripts = policy.get("script-src", ["'none'"])
    wanted = {
        "default-src": policy["default-src"] == ["'none'"],
        "script-src": "'unsafe-inline'" not in scripts and "'unsafe-eval'" not in scripts,
        "frame-ancestors": policy["frame-ancestors"] in (["'none'"], ["'self'"]),
        "X-Content-Type-Options": headers["X-Content-Type-Options"] == "nosniff",
        "X-DNS-Prefetch-Control": headers["X-DNS-Prefetch-Control"] == "off",
    }
    return [name for name, is_there in wanted.items() if not is_there]


@pytest.mark.case("C15")
def test_pages_for_nobody_and_for_errors_have_it_too(sign_in, db):
    client = sign_in(None)
    for address in ("/accounts/login/", "/nothing/here", "/invitations/x", "/static/web/js/page.js"):
        assert directives(client.get(address))["default-src"] == ["'none'"]


def test_a_letter_has_a_policy_of_its_own(browser, deliver):
    letter = deliver(raw_letter(html="<p>Hello</p>"))[0]
    answer = browser.get(f"/messages/{letter.public_id}/body")
    policy = directives(answer)
    assert policy["default-src"] == ["'none'"]
    assert policy["img-src"] == ["'self'", "data:"]
    assert policy["form-action"] == policy["base-uri"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'self'"]
    assert sorted(policy["sandbox"]) == ["allow-popups", "allow-popups-to-escape-sandbox", "allow-scripts"]
    nonce = re.fullmatch(r"'nonce-(.{20,})'", policy["script-src"][0])[1]
    assert re.findall(r"<script[^>]*>", answer.content.decode()) == [f'<script nonce="{nonce}">']
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    again = browser.get(f"/messages/{letter.public_id}/body")
    assert nonce not in again.headers["Content-Security-Policy"]


@pytest.mark.case("C14")
def test_frames_of_letters_are_never_of_our_origin():
    frames = [frame for page in WEB.rglob("*.html") for frame in re.findall(r"<iframe[^>]*>", page.read_text())]
    assert frames
    for frame in frames:
        assert 'sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox"' in frame
        assert "srcdoc" not in frame


def test_templates_need_no_exception_from_the_policy():
    """No inline script, style or handler, and nothing of htmx that would need eval."""
    for page in WEB.rglob("*.html"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", page.read_text(), flags=re.DOTALL)
        if page.name in {"body.html", "print.html"}:
            continue  # have a policy of their own, and a nonce
        inline = [tag for tag in re.findall(r"<script[^>]*>", text) if "src=" not in tag and "json" not in tag]
        assert not inline, page
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|js:|javascript:", text), page


def test_templates_and_views_stay_short():
    for page in WEB.rglob("*.html"):
        assert page.read_text().count("\n") <= 80, page
