"""What can go wrong, as types.

    CaseveilError
    ├── BadInput                 a person can mend it; exit code 2, no traceback
    │   ├── PlanError            release.toml or an argument says something impossible
    │   ├── SourceError          a file, frame or database cannot be read as a table
    │   ├── RowsError            the rows do not fit the plan
    │   ├── OutputError          the place to write to cannot be used
    │   └── BundleError          a bundle is damaged or is not one
    ├── LedgerError              the ledger cannot be trusted or written; nothing is counted
    ├── InsufficientBudget       the release would pass the budget; nothing was charged
    ├── NothingDiscovered        no value of any column was frequent enough; the search for them stays charged
    ├── NoRandomness             the operating system gives no random numbers, so no noise is drawn
    ├── UnmeasuredClique         an estimate was asked for that the measurements cannot give
    └── Cancelled                the person asked to stop

Messages name columns and counts, never a cell of a row.
"""

from __future__ import annotations

import math


class CaseveilError(Exception):
    """Anything Caseveil raises on purpose."""


class BadInput(CaseveilError):
    """Input that a person can correct. Nothing was charged, nothing was written."""


class PlanError(BadInput):
    """A plan, option or argument is out of range or unknown."""


class SourceError(BadInput):
    """A source cannot be read as one rectangular table."""


class RowsError(BadInput):
    """Rows do not fit the plan. The message counts them; it never quotes them."""


class OutputError(BadInput):
    """The output place exists, is not writable or is full."""


class BundleError(BadInput):
    """A folder is not a bundle, or the bundle is damaged."""


class LedgerError(CaseveilError):
    """The ledger is damaged, locked or unwritable. Unknown means refuse: nothing is counted."""


class InsufficientBudget(CaseveilError):
    """The release would pass the budget of the ledger.

    requested, spent and remaining are epsilons at the delta of the budget.
    """

    def __init__(self, *, requested: float, spent: float, remaining: float, delta: float) -> None:
        self.requested = requested
        self.spent = spent
        self.remaining = remaining
        self.delta = delta
        gone = f"{spent:.4g} spent" if spent < math.inf else "discoveries of values took all of delta"
        super().__init__(
            f"this release asks for epsilon {requested:.4g} and {remaining:.4g} is left "
            f"({gone}, at delta {delta:.3g}). Lower epsilon, or raise the budget in the plan "
            f"if the people who answer for the data agree. Nothing was charged."
        )


class NothingDiscovered(CaseveilError):
    """Private discovery found no value at all, so there is nothing to release. What the search cost stays charged."""


class NoRandomness(CaseveilError):
    """The operating system gives no random numbers, or fewer than were asked for. What was charged stays charged."""


class UnmeasuredClique(CaseveilError):
    """A marginal was asked for whose residuals were not all measured."""


class Cancelled(CaseveilError):
    """The person stopped the work. What was charged before stays charged."""
