"""Numbers in the documentation are those that the program computes."""

import math
import re
from pathlib import Path
from statistics import NormalDist

from caseveil.privacy.loss import EpsilonDelta, GaussianDP, mu_for
from caseveil.schema.linked import tilt_reach
from caseveil.schema.links import MOST_LINKS

REPO = Path(__file__).parents[2]
NORMAL = NormalDist()


def rounded_up(value: float, digits: int) -> float:
    return math.ceil(value * 10**digits) / 10**digits


def promise_table() -> list[list[float]]:
    text = (REPO / "docs" / "privacy-promise.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+)% \| ([\d.]+)% \| ([\d.,]+) \|$", text, re.M)
    return [[float(cell.replace(",", "")) for cell in row] for row in rows]


def test_the_table_of_the_promise_is_computed() -> None:
    table = promise_table()
    assert [row[0] for row in table] == [0.25, 0.5, 1, 2, 4, 8]
    for epsilon, mu, rho, guess, found, factor in table:
        exact = mu_for(EpsilonDelta(epsilon=epsilon, delta=5e-6))
        assert mu == round(exact, 3)
        assert rho == round(exact**2 / 2, 4)
        assert guess == rounded_up(100 * NORMAL.cdf(exact / 2), 1)
        assert found == rounded_up(100 * NORMAL.cdf(NORMAL.inv_cdf(0.05) + exact), 1)
        assert factor == rounded_up(math.exp(epsilon), 0 if epsilon > 5 else 1)


def test_the_readme_says_what_the_promise_means() -> None:
    text = (REPO / "README.md").read_text(encoding="utf-8")
    said = re.search(r"guesses right fewer than (\d+) times in 100", text)
    assert said
    exact = 100 * NORMAL.cdf(mu_for(EpsilonDelta(epsilon=1.0, delta=5e-6)) / 2)
    assert exact < int(said[1]) <= exact + 1


def test_the_advice_on_epsilon_is_computed() -> None:
    text = (REPO / "docs" / "how-to" / "choose-epsilon.md").read_text(encoding="utf-8")
    said = re.search(r"fewer than (\d+) and (\d+) in 100", text)
    assert said
    for epsilon, bound in zip((2.0, 4.0), said.groups(), strict=True):
        exact = 100 * NORMAL.cdf(mu_for(EpsilonDelta(epsilon=epsilon, delta=5e-6)) / 2)
        assert exact < int(bound) <= exact + 1
    assert "two releases at epsilon 1 are about as costly as one at 1.5" in text
    twice = GaussianDP(mu=math.sqrt(2) * mu_for(EpsilonDelta(epsilon=1.0, delta=5e-6)))
    assert 1.4 < twice.epsilon(5e-6) < 1.5


def test_the_largest_cap_on_links_is_the_one_that_the_plan_takes() -> None:
    docs = REPO / "docs"
    for page, words in (
        ("how-to/link-tables.md", f"It can be {MOST_LINKS} at most."),
        ("how-to/from-python.md", f"that count, 1 to {MOST_LINKS};"),
        ("reference/plan.md", f"| `at_most` | 1 to {MOST_LINKS} |"),
    ):
        assert words in (docs / page).read_text(encoding="utf-8"), page
    proof = (docs / "proofs" / "linked-measurement.md").read_text(encoding="utf-8")
    victims = 2**62 / (3e6 * 2 * math.lcm(*range(1, MOST_LINKS + 1)) * tilt_reach(MOST_LINKS))
    assert f"the largest cap, {MOST_LINKS}, and 3 million cells" in proof
    assert f"in one clique that is {victims / 1e6:.0f} million victims;" in proof
