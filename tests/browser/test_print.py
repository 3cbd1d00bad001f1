"""The page on paper: content alone, dark on white, and no figure cut in two."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Open


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_what_is_printed_is_the_content_alone_on_white(open_page: Open, lang: str) -> None:
    for view in ("page=stories", "t=victims&gender=Female", "page=linked", "page=quality", "page=privacy"):
        page = open_page(f"{view}&lang={lang}", color_scheme="dark")
        page.emulate_media(media="print", color_scheme="dark")
        shown = page.evaluate(
            """() => { const seen = q => [...document.querySelectorAll(q)].some(one => one.getClientRects().length > 0);
                 return [['h1', '.foot', 'h2'].map(seen),
                   ['nav', '.tools', 'button:not(.mark, .chip)', '.cross', 'select', 'input', '.skip',
                    'details:not([open]) summary']
                     .filter(seen)]; }"""
        )
        assert shown == [[True, True, True], []], view
        ground, ink = page.evaluate("(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))")
        assert (ground, ink) == ("rgb(255, 255, 255)", "rgb(0, 0, 0)"), view
        breaks = "all => all.map(one => getComputedStyle(one).breakInside)"
        whole = page.locator(".panel, .card, .story, .linked-figure, .foot").evaluate_all(breaks)
        assert set(whole) == {"avoid"}, view
        # Sheets of A4 with what is on the page: no sheet would be empty, none cut off at the side.
        page.set_viewport_size({"width": 718, "height": 1000})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        assert page.pdf(format="A4").startswith(b"%PDF-")
