"""What the engine says to a steward: every code has a sentence, and English is as it was put together before."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import caseveil
from caseveil.records.identify import Looks
from caseveil.records.said import SENTENCES, Words, looks, places, say
from caseveil.schema.recipe import Derive, Group
from caseveil.standards.htcds import Identifies

SOURCE = Path(caseveil.__file__).parent
WORDS = Path(__file__).parents[2] / "web" / "app" / "src" / "i18n"
SENTENCE = re.compile(r'^  "said\.([\w.-]+)": (.*),$', re.MULTILINE)
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
CALLED = re.compile(r"""\bsay\(\s*"([\w.-]+)"(?: if [^"]* else "([\w.-]+)")?""")
MADE = {*(f"recipe.{one.value}" for one in (*Derive, *Group)), *(f"looks.{one.name}" for one in Looks)}
ELSEWHERE = {"aside", "words.emptyCell"}


def test_every_code_is_said_somewhere_and_every_code_that_is_said_is_there() -> None:
    texts = [path.read_text("utf-8") for path in SOURCE.rglob("*.py")]
    speakers = [text for text in texts if "from caseveil.records.said import" in text or "SENTENCES" in text]
    said = {code for text in speakers for found in CALLED.findall(text) for code in found if code}
    assert len(said) > 40
    assert said | MADE | ELSEWHERE == set(SENTENCES)


def test_the_pages_have_a_sentence_for_every_code_in_all_languages_and_the_same_english() -> None:
    """That a language puts in what English puts in, and has its plural forms, is tested in web/app/test."""
    for lang in ("en", "fr", "es", "ar"):
        found = dict(SENTENCE.findall((WORDS / f"{lang}.ts").read_text("utf-8")))
        assert set(found) == set(SENTENCES), lang
        if lang == "en":
            for code, text in found.items():
                texts = tuple(json.loads(one) for one in TEXT.findall(text))
                assert texts == ((SENTENCES[code],) if isinstance(SENTENCES[code], str) else SENTENCES[code])


def test_what_a_standard_calls_identifying_is_known() -> None:
    assert {one.name for one in Identifies} <= {one.name for one in Looks}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_text_of_two_forms_needs_its_count(code: str) -> None:
    values = dict.fromkeys(places(code) - {"n"}, "x")
    if isinstance(SENTENCES[code], tuple):
        assert str(say(code, n=1, **values)) != str(say(code, n=2, **values))
        with pytest.raises(ValueError, match="n where"):
            say(code, **values)
    else:
        assert str(say(code, **values))
        with pytest.raises(ValueError, match="and only there"):
            say(code, n=2, **values)
    with pytest.raises(ValueError, match="values that its text"):
        say(code, **values, unheard="x")


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="one of SENTENCES"):
        say("unheard")


def test_english_and_what_a_page_gets() -> None:
    nested = say("looksOpen", what=looks(Looks.NAME))
    assert str(nested).startswith("This column looks like a person's name. Set it aside")
    assert nested.plain() == {"code": "looksOpen", "values": {"what": {"code": "looks.NAME", "values": {}}}}
    assert str(say("strays", count=1200, table="people")) == "Rows that name nobody in people: 1,200"
    many = Words(words=tuple("abcdefghij"), joint="or")
    assert str(many) == '"a", "b", "c", "d", "e", "f" or 4 others'
    assert many.plain() == {"words": list("abcdef"), "joint": "or", "more": 4}
    assert str(Words(words=("", "x"), joint="or")) == 'empty or "x"'
    assert str(Words(words=("", "x"))) == 'an empty cell and "x"'
