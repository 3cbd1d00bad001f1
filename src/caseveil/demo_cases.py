"""Invents victims and perpetrators. Every case is made up and resembles nobody.

A case has a situation (demo_situations.py) that ties its columns together; a person's own severity ties means of
control; perpetrators of one victim are alike; what is missing hangs together by the organisation that recorded it.
Where cases happen is drawn anew for every data set, so that it says nothing about any country.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.demo_situations import CONTROLS, FORMS, RELATIONS, ROLES, SECTORS, SITUATIONS
from caseveil.standards.places import Country, find_country, regions

YEARS = tuple(range(2015, 2025))
GENDERS = ("Female", "Male", "Other")
EDUCATION = ("No schooling", "Primary", "Secondary", "Tertiary")
MARITAL = ("Single", "Married", "Separated or divorced", "Widowed")
AGE_GROUPS = ("Under 18", "18 to 29", "30 to 44", "45 and over")
MOST_PERPETRATORS = 6

# fmt: off
_PLACES = (
    "AL", "AM", "AR", "AU", "BD", "BE", "BO", "BR", "CA", "CL", "CM", "CO", "DE", "DO", "EG", "ES", "ET",
    "FJ", "FR", "GB", "GE", "GH", "GT", "HT", "HU", "ID", "IN", "IT", "JM", "JO", "JP", "KE", "KG", "KH",
    "KZ", "LK", "MA", "MD", "MG", "ML", "MM", "MN", "MX", "MY", "NG", "NL", "NP", "NZ", "PE", "PG", "PH",
    "PK", "PL", "RO", "RS", "RW", "SE", "SN", "TH", "TR", "TZ", "UA", "US", "VN", "ZA", "ZM",
)
# fmt: on
_DESTINATIONS = 50
_ORGANISATIONS = 25
_CONCORDANCE = 0.73

_MISSING = {
    "gender": 0.01,
    "age": 0.08,
    "citizenship": 0.04,
    "sector": 0.18,
    "means_of_control": 0.25,
    "recruiter_relation": 0.30,
    "marital_status": 0.35,
    "education": 0.45,
}
_MISSING_PERPETRATORS = {
    "gender": 0.10,
    "age_group": 0.45,
    "citizenship": 0.22,
    "relation_to_victim": 0.20,
    "role": 0.12,
    "paid": 0.50,
}

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def _pick(weights: Floats, row: Codes, rng: np.random.Generator) -> Codes:
    """One draw per entry of row, from the weights of that row. weights (rows, values), row (n,) -> (n,)."""
    cumulative = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    cumulative[:, -1] = 1.0
    out = np.empty(len(row), np.int64)
    for kind in range(len(weights)):
        here = np.flatnonzero(row == kind)
        out[here] = np.searchsorted(cumulative[kind], rng.random(len(here)), side="right")
    return out


def _logit(p: Floats) -> Floats:
    return np.asarray(np.log(p) - np.log1p(-p))


def _flags(shares: Floats, latent: Floats, rng: np.random.Generator) -> Flags:
    """Flags with these shares on average, all pushed the same way by the latent value of their row.

    shares (n, items), latent (n,) in logits -> (n, items).
    """
    shape = shares.shape
    return np.asarray(_logit(shares) + latent[:, None] + rng.logistic(size=shape) > 0)


@dataclass(frozen=True, kw_only=True)
class _World:
    """Where things happen in this data set: countries, and how often each situation starts and ends where."""

    countries: tuple[Country, ...]
    region: Codes
    origin: Floats
    destination: Floats

    @staticmethod
    def draw(rng: np.random.Generator) -> _World:
        found = [find_country(code) for code in _PLACES]
        countries = tuple(country for country in found if country is not None)
        assert len(countries) == len(_PLACES)
        number = {name: position for position, name in enumerate(regions())}
        size = len(countries)
        spread = rng.gamma(0.8, size=size)
        origin = rng.gamma(0.5, size=(len(SITUATIONS), size)) * spread + 1e-4
        open_to = np.zeros(size)
        open_to[rng.choice(size, _DESTINATIONS, replace=False)] = 1.0
        destination = rng.gamma(0.7, size=(len(SITUATIONS), size)) * open_to * rng.gamma(0.8, size=size) + 1e-9
        return _World(
            countries=countries,
            region=np.array([number[country.region] for country in countries], np.int64),
            origin=origin,
            destination=destination,
        )

    def names(self, codes: Codes) -> list[str]:
        return _texts(codes, tuple(country.name for country in self.countries))

    def region_names(self, codes: Codes) -> list[str]:
        return _texts(np.where(codes >= 0, self.region[codes], -1), regions())


def _texts(codes: Codes, values: tuple[str, ...]) -> list[str]:
    """Codes as words; -1 is missing."""
    return [str(text) for text in np.array([*values, ""], dtype=object)[codes]]


def _sets(flags: Flags, items: tuple[str, ...]) -> list[str]:
    """Rows of flags as ';'-joined sets."""
    powers = 1 << np.arange(len(items), dtype=np.int64)
    words = [";".join(item for i, item in enumerate(items) if code >> i & 1) for code in range(1 << len(items))]
    return [words[code] for code in (flags @ powers).tolist()]


def _matrix(field: str, items: tuple[str, ...], otherwise: float) -> Floats:
    """One row per situation, one column per item, from a field of the situations that maps items to numbers."""
    return np.array([[getattr(s, field).get(item, otherwise) for item in items] for s in SITUATIONS], np.float64)


def _vector(field: str) -> Floats:
    return np.array([getattr(s, field) for s in SITUATIONS], np.float64)


def _year(situation: Codes, rng: np.random.Generator) -> Codes:
    away = np.array(YEARS, np.float64) - 2019.5
    weights = np.exp((_vector("trend")[:, None] + 0.05) * away)
    weights[:, YEARS.index(2020)] *= 0.75
    return _pick(weights, situation, rng)


def _exploited_in(world: _World, situation: Codes, citizenship: Codes, rng: np.random.Generator) -> Codes:
    """The own country, another one of the same region, or one anywhere."""
    moved = _pick(np.array([s.moved for s in SITUATIONS], np.float64), situation, rng)
    out = np.where(moved == 0, citizenship, _pick(world.destination, situation, rng))
    for region in range(len(regions())):
        here = np.flatnonzero((moved == 1) & (world.region[citizenship] == region))
        near = world.destination * (world.region == region)
        out[here] = _pick(near, situation[here], rng)
    return np.asarray(out, np.int64)


def _education(age: Codes, situation: Codes, rng: np.random.Generator) -> Codes:
    level = rng.normal(1.9, 0.35, len(SITUATIONS))[situation] + rng.normal(0.0, 0.8, len(age))
    return np.asarray(np.clip(np.floor(np.minimum(level, (age - 4) / 6.0)), 0, len(EDUCATION) - 1), np.int64)


def _marital(age: Codes, married_off: Flags, rng: np.random.Generator) -> Codes:
    grown = np.clip((age - 16) / 20.0, 0.0, 1.0)
    chance = np.stack([1.02 - 0.72 * grown, 0.5 * grown, 0.19 * grown, 0.07 * grown * grown], axis=1)
    cumulative = np.cumsum(chance / chance.sum(axis=1, keepdims=True), axis=1)
    out = np.minimum((rng.random(len(age))[:, None] > cumulative).sum(axis=1), len(MARITAL) - 1)
    return np.asarray(np.where(married_off & (rng.random(len(age)) < 0.8), 1, out), np.int64)


def _unrecorded(base: dict[str, float], organisation: Codes, rng: np.random.Generator) -> dict[str, Flags]:
    """What each organisation leaves out: most record a column nearly always or nearly never."""
    out = {}
    for column, share in base.items():
        habit = rng.beta(0.7 * share, 0.7 * (1 - share), _ORGANISATIONS)
        out[column] = np.asarray(rng.random(len(organisation)) < 0.5 * share + 0.5 * habit[organisation])
    return out


def _blank(texts: list[str], where: Flags) -> list[str]:
    return ["" if gone else text for text, gone in zip(texts, where.tolist(), strict=True)]


@dataclass(frozen=True, kw_only=True)
class _Cases:
    """What the perpetrators of a victim depend on, before anything goes missing. One entry per victim."""

    situation: Codes
    citizenship: Codes
    exploited_in: Codes
    relation: Codes
    organisation: Codes


def _victims(n: int, world: _World, rng: np.random.Generator) -> tuple[dict[str, list[str]], _Cases]:
    weight = _vector("weight")
    situation = rng.choice(len(SITUATIONS), n, p=weight / weight.sum()).astype(np.int64)
    severity = rng.normal(0.0, 0.8, n)
    low, mode, high = np.array([s.ages for s in SITUATIONS], np.float64)[situation].T
    age = np.floor(rng.triangular(low, mode, high + 1.0)).astype(np.int64)
    gender = np.where(rng.random(n) < _vector("female")[situation], 0, 1)
    gender[rng.random(n) < 0.004] = 2
    citizenship = _pick(world.origin, situation, rng)
    exploited_in = _exploited_in(world, situation, citizenship, rng)
    shares = _matrix("forms", FORMS, 0.004)
    forms = _flags(shares[situation], np.zeros(n), rng)
    forms[np.arange(n), shares.argmax(axis=1)[situation]] |= ~forms.any(axis=1)
    works = forms[:, FORMS.index("forced_labour")]
    sector = np.where(works, _pick(_matrix("sectors", SECTORS, 0.004), situation, rng), -1)
    controls = _flags(_matrix("controls", CONTROLS, 0.03)[situation], severity, rng)
    relation = _pick(_matrix("relations", RELATIONS, 0.01), situation, rng)
    organisation = world.region[exploited_in] * 5 + rng.choice(5, n, p=[0.4, 0.25, 0.2, 0.1, 0.05])
    gone = _unrecorded(_MISSING, organisation, rng)
    citizenship_known = np.where(gone["citizenship"], -1, citizenship)
    columns = {
        "victim_id": [f"V{i:06d}" for i in range(1, n + 1)],
        "organisation": [f"Organisation {i + 1:02d}" for i in organisation.tolist()],
        "year_of_registration": _texts(_year(situation, rng), tuple(map(str, YEARS))),
        "gender": _blank(_texts(gender, GENDERS), gone["gender"]),
        "age": _blank([str(a) for a in age.tolist()], gone["age"]),
        "citizenship": world.names(citizenship_known),
        "citizenship_region": world.region_names(citizenship_known),
        "country_of_exploitation": world.names(exploited_in),
        "exploitation_region": world.region_names(exploited_in),
        **{form: _texts(np.where(forms[:, i], 0, -1), ("Yes",)) for i, form in enumerate(FORMS)},
        "sector": _blank(_texts(sector, SECTORS), gone["sector"]),
        "means_of_control": _blank(_sets(controls, CONTROLS), gone["means_of_control"]),
        "recruiter_relation": _blank(_texts(relation, RELATIONS), gone["recruiter_relation"]),
        "marital_status": _blank(
            _texts(_marital(age, forms[:, FORMS.index("forced_marriage")], rng), MARITAL), gone["marital_status"]
        ),
        "education": _blank(_texts(_education(age, situation, rng), EDUCATION), gone["education"]),
    }
    cases = _Cases(
        situation=situation,
        citizenship=citizenship,
        exploited_in=exploited_in,
        relation=relation,
        organisation=organisation,
    )
    return columns, cases


def _perpetrators(ids: list[str], cases: _Cases, world: _World, rng: np.random.Generator) -> dict[str, list[str]]:
    n = len(ids)
    beyond = rng.poisson(_vector("group")[cases.situation] * rng.gamma(3.0, 0.3, n))
    links = 1 + np.minimum(beyond, MOST_PERPETRATORS - 1)
    victim = np.repeat(np.arange(n), np.asarray(links, np.intp))
    m = len(victim)
    situation = cases.situation[victim]
    first = np.r_[True, victim[1:] != victim[:-1]]

    # Citizenship: each takes the group's with one probability, otherwise draws as the group drew.
    def citizenships(of: Codes) -> Codes:
        kind = rng.choice(3, len(of), p=[0.50, 0.35, 0.15])
        anywhere = _pick(world.origin, cases.situation[of], rng)
        choices = [cases.citizenship[of], cases.exploited_in[of], anywhere]
        return np.asarray(np.choose(np.asarray(kind, np.intp), choices), np.int64)

    group_citizenship = citizenships(np.arange(n))
    citizenship = np.where(rng.random(m) < _CONCORDANCE, group_citizenship[victim], citizenships(victim))

    # Relation: the one who is named first is usually the recruiter; relatives act with relatives.
    family = RELATIONS.index("Family")
    alike = np.where(cases.relation[victim] == family, 0.88, 0.6)
    own = _pick(_matrix("relations", RELATIONS, 0.03), situation, rng)
    relation = np.where(first | (rng.random(m) < alike), cases.relation[victim], own)

    shared = rng.normal(0.0, 0.8, n)[victim]
    woman = _flags(_vector("women_acting")[situation, None], shared, rng)[:, 0]
    older = np.where(relation == family, 0.5, 0.0) - np.where(relation == RELATIONS.index("Intimate partner"), 0.7, 0.0)
    maturity = 0.6 * rng.normal(size=n)[victim] + 0.8 * rng.normal(size=m) + older
    age_group = np.searchsorted([-2.1, -0.3, 0.9], maturity)
    shares = np.array([s.roles for s in SITUATIONS], np.float64)[situation]
    roles = _flags(shares, np.zeros(m), rng)
    roles[:, 0] |= first & (rng.random(m) < 0.3)
    roles[~roles.any(axis=1), ROLES.index("Exploiter")] = True
    paying = (rng.random(n) < _vector("pays")[cases.situation])[victim]
    paid = np.where(paying & (roles[:, 0] | roles[:, 1]), 0, 1)
    gone = _unrecorded(_MISSING_PERPETRATORS, cases.organisation[victim], rng)
    return {
        "victim_id": [ids[v] for v in victim.tolist()],
        "perpetrator_id": [f"P{i:06d}" for i in range(1, m + 1)],
        "gender": _blank(_texts(np.where(woman, 0, 1), GENDERS), gone["gender"]),
        "age_group": _blank(_texts(age_group, AGE_GROUPS), gone["age_group"]),
        "citizenship": world.names(np.where(gone["citizenship"], -1, citizenship)),
        "citizenship_region": world.region_names(np.where(gone["citizenship"], -1, citizenship)),
        "relation_to_victim": _blank(_texts(relation, RELATIONS), gone["relation_to_victim"]),
        "role": _blank(_sets(roles, ROLES), gone["role"]),
        "paid": _blank(_texts(paid, ("Yes", "No")), gone["paid"]),
    }


def invent(victims: int, rng: np.random.Generator) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Invent linked cases: the columns of the victims, and of their perpetrators (1 to 6 each, about 2.2).

    Every cell is a string, "" for missing; several means of control or roles are joined by ';'. The same generator
    state gives the same cases. Raises ValueError for fewer than one victim.
    """
    if victims < 1:
        raise ValueError(f"victims ({victims}) must be 1 or more")
    world = _World.draw(rng)
    columns, cases = _victims(victims, world, rng)
    return columns, _perpetrators(columns["victim_id"], cases, world, rng)
