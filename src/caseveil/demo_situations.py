"""Kinds of situations in which the invented cases happen.

All numbers here are made up to give a table with believable shapes: strong and weak dependences, rare and common
values. They are not estimates of anything, and say nothing about any country, group or person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SECTORS = (
    "Agriculture",
    "Care",
    "Cleaning",
    "Construction",
    "Domestic work",
    "Entertainment",
    "Fishing",
    "Hospitality",
    "Manufacturing",
    "Mining",
    "Trade",
    "Transport",
)
CONTROLS = (
    "Debt bondage",
    "Excessive hours",
    "False promises",
    "Physical abuse",
    "Psychological abuse",
    "Restricted movement",
    "Sexual abuse",
    "Takes earnings",
    "Threats",
    "Withholds documents",
)
RELATIONS = ("Acquaintance", "Employer or agency", "Family", "Intimate partner", "Stranger")
FORMS = ("forced_labour", "sexual_exploitation", "forced_marriage", "forced_begging", "other_exploitation")
ROLES = ("Recruiter", "Transporter", "Controller", "Exploiter")


@dataclass(frozen=True, kw_only=True)
class Situation:
    """One kind of situation. Shares are probabilities; weights are relative.

    weight and trend: how common it is in the middle year, and how its log changes per year.
    female: share of women and girls among victims. ages: (least, most common, most), a triangle.
    moved: weights of being exploited in the own country, the own region, anywhere.
    forms, controls: share of victims with each. sectors, relations: weights.
    group: mean number of perpetrators beyond the first. women_acting: share of women among perpetrators.
    roles: share of perpetrators with each role, in the order of ROLES. pays: share of victims who paid.
    """

    name: str
    weight: float
    trend: float
    female: float
    ages: tuple[int, int, int]
    moved: tuple[float, float, float]
    forms: Mapping[str, float]
    sectors: Mapping[str, float]
    controls: Mapping[str, float]
    relations: Mapping[str, float]
    group: float
    women_acting: float
    roles: tuple[float, float, float, float]
    pays: float


SITUATIONS = (
    Situation(
        name="domestic servitude through an intermediary",
        weight=13,
        trend=0.03,
        female=0.91,
        ages=(12, 26, 55),
        moved=(0.15, 0.25, 0.60),
        forms={"forced_labour": 0.97, "sexual_exploitation": 0.06},
        sectors={"Domestic work": 0.88, "Care": 0.09, "Cleaning": 0.03},
        controls={
            "Withholds documents": 0.66,
            "Excessive hours": 0.74,
            "Restricted movement": 0.58,
            "Takes earnings": 0.41,
            "Psychological abuse": 0.45,
            "Physical abuse": 0.22,
            "False promises": 0.36,
        },
        relations={"Employer or agency": 0.68, "Acquaintance": 0.17, "Stranger": 0.09, "Family": 0.06},
        group=1.1,
        women_acting=0.47,
        roles=(0.48, 0.22, 0.41, 0.60),
        pays=0.34,
    ),
    Situation(
        name="sexual exploitation by an intimate partner",
        weight=14,
        trend=0.06,
        female=0.95,
        ages=(13, 19, 42),
        moved=(0.62, 0.28, 0.10),
        forms={"sexual_exploitation": 0.99, "forced_labour": 0.03, "other_exploitation": 0.03},
        sectors={"Entertainment": 0.8, "Hospitality": 0.2},
        controls={
            "Psychological abuse": 0.68,
            "Physical abuse": 0.49,
            "Threats": 0.47,
            "Takes earnings": 0.59,
            "False promises": 0.40,
            "Sexual abuse": 0.38,
            "Restricted movement": 0.22,
        },
        relations={"Intimate partner": 0.79, "Acquaintance": 0.17, "Stranger": 0.04},
        group=0.7,
        women_acting=0.13,
        roles=(0.77, 0.31, 0.74, 0.72),
        pays=0.03,
    ),
    Situation(
        name="sexual exploitation in venues by a network",
        weight=17,
        trend=-0.05,
        female=0.94,
        ages=(14, 23, 48),
        moved=(0.13, 0.42, 0.45),
        forms={"sexual_exploitation": 0.99, "forced_labour": 0.08},
        sectors={"Entertainment": 0.62, "Hospitality": 0.38},
        controls={
            "Debt bondage": 0.57,
            "Withholds documents": 0.39,
            "Threats": 0.52,
            "Restricted movement": 0.49,
            "Takes earnings": 0.53,
            "False promises": 0.61,
            "Sexual abuse": 0.31,
            "Physical abuse": 0.33,
        },
        relations={"Stranger": 0.38, "Acquaintance": 0.36, "Employer or agency": 0.20, "Family": 0.06},
        group=2.1,
        women_acting=0.36,
        roles=(0.45, 0.38, 0.44, 0.46),
        pays=0.29,
    ),
    Situation(
        name="construction with a recruitment debt",
        weight=11,
        trend=0.05,
        female=0.04,
        ages=(16, 29, 60),
        moved=(0.14, 0.39, 0.47),
        forms={"forced_labour": 0.995},
        sectors={"Construction": 0.83, "Manufacturing": 0.11, "Mining": 0.06},
        controls={
            "Debt bondage": 0.62,
            "Excessive hours": 0.57,
            "Withholds documents": 0.51,
            "Takes earnings": 0.46,
            "False promises": 0.64,
            "Threats": 0.27,
        },
        relations={"Employer or agency": 0.61, "Acquaintance": 0.22, "Stranger": 0.17},
        group=1.5,
        women_acting=0.08,
        roles=(0.55, 0.30, 0.36, 0.49),
        pays=0.56,
    ),
    Situation(
        name="seasonal farm work",
        weight=9,
        trend=0.02,
        female=0.31,
        ages=(10, 30, 63),
        moved=(0.35, 0.40, 0.25),
        forms={"forced_labour": 0.99, "sexual_exploitation": 0.02},
        sectors={"Agriculture": 0.93, "Transport": 0.03, "Trade": 0.04},
        controls={
            "Debt bondage": 0.49,
            "Excessive hours": 0.63,
            "False promises": 0.51,
            "Takes earnings": 0.55,
            "Restricted movement": 0.25,
            "Threats": 0.21,
        },
        relations={"Employer or agency": 0.52, "Acquaintance": 0.29, "Stranger": 0.12, "Family": 0.07},
        group=1.2,
        women_acting=0.15,
        roles=(0.52, 0.33, 0.35, 0.55),
        pays=0.33,
    ),
    Situation(
        name="work on fishing boats",
        weight=5,
        trend=-0.03,
        female=0.01,
        ages=(15, 27, 56),
        moved=(0.09, 0.61, 0.30),
        forms={"forced_labour": 0.998},
        sectors={"Fishing": 0.97, "Manufacturing": 0.03},
        controls={
            "Restricted movement": 0.81,
            "Excessive hours": 0.77,
            "Debt bondage": 0.55,
            "Physical abuse": 0.46,
            "Withholds documents": 0.48,
            "Takes earnings": 0.40,
        },
        relations={"Employer or agency": 0.64, "Stranger": 0.22, "Acquaintance": 0.14},
        group=1.7,
        women_acting=0.03,
        roles=(0.50, 0.36, 0.42, 0.47),
        pays=0.24,
    ),
    Situation(
        name="factory work through an agency",
        weight=8,
        trend=0.01,
        female=0.55,
        ages=(14, 27, 58),
        moved=(0.28, 0.34, 0.38),
        forms={"forced_labour": 0.99},
        sectors={"Manufacturing": 0.74, "Cleaning": 0.14, "Trade": 0.12},
        controls={
            "Debt bondage": 0.44,
            "Excessive hours": 0.69,
            "Withholds documents": 0.47,
            "False promises": 0.46,
            "Psychological abuse": 0.21,
        },
        relations={"Employer or agency": 0.78, "Acquaintance": 0.15, "Stranger": 0.07},
        group=1.3,
        women_acting=0.23,
        roles=(0.58, 0.21, 0.35, 0.50),
        pays=0.51,
    ),
    Situation(
        name="hotels, kitchens and car washes",
        weight=7,
        trend=0.09,
        female=0.38,
        ages=(15, 26, 55),
        moved=(0.23, 0.29, 0.48),
        forms={"forced_labour": 0.98, "sexual_exploitation": 0.04},
        sectors={"Hospitality": 0.66, "Cleaning": 0.24, "Trade": 0.10},
        controls={
            "Excessive hours": 0.66,
            "Takes earnings": 0.57,
            "Withholds documents": 0.37,
            "Threats": 0.29,
            "Debt bondage": 0.33,
        },
        relations={"Employer or agency": 0.49, "Acquaintance": 0.35, "Family": 0.10, "Stranger": 0.06},
        group=1.0,
        women_acting=0.21,
        roles=(0.50, 0.24, 0.41, 0.62),
        pays=0.31,
    ),
    Situation(
        name="forced marriage within the family",
        weight=6,
        trend=0.04,
        female=0.96,
        ages=(9, 16, 33),
        moved=(0.60, 0.17, 0.23),
        forms={"forced_marriage": 0.99, "sexual_exploitation": 0.12, "forced_labour": 0.15},
        sectors={"Domestic work": 0.93, "Agriculture": 0.07},
        controls={
            "Psychological abuse": 0.63,
            "Threats": 0.42,
            "Restricted movement": 0.55,
            "Physical abuse": 0.36,
            "Sexual abuse": 0.38,
        },
        relations={"Family": 0.87, "Intimate partner": 0.09, "Acquaintance": 0.04},
        group=1.6,
        women_acting=0.39,
        roles=(0.38, 0.24, 0.56, 0.48),
        pays=0.03,
    ),
    Situation(
        name="begging of children",
        weight=5,
        trend=-0.02,
        female=0.42,
        ages=(3, 10, 21),
        moved=(0.48, 0.41, 0.11),
        forms={"forced_begging": 0.98, "other_exploitation": 0.09, "forced_labour": 0.06},
        sectors={"Trade": 0.9, "Agriculture": 0.1},
        controls={
            "Takes earnings": 0.76,
            "Physical abuse": 0.45,
            "Threats": 0.38,
            "Psychological abuse": 0.31,
            "Restricted movement": 0.21,
        },
        relations={"Family": 0.57, "Acquaintance": 0.25, "Stranger": 0.18},
        group=1.3,
        women_acting=0.45,
        roles=(0.46, 0.37, 0.52, 0.61),
        pays=0.01,
    ),
    Situation(
        name="online sexual exploitation of children",
        weight=3,
        trend=0.15,
        female=0.77,
        ages=(4, 12, 19),
        moved=(0.94, 0.04, 0.02),
        forms={"sexual_exploitation": 0.995},
        sectors={"Entertainment": 1.0},
        controls={"Psychological abuse": 0.47, "Sexual abuse": 0.63, "Threats": 0.24, "False promises": 0.17},
        relations={"Family": 0.54, "Acquaintance": 0.26, "Stranger": 0.20},
        group=0.8,
        women_acting=0.42,
        roles=(0.41, 0.08, 0.53, 0.73),
        pays=0.01,
    ),
    Situation(
        name="forced petty crime",
        weight=2,
        trend=0.07,
        female=0.24,
        ages=(11, 17, 44),
        moved=(0.39, 0.27, 0.34),
        forms={"other_exploitation": 0.98, "forced_begging": 0.08, "forced_labour": 0.06},
        sectors={"Trade": 0.5, "Agriculture": 0.5},
        controls={
            "Threats": 0.67,
            "Debt bondage": 0.37,
            "Physical abuse": 0.34,
            "Takes earnings": 0.45,
            "Psychological abuse": 0.35,
        },
        relations={"Acquaintance": 0.48, "Stranger": 0.31, "Family": 0.14, "Intimate partner": 0.07},
        group=1.9,
        women_acting=0.14,
        roles=(0.44, 0.27, 0.50, 0.57),
        pays=0.08,
    ),
)
