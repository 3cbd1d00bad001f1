"""Proves the linked part of a bundle: keys, caps, counts across the link, the derived table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import BundleError
from caseveil.release.contents import BundleContents, LinkContents, TableContents
from caseveil.release.flattened import flatten, owners
from caseveil.release.link_combinations import LinkCombination, LinkedBits, LinkIndex
from caseveil.synthesis.linked_counts import PAIR

Check = Callable[[str, Callable[[], str]], bool]


def check_links(contents: BundleContents, links: LinkContents, check: Check) -> None:
    """Run each check by its name through `check`, which keeps what an act returns or raises."""
    check("promise of links", lambda: _promise(contents, links))
    if check("links", lambda: _keys(contents, links)):
        check("counts of links", lambda: _counts(contents, links))
        if links.flattened is not None:
            check("flattened table", lambda: _flattened(contents, links))


def _parts(contents: BundleContents, links: LinkContents) -> tuple[TableContents, TableContents]:
    return contents.tables[links.link.to], contents.tables[links.table]


def _keys_of(part: TableContents) -> list[str]:
    if part.key is None:
        raise BundleError(f"records of {part.table.name} have no key")
    return list(part.key.cells)


def _promise(contents: BundleContents, links: LinkContents) -> str:
    promise = contents.statement.links
    if promise is None or not promise.fits(links.link, links.table):
        raise BundleError("the statement does not speak of the links that the data package declares")
    return f"at most {promise.at_most} of {promise.table} for one of {promise.to}"


def _keys(contents: BundleContents, links: LinkContents) -> str:
    people, linked = (_keys_of(part) for part in _parts(contents, links))
    if "" in people:
        raise BundleError(f"{people.count('')} records of {links.link.to} have an empty key")
    known = set(people)
    if len(known) != len(people):
        raise BundleError(f"{len(people) - len(known)} records of {links.link.to} repeat a key")
    numbers = Counter(linked)
    lost = sum(number for key, number in numbers.items() if key not in known)
    if lost:
        raise BundleError(f"{lost} records of {links.table} name a record of {links.link.to} that does not exist")
    above = sum(number > links.link.at_most for number in numbers.values())
    if above:
        raise BundleError(
            f"{above} records of {links.link.to} have more than {links.link.at_most} of {links.table}, the declared cap"
        )
    return f"{len(linked):,} records of {links.table} name one of {len(people):,} of {links.link.to}, none too often"


def _counts(contents: BundleContents, links: LinkContents) -> str:
    people, linked = _parts(contents, links)
    published = links.counts
    index = LinkIndex(people=people.table, linked=linked.table, at_most=links.link.at_most)
    names = list(zip(published.combination, published.of, strict=True))
    if len(set(names)) != len(names):
        raise BundleError("a combination stands twice for the same thing counted")
    try:
        combinations = [index.combination(text, of) for text, of in names]
    except ValueError as error:
        raise BundleError(f"a combination cannot be read: {error}") from error
    if len(set(zip(combinations, published.of, strict=True))) != len(names):
        raise BundleError("a combination stands twice for the same thing counted")
    count = np.asarray(published.count, dtype=np.int64)
    _refuse(count < 0, "are below 0")
    _refuse((published.lower > count) | (count > published.upper), "lie outside their own interval")
    bits = LinkedBits.of(
        index,
        list(people.records.values()),
        list(linked.records.values()),
        owners(_keys_of(people), _keys_of(linked)),
        people.rows,
    )
    _refuse(_differ(bits, combinations, list(published.of), count), "differ from what the linked records give")
    return f"{len(names):,} counts across the link equal those of the records and lie in their intervals"


def _differ(
    bits: LinkedBits, combinations: list[LinkCombination], of: list[str], count: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which counts differ from the records' own. Sums of parts may be off by one, since they are rounded."""
    wrong = np.zeros(len(combinations), dtype=bool)
    for what in sorted(set(of)):
        where = [i for i, one in enumerate(of) if one == what]
        own = bits.count(what, [combinations[i] for i in where])
        wrong[where] = np.abs(count[where] - np.rint(own)) > (1 if what == PAIR else 0)
    return wrong


def _refuse(wrong: NDArray[np.bool_], what: str) -> None:
    if np.any(wrong):
        raise BundleError(f"{int(np.count_nonzero(wrong))} combinations {what}")


def _flattened(contents: BundleContents, links: LinkContents) -> str:
    assert links.flattened is not None
    derived = flatten(links.flattened_columns, *_parts(contents, links))
    there = {name: list(cells) for name, cells in links.flattened.items()}
    wrong = sum(there.get(name) != cells for name, cells in derived.items())
    if wrong or list(there) != list(derived):
        raise BundleError(f"{wrong} columns differ from what the linked records give")
    return f"{len(derived)} columns follow from the linked records"
