"""Numbers and text of an evaluation as they are written on its page, which is Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def number(value: float) -> str:
    """People: '1,234', '3.21'."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def share(value: float) -> str:
    """A share in percent: '12.3%', '0.45%'."""
    return f"{100 * value:.2g}%" if value < 0.01 else f"{100 * value:.1f}%"


def listed(names: Iterable[str]) -> str:
    """Names after one another."""
    return ", ".join(map(escaped, names))


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, also in a table."""
    return "".join(f"\\{letter}" if letter in "\\|`*_[]<>#" else letter for letter in " ".join(text.split()))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table; all columns but the first hold numbers."""
    body = [f"| {' | '.join(map(escaped, row))} |" for row in rows]
    rule = f"|{'|'.join(['---'] + ['---:'] * (len(heads) - 1))}|"
    return [f"| {' | '.join(heads)} |", rule, *body, ""]
