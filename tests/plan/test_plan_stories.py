"""Stories in a plan: read, written, refused in words that help, and no part of what the digest covers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.errors import PlanError
from caseveil.plan import Plan
from caseveil.release.story import MOST, TEXT, TITLE, VIEW, Story

PLAN = """
[release]
name = "cases"
version = "1"

[privacy]
epsilon = 1.0

[tables.cases]
source = "cases.csv"

[tables.cases.columns.gender]
kind = "category"
values = ["Female", "Male"]
"""
STORY = """
[[stories]]
title = "Women in the fields"
text = \"\"\"
Most are women.
Few are not.\"\"\"
view = "t=cases&f=gender:Female&x=%C3%A9"
"""


def plan_of(text: str) -> Plan:
    return Plan.from_toml(text, Path())


def test_stories_are_read_in_their_order_and_written_back() -> None:
    plan = plan_of(PLAN + STORY + '[[stories]]\ntitle = "قصة"\ntext = "نص"\n')
    assert plan.stories == (
        Story(
            title="Women in the fields", text="Most are women.\nFew are not.", view="t=cases&f=gender:Female&x=%C3%A9"
        ),
        Story(title="قصة", text="نص", view=""),
    )  # fmt: skip
    assert plan_of(plan.to_toml()) == plan
    assert plan_of(PLAN).stories == ()


def test_stories_may_change_after_the_release() -> None:
    plain, told = plan_of(PLAN), plan_of(PLAN + STORY)
    assert told != plain
    assert told.digest() == plain.digest()
    shorter = dataclasses.replace(told.aggregates, length=2)
    assert dataclasses.replace(told, aggregates=shorter).digest() != told.digest()


REFUSED = {
    'title = "A"': "stories[1].text is missing",
    'text = "B"': "stories[1].title is missing",
    'title = "A"\ntext = "B"\nviews = ""': "stories[1].views is not known; did you mean view?",
    'title = 1\ntext = "B"': "stories[1].title (a whole number) must be a text in quotes",
    'title = " "\ntext = "B"': "stories[1].title ('') must say something",
    'title = "A"\ntext = "\\n"': "stories[1].text ('') must say something",
    'title = "A\\nB"\ntext = "B"': "stories[1].title must be one line",
    'title = "A"\ntext = "<b>B</b>"': "stories[1].text must be plain text",
    'title = "A"\ntext = "a <img src=x onerror=alert(1)>"': "stories[1].text must be plain text",
    'title = "A"\ntext = "B\\u0007"': "stories[1].text must be plain text",
    'title = "A"\ntext = "B"\nview = "#t=cases"': "stories[1].view must be only what stands after '#'",
    'title = "A"\ntext = "B"\nview = "t=cases x"': "stories[1].view must be copied from the explorer's address",
    'title = "A"\ntext = "B"\nview = "t=<x>"': "stories[1].view must be copied from the explorer's address",
    f'title = "{"A" * (TITLE + 1)}"\ntext = "B"': f"stories[1].title ({TITLE + 1} characters) must",
    f'title = "A"\ntext = "{"B" * (TEXT + 1)}"': f"stories[1].text ({TEXT + 1} characters) must have at most {TEXT}",
    f'title = "A"\ntext = "B"\nview = "{"v" * (VIEW + 1)}"': "stories[1].view (2001 characters)",
}


@pytest.mark.parametrize("block", REFUSED)
def test_refusals_name_the_story_and_what_to_do(block: str) -> None:
    with pytest.raises(PlanError) as caught:
        plan_of(f"{PLAN}[[stories]]\n{block}\n")
    assert REFUSED[block] in str(caught.value)


def test_the_second_story_is_called_the_second() -> None:
    with pytest.raises(PlanError, match=r"stories\[2\]\.title is missing"):
        plan_of(PLAN + STORY + '[[stories]]\ntext = "B"\n')


def test_no_more_stories_than_a_page_holds() -> None:
    assert len(plan_of(PLAN + STORY * MOST).stories) == MOST
    with pytest.raises(PlanError, match=rf"stories \({MOST + 1}\) must be at most {MOST}"):
        plan_of(PLAN + STORY * (MOST + 1))


@pytest.mark.parametrize("stories", ["stories = 5", "stories = [5]", 'stories = ["A"]', '[stories]\ntitle = "A"'])
def test_stories_that_are_no_sections_are_refused(stories: str) -> None:
    with pytest.raises(PlanError, match=r"each headed \[\[stories\]\]"):
        plan_of(f"{stories}\n{PLAN}" if "=" in stories.split("\n")[0] else f"{PLAN}{stories}\n")


_words = st.text(st.characters(codec="utf-8"), max_size=40)


@given(_words, _words, _words)
def test_every_story_that_is_accepted_survives_toml_and_json(title: str, text: str, view: str) -> None:
    try:
        story = Story(title=title, text=text, view=view)
    except PlanError:
        return
    plan = dataclasses.replace(plan_of(PLAN), stories=(story,))
    assert plan_of(plan.to_toml()).stories == (story,)
    assert Story.from_json(story.to_json()) == story
