"""A merged ledger holds what was really spent: every charge of all its ledgers, and each one once."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseveil.errors import LedgerError, OutputError, PlanError
from caseveil.privacy import ledger_lines
from caseveil.privacy.accountant import total
from caseveil.privacy.ledger import HEADER, Entry, Ledger
from caseveil.privacy.ledger_lines import Merge
from caseveil.privacy.ledger_merge import merge
from caseveil.privacy.mechanism import GaussianEvent, SelectionEvent


def charge(path: Path, *mus: float, release: str = "cases", event: SelectionEvent | None = None) -> None:
    book = Ledger.open(path)
    for made in [GaussianEvent(label="counts", mu=mu) for mu in mus] + ([event] if event else []):
        book.charge(made, release=release, version="1", unit="victim", population=release, plan_digest="d")


def mus(path: Path) -> list[float]:
    return [entry.event.mu for entry in Ledger.open(path).entries]


@pytest.fixture
def parted(tmp_path: Path) -> tuple[Path, Path]:
    """Two ledgers with two charges in common; then one alone in the first and two in the second."""
    first, second = tmp_path / "first.caseveil", tmp_path / "second.caseveil"
    charge(first, 0.5, 0.25)
    shutil.copyfile(first, second)
    charge(first, 0.125)
    charge(second, 0.0625, event=SelectionEvent(label="values", mu=0.03125, delta=1e-7))
    return first, second


def test_ledgers_that_went_on_apart_become_one(parted: tuple[Path, Path], tmp_path: Path) -> None:
    before = [path.read_bytes() for path in parted]
    out = tmp_path / "merged.caseveil"
    merged = merge(parted, out)
    assert (merged.shared, merged.own, merged.diverged) == (2, (1, 2), True)
    book = Ledger.open(out)
    assert [entry.event.mu for entry in book.entries] == [0.5, 0.25, 0.125, 0.0625, 0.03125]
    assert merged.entries == book.entries
    assert book.total() == total(entry.event for entry in book.entries)
    assert book.total().delta == 1e-7
    assert [path.read_bytes() for path in parted] == before
    assert out.read_bytes().startswith(before[0]), "the lines of the first ledger stay as they are"
    assert book.entries[3:] == Ledger.open(parted[1]).entries[2:]
    heads = tuple(ledger_lines.digest(data.split(b"\n")[-2]) for data in before)
    assert book.book.merges == (Merge(heads=heads, time=book.book.merges[0].time, after=3),)


def test_a_merged_ledger_goes_on_and_merges_again_without_counting_twice(
    parted: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = parted
    out = tmp_path / "merged.caseveil"
    merge(parted, out)
    charge(out, 1.0)
    charge(second, 2.0)  # somebody did not hear of the merge
    for order in ([out, second, first], [first, second, out], [second, out]):
        again = tmp_path / f"{len(list(tmp_path.iterdir()))}.caseveil"
        merged = merge(order, again)
        assert sorted(mus(again)) == sorted([0.5, 0.25, 0.125, 0.0625, 0.03125, 1.0, 2.0])
        assert merged.diverged
    whole = Ledger.open(again)
    assert whole.total().mu == pytest.approx(sum(mu**2 for mu in mus(again)) ** 0.5)
    charge(again, 0.75)
    assert mus(again)[-1] == 0.75


def test_an_earlier_copy_adds_nothing(parted: tuple[Path, Path], tmp_path: Path) -> None:
    first, _ = parted
    copy = tmp_path / "copy.caseveil"
    shutil.copyfile(first, copy)
    charge(first, 1.0)
    for order in ([first, copy], [copy, first], [first, first, copy]):
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}.caseveil"
        merged = merge(order, out)
        assert not merged.diverged
        assert merged.shared == 3
        assert mus(out) == [0.5, 0.25, 0.125, 1.0]


def test_two_charges_alike_to_the_letter_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines may begin with the same release in the same second: both drew noise, so both count."""
    paths = [tmp_path / name for name in ("a.caseveil", "b.caseveil")]
    for path in paths:
        charge(path, 0.5)
    lines = [path.read_bytes().split(b"\n")[1] for path in paths]
    assert lines[0] != lines[1]
    merged = merge(paths, tmp_path / "merged.caseveil")
    assert (merged.shared, merged.own) == (0, (1, 1))
    assert mus(tmp_path / "merged.caseveil") == [0.5, 0.5]
    # and it is the random bits alone that tell them apart
    monkeypatch.setattr(os, "urandom", bytes)
    for path in paths:
        charge(path.with_suffix(".same"), 0.5)
    texts = [path.with_suffix(".same").read_bytes().split(b'"time"')[0] for path in paths]
    assert texts[0] == texts[1]


def test_a_second_copy_does_not_hide_that_ledgers_parted(parted: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = parted
    merged = merge([first, first, second], tmp_path / "merged.caseveil")
    assert (merged.own, merged.diverged) == ((0, 0, 2), True)


def torn(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b'"release"')])


def test_interrupted_charges_are_kept_and_known_again(parted: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = parted
    torn(first)
    torn(second)
    closed = tmp_path / "closed.caseveil"
    shutil.copyfile(second, closed)
    charge(closed, 1.0)  # closes the torn line and goes on
    out = tmp_path / "merged.caseveil"
    merged = merge([first, second, closed], out)
    found = Ledger.open(out).entries
    assert [(entry.event.mu, entry.interrupted) for entry in found] == [
        (0.5, False), (0.25, False), (0.125, True), (0.0625, False), (0.03125, True), (1.0, False),
    ]  # fmt: skip
    assert (merged.shared, merged.own) == (2, (1, 0, 1))
    charge(out, 0.75)
    assert len(Ledger.open(out).entries) == 7


def test_a_copy_cut_short_counts_beside_the_whole_line(parted: tuple[Path, Path], tmp_path: Path) -> None:
    """Whether it is the same charge cannot be known for certain, so it is spent twice rather than not at all."""
    first, _ = parted
    copy = tmp_path / "copy.caseveil"
    shutil.copyfile(first, copy)
    torn(copy)
    merge([first, copy], tmp_path / "merged.caseveil")
    assert mus(tmp_path / "merged.caseveil") == [0.5, 0.25, 0.125, 0.125]


def test_ledgers_of_before_charges_had_ids_are_read_and_merged(tmp_path: Path) -> None:
    path, out = tmp_path / "old.caseveil", tmp_path / "merged.caseveil"
    last = HEADER
    lines = [HEADER]
    for mu in (0.5, 0.25):
        event = f'{{"kind": "gaussian", "label": "counts", "mu": {mu}, "detail": ""}}'
        texts = ", ".join(f'"{name}": "x"' for name in ledger_lines.TEXTS)
        last = f'{{"previous": "{ledger_lines.digest(last)}", "event": {event}, {texts}}}'.encode()
        lines.append(last)
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert mus(path) == [0.5, 0.25]
    copy = tmp_path / "copy.caseveil"
    shutil.copyfile(path, copy)
    charge(path, 0.125)
    merge([copy, path], out)
    assert mus(out) == [0.5, 0.25, 0.125]


def test_what_cannot_be_merged_is_refused_and_nothing_is_written(parted: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "merged.caseveil"
    with pytest.raises(PlanError, match="two ledgers or more"):
        merge(parted[:1], out)
    with pytest.raises(LedgerError, match=r"^none.caseveil: the ledger \(none.caseveil\) must be a file that is there"):
        merge([parted[0], tmp_path / "none.caseveil"], out)
    data = parted[1].read_bytes()
    parted[1].write_bytes(data.replace(b"0.25", b"0.05", 1))
    with pytest.raises(LedgerError, match=r"^second.caseveil: line 3 of the ledger is not the one that line 4"):
        merge(parted, out)
    assert not out.exists()
    parted[1].write_bytes(data)
    out.write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"merged.caseveil\) already exists"):
        merge(parted, out)
    assert out.read_bytes() == b"mine"


EDITS = {
    "a cheaper copy": (b'"mu": 0.0625', b'"mu": 0.0025', r"is not the one that line"),
    "an origin that is a number": (b'"origin": "', b'"origin": 7, "x": "', "does not have the fields"),
    "a head left out": (b'"merge": ["', b'"merge": [], "x": ["', "does not have the fields"),
    "another mark": (b'"interrupted": true', b'"interrupted": 1', "holds something that is not text"),
    "heads of another kind": (b'"merge": ["', b'"merge": [1, "', "holds something that is not text"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_a_merged_ledger_is_noticed(parted: tuple[Path, Path], tmp_path: Path, name: str) -> None:
    torn(parted[1])
    out = tmp_path / "merged.caseveil"
    merge(parted, out)
    old, new, words = EDITS[name]
    assert old in out.read_bytes()
    out.write_bytes(out.read_bytes().replace(old, new, 1))
    with pytest.raises(LedgerError, match=words):
        Ledger.open(out)


def test_a_merged_ledger_cut_at_any_byte_loses_whole_lines_or_is_refused(
    parted: tuple[Path, Path], tmp_path: Path
) -> None:
    """A copy of it that broke off: what is read is always a beginning of what was there."""
    out = tmp_path / "merged.caseveil"
    merge(parted, out)
    data = out.read_bytes()
    whole = [entry.event.mu for entry in ledger_lines.read_book(data).entries]
    read = 0
    for end in range(len(HEADER) + 1, len(data)):
        try:
            found = [entry.event.mu for entry in ledger_lines.read_book(data[:end]).entries]
        except LedgerError as error:
            assert "was cut short" in str(error)  # noqa: PT017
            continue
        read += 1
        assert found == whole[: len(found)]
    assert read > 500


Act = tuple[str, int, int]
ACTS = st.lists(
    st.tuples(st.sampled_from(["charge", "copy", "merge", "tear"]), st.integers(0, 2), st.integers(0, 2)), max_size=14
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts=ACTS)
def test_whatever_was_copied_and_merged_the_union_is_what_was_spent(
    acts: list[Act], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Three machines charge, copy, are interrupted and merge in any order; at the end all is merged."""
    folder = tmp_path_factory.mktemp("machines")
    paths = [folder / f"{name}.caseveil" for name in "abc"]
    held: list[set[float]] = [set(), set(), set()]
    made = 0
    for path, own in zip(paths, held, strict=True):
        made += 1
        charge(path, made / 1024)
        own.add(made / 1024)
    everything = set.union(*held)
    for act, to, other in acts:
        if act == "copy":  # the ledger that lay there is kept under another name
            os.replace(paths[to], folder / f"{made}-{len(list(folder.iterdir()))}.kept")
            source = paths[other] if other != to else next(iter(sorted(folder.glob("*.kept"))))
            shutil.copyfile(source, paths[to])
        elif act == "merge":
            merged = folder / f"{len(list(folder.iterdir()))}.kept"
            merge([paths[to], paths[other]], merged)
        else:
            made += 1
            charge(paths[to], made / 1024)
            if act == "tear":
                torn(paths[to])
            everything.add(made / 1024)
    out = folder / "all.caseveil"
    merge([*paths, *sorted(folder.glob("*.kept"))], out)
    found: tuple[Entry, ...] = Ledger.open(out).entries
    assert sorted(entry.event.mu for entry in found) == sorted(everything)
    assert Ledger.open(out).total() == total(GaussianEvent(label="counts", mu=mu) for mu in everything)
