"""A proof speaks about the code that it was checked against."""

from pathlib import Path

import pytest

from tools.pin_proofs import PROOFS, REPO, moved, pinned, pins

NOTES = sorted(path for path in PROOFS.glob("*.md") if path.name != "index.md")
PARTS = ["## Precondition", "## Pseudocode", "## Postcondition", "## Proof", "## The caller's duties"]


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_the_code_is_the_one_that_was_proved(path: Path) -> None:
    names = moved(path.read_text(encoding="utf-8"))
    assert not names, (
        f"{', '.join(names)} changed after docs/proofs/{path.name} was checked. Read the proof against the new code, "
        f"mend whichever is wrong, then run: python tools/pin_proofs.py"
    )


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_a_proof_has_all_its_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert pins(text)
    places = [text.index(f"\n{part}\n") for part in PARTS]
    assert places == sorted(places)


def test_every_file_on_which_the_promise_rests_has_a_proof() -> None:
    covered = {name for path in NOTES for name in pins(path.read_text(encoding="utf-8"))}
    room = "src/caseveil/privacy"
    assert {f"{room}/noise.py", f"{room}/loss.py", f"{room}/mechanism.py", f"{room}/accountant.py"} <= covered


def test_a_change_is_noticed_and_pinned(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("sigma = 1\n", encoding="utf-8")
    note = pinned("- covers: code.py sha256: 0\n", tmp_path)
    assert moved(note, tmp_path) == []
    code.write_bytes(b"sigma = 1\r\n")
    assert moved(note, tmp_path) == []
    code.write_text("sigma = 2\n", encoding="utf-8")
    assert moved(note, tmp_path) == ["code.py"]
    code.unlink()
    assert moved(note, tmp_path) == ["code.py"]


def test_the_index_names_every_note() -> None:
    index = (REPO / "docs" / "proofs" / "index.md").read_text(encoding="utf-8")
    assert [path.name for path in NOTES if f"({path.name})" not in index] == []
