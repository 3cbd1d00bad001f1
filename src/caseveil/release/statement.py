"""The promise of a release, as data and as one sentence. Its full text is written by `prose.py`.

It never holds the true number of rows, nor the name, path or size of the source.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from caseveil.errors import BundleError, PlanError
from caseveil.privacy.loss import GaussianDP
from caseveil.release.about import About
from caseveil.release.link_promise import LinkPromise
from caseveil.release.update_promise import UpdatePromise
from caseveil.schema.unit import PrivacyUnit

GUARANTEE = "differential-privacy"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What was promised to whom, how it was kept, and what was public.

    epsilon, delta: the promise; mu: Gaussian differential privacy of all noise together (Dong, Roth, Su
    2019); rho = mu^2/2: zero-concentrated differential privacy. delta covers mu at epsilon and every
    private discovery of values.
    mechanisms: the ledger's events, in order: label, mu, detail, and delta for private discovery.
    length: longest combination that is published. records: synthetic records, the noisy number of units.
    public: sentences that say what was taken as known. discovered: columns whose values were found privately.
    groups, unmeasured: per length, groups of columns that exist and those of them that were not measured.
    fabrication: the dial as the plan has it. expected_made_up: per length, the expected share of
    made-up combinations among the published ones, from the noise alone. threshold: the rule in words.
    least_count: per length, no published count is below it (1 where nothing is said).
    level: share of the intervals that hold the true count. ledger_kept: whether a ledger file has the charge.
    links: what the promise means for linked tables; None for a release of one table. update: what it means in a series
    of releases; None for one that stands alone.
    Raises PlanError.
    """

    unit: PrivacyUnit
    epsilon: float
    delta: float
    rho: float
    mu: float
    mechanisms: tuple[Mapping[str, Any], ...]
    length: int
    records: int
    public: tuple[str, ...]
    discovered: tuple[str, ...] = ()
    groups: Mapping[int, int] = field(default_factory=dict)
    unmeasured: Mapping[int, int] = field(default_factory=dict)
    fabrication: str | float = "balanced"
    expected_made_up: Mapping[int, float] = field(default_factory=dict)
    threshold: str = ""
    least_count: Mapping[int, int] = field(default_factory=dict)
    level: float = 0.95
    ledger_kept: bool = False
    software: Mapping[str, str] = field(default_factory=dict)
    links: LinkPromise | None = None
    update: UpdatePromise | None = None
    guarantee: str = field(default=GUARANTEE, init=False)

    def __post_init__(self) -> None:
        for name in ("epsilon", "mu", "rho"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise PlanError(f"statement.{name} ({value}) must be a number above 0")
        for name in ("delta", "level"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise PlanError(f"statement.{name} ({value}) must lie between 0 and 1")
        if self.records < 0:
            raise PlanError(f"statement.records ({self.records}) must be 0 or more")
        if self.length < 1:
            raise PlanError(f"statement.length ({self.length}) must be 1 or more")

    def __str__(self) -> str:
        who = f"{self.unit.name} in the data"
        whether = f"the record of any one {self.unit.name} was used"
        if self.links is not None:
            who, whether = self.links.subject(self.unit)
        return (
            f"Every {who} is protected by differential privacy "
            f"(epsilon {self.epsilon:g}, delta {above(self.delta, 2)}): whether or not {whether} changes the odds of "
            f"anything that could be concluded from these records "
            f"and counts by a factor of at most {factor_text(self.epsilon)}, except with a probability of at most "
            f"one in {one_in(self.delta)}."
        )

    @property
    def neighbours(self) -> str:
        """The neighbour relation in words."""
        return self.unit.neighbours if self.links is None else self.links.neighbours(self.unit)

    @property
    def composed_mu(self) -> float:
        """mu of all mechanisms together: the root of the sum of squares (Dong, Roth, Su 2019, Corollary 3.3)."""
        return math.sqrt(math.fsum(float(event["mu"]) ** 2 for event in self.mechanisms))

    @property
    def discovery_delta(self) -> float:
        """delta that private discovery of values uses, in total."""
        return math.fsum(float(event.get("delta", 0.0)) for event in self.mechanisms)

    @property
    def delta_at_epsilon(self) -> float:
        """delta that mu and the discovery need together at the epsilon of the promise."""
        return GaussianDP(mu=self.mu).delta(self.epsilon) + self.discovery_delta

    @property
    def guess_rate(self) -> float:
        """Bound on how often anyone tells 'in the data' from 'not in the data', both equally likely beforehand.

        Phi(mu/2) (Dong, Roth, Su 2019, Section 2.2: the best balanced test between neighbours), plus half
        of what private discovery may add to the total variation.
        """
        return min(1.0, 0.5 * math.erfc(-self.mu / 2 / math.sqrt(2)) + self.discovery_delta / 2)

    def to_markdown(self, about: About) -> str:
        """STATEMENT.md: the promise in plain words, then for a privacy officer."""
        from caseveil.release.prose import markdown  # prose reads this type, so it is imported late

        return markdown(self, about)

    def to_json(self) -> dict[str, Any]:
        """A JSON object; lengths are text keys."""
        links = {} if self.links is None else {"links": self.links.to_json()}
        update = {} if self.update is None else {"update": self.update.to_json()}
        return {
            **links,
            **update,
            "guarantee": self.guarantee,
            "unit": self.unit.name,
            "neighbours": self.neighbours,
            "epsilon": self.epsilon,
            "delta": self.delta,
            "rho": self.rho,
            "mu": self.mu,
            "mechanisms": [dict(event) for event in self.mechanisms],
            "length": self.length,
            "records": self.records,
            "public": list(self.public),
            "discovered": list(self.discovered),
            "groups": _text_keys(self.groups),
            "unmeasured": _text_keys(self.unmeasured),
            "fabrication": self.fabrication,
            "expected_made_up": _text_keys(self.expected_made_up),
            "threshold": self.threshold,
            "least_count": _text_keys(self.least_count),
            "level": self.level,
            "ledger_kept": self.ledger_kept,
            "software": dict(self.software),
            "sentence": str(self),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Statement:
        """Inverse of `to_json`. Raises BundleError where something is missing, out of range or of another type."""
        try:
            statement = cls(
                unit=PrivacyUnit(name=_text(raw["unit"])),
                epsilon=_number(raw["epsilon"]),
                delta=_number(raw["delta"]),
                rho=_number(raw["rho"]),
                mu=_number(raw["mu"]),
                mechanisms=tuple(_event(event) for event in raw["mechanisms"]),
                length=_whole(raw["length"]),
                records=_whole(raw["records"]),
                public=tuple(_text(sentence) for sentence in raw["public"]),
                discovered=tuple(_text(column) for column in raw["discovered"]),
                groups={int(k): _whole(v) for k, v in raw["groups"].items()},
                unmeasured={int(k): _whole(v) for k, v in raw["unmeasured"].items()},
                fabrication=raw["fabrication"] if isinstance(raw["fabrication"], str) else _number(raw["fabrication"]),
                expected_made_up={int(k): _number(v) for k, v in raw["expected_made_up"].items()},
                threshold=_text(raw["threshold"]),
                least_count={int(k): _whole(v) for k, v in raw["least_count"].items()},
                level=_number(raw["level"]),
                ledger_kept=bool(raw["ledger_kept"]),
                software={_text(k): _text(v) for k, v in raw["software"].items()},
                links=LinkPromise.from_json(raw["links"]) if "links" in raw else None,
                update=UpdatePromise.from_json(raw["update"]) if "update" in raw else None,
            )
            if raw["guarantee"] != GUARANTEE or raw["sentence"] != str(statement):
                raise ValueError("the guarantee or its sentence is not ours")
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, PlanError) as error:
            raise BundleError("the privacy statement is damaged or was not written by Caseveil") from error
        return statement


def above(value: float, digits: int) -> str:
    """A positive number as text with so many digits, never less than the number itself."""
    if value <= 0 or not math.isfinite(value):
        return f"{value:g}"
    step = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    rounded = float(f"{value:.{digits}g}")
    if rounded < value:
        rounded += step
    return f"{rounded:,.0f}" if 1e4 <= rounded < 1e9 else f"{rounded:.{digits}g}"


def one_in(delta: float) -> str:
    """1 / delta, rounded down to two digits: 'one in 160,000' for 6e-6."""
    times = math.floor(1 / delta * (1 + 1e-9))
    digits = max(0, len(str(times)) - 2)
    return f"{times // 10**digits * 10**digits:,}"


def as_sentence(text: str) -> str:
    """Text with a capital at its start and a full stop at its end; '' stays ''."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".") if text else ""


def factor_text(epsilon: float) -> str:
    """e^epsilon, rounded up to three digits."""
    return above(math.exp(min(epsilon, 700.0)), 3)


def _text_keys(mapping: Mapping[int, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in mapping.items()}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text was expected")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("a number was expected")
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("a whole number was expected")
    return value


def _event(raw: Any) -> Mapping[str, Any]:
    event = dict(raw)
    _text(event["label"]), _text(event["detail"])
    if not _number(event["mu"]) >= 0 or not 0 <= _number(event.get("delta", 0.0)) < 1:
        raise ValueError("an event must have mu of 0 or more and delta from 0 to 1")
    return event
