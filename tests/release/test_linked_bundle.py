"""A release of linked tables: what it holds, how it reads back, and every way in which it can contradict itself."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.errors import BundleError, PlanError
from caseveil.release.bundle import (
    BundleContents,
    parquet_columns,
    parse_files,
    read_bundle,
    render,
    render_text,
    write_bundle,
)
from caseveil.release.contents import KeyColumn, LinkContents
from caseveil.release.flattened import flatten
from caseveil.release.formats import encode_parquet
from caseveil.release.link_promise import LinkPromise
from caseveil.release.manifest import MANIFEST, Manifest, canonical_json, software_versions
from caseveil.release.statement import Statement
from caseveil.release.verify import Verification, verify_bundle
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link
from caseveil.synthesis.linked_counts import ANY, LINKS, PAIR, VICTIMS

Make = Callable[..., BundleContents]
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6).filter(str.strip)


def lay(files: dict[str, bytes], out: Path) -> Path:
    for path, data in files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(data)
    return out


def rehash(files: dict[str, bytes]) -> dict[str, bytes]:
    """The manifest of somebody who changes files and knows how to hash."""
    old = Manifest.from_bytes(files[MANIFEST])
    new = Manifest.of(files, versions=old.versions, plan_digest=old.plan_digest, parquet=old.parquet)
    return {**files, MANIFEST: new.to_bytes()}


def details(verification: Verification) -> str:
    return " ".join(f"{f.check}: {f.detail}" for f in verification.findings if not f.ok)


def links_of(contents: BundleContents) -> LinkContents:
    assert contents.links is not None
    return contents.links


def test_a_good_bundle_passes_and_reads_back(linked: BundleContents, tmp_path: Path) -> None:
    write_bundle(linked, tmp_path / "release")
    verification = verify_bundle(tmp_path / "release")
    assert verification.ok, str(verification)
    assert {"links", "counts of links", "flattened table", "promise of links"} <= {
        finding.check for finding in verification.findings
    }
    back = read_bundle(tmp_path / "release")
    assert back.statement == linked.statement
    assert list(back.tables) == ["victims", "perpetrators"]
    for name, part in linked.tables.items():
        assert part.key is not None
        key = back.tables[name].key
        assert key is not None
        assert (key.name, list(key.cells)) == ("victim_id", list(part.key.cells))
        assert dict(back.tables[name].records) == {column: list(cells) for column, cells in part.records.items()}
        assert back.tables[name].table.columns == part.table.columns
    ours, theirs = links_of(linked), links_of(back)
    assert (theirs.link, theirs.table, theirs.flattened_columns) == (ours.link, ours.table, ours.flattened_columns)
    assert theirs.flattened == ours.flattened
    assert (theirs.counts.combination, theirs.counts.of) == (ours.counts.combination, ours.counts.of)
    for field in ("count", "lower", "upper"):
        assert getattr(theirs.counts, field).tolist() == getattr(ours.counts, field).tolist()


@pytest.mark.parametrize("changes", [{"victims": 0}, {"victims": 1, "seed": 2}, {"shared": 2}, {"victims": 65}])
def test_other_sizes_and_the_other_unit_pass(make_links: Make, tmp_path: Path, changes: dict[str, Any]) -> None:
    write_bundle(make_links(**changes), tmp_path / "release")
    verification = verify_bundle(tmp_path / "release")
    assert verification.ok, str(verification)


def test_files_and_their_columns(linked: BundleContents) -> None:
    files = render(linked)
    for stem in ("data/victims", "data/perpetrators", "data/flattened", "counts/victims", "counts/perpetrators"):
        assert {f"{stem}.csv", f"{stem}.parquet"} <= set(files)
    assert files["data/victims.csv"].startswith(b"victim_id,gender,age,means\n")
    assert files["data/perpetrators.csv"].startswith("victim_id,gender,role,région\n".encode())
    assert files["counts/links.csv"].startswith(b"combination,of,count,lower,upper\n")
    assert b"victims,victim_id,key," in files["codebook.csv"]
    assert b'flattened,isRecruited,derived,"[""1""]",,' in files["codebook.csv"]
    assert b"perpetrators.role: Recruiter" in files["codebook.csv"]


def test_without_a_flattened_table_there_is_no_file(linked: BundleContents, tmp_path: Path) -> None:
    bare = dataclasses.replace(links_of(linked), flattened=None, flattened_columns=())
    write_bundle(dataclasses.replace(linked, links=bare), tmp_path / "release")
    assert not (tmp_path / "release" / "data" / "flattened.csv").exists()
    assert verify_bundle(tmp_path / "release").ok
    assert links_of(read_bundle(tmp_path / "release")).flattened is None


def test_data_package_says_how_tables_hang_together(linked: BundleContents) -> None:
    package = json.loads(render(linked)["datapackage.json"])
    resources = {part["name"]: part for part in package["resources"]}
    assert resources["victims-records"]["schema"]["primaryKey"] == ["victim_id"]
    assert resources["perpetrators-records"]["schema"]["foreignKeys"] == [
        {"fields": ["victim_id"], "reference": {"resource": "victims-records", "fields": ["victim_id"]}}
    ]
    assert package["caseveil"]["links"] == {
        "table": "perpetrators", "to": "victims", "key": "victim_id", "at_most": 3, "shared_by_at_most": None,
    }  # fmt: skip
    assert {"links-counts", "flattened-derived"} <= set(resources)
    for part in resources.values():
        header = render(linked)[part["path"]].split(b"\n")[0].decode().split(",")
        assert [field["name"] for field in part["schema"]["fields"]] == header


@settings(max_examples=40, deadline=None)
@given(
    columns=st.lists(
        st.builds(
            FlattenedColumn,
            name=TEXT,
            table=st.just("perpetrators"),
            column=st.sampled_from(["gender", "role", "région"]),
            recode=st.dictionaries(TEXT, st.text("ab", max_size=2), max_size=2),
            meaning=st.one_of(st.just(""), TEXT),
        )
        | st.builds(FlattenedColumn, name=TEXT, table=st.just("victims"), column=st.just("means"), has=TEXT, yes=TEXT),
        min_size=1,
        max_size=4,
        unique_by=lambda column: column.name,
    ),
    at_most=st.integers(3, 12),
    shared=st.one_of(st.none(), st.integers(1, 9)),
)
def test_any_choice_of_the_plan_reads_back(
    make_links: Make, columns: list[FlattenedColumn], at_most: int, shared: int | None
) -> None:
    contents = make_links(victims=6)
    links = dataclasses.replace(
        links_of(contents),
        link=Link(to="victims", key="victim_id", at_most=at_most, shared_by_at_most=shared),
        flattened=flatten(columns, *contents.tables.values()),
        flattened_columns=tuple(columns),
    )
    back = links_of(parse_files(render(dataclasses.replace(contents, links=links))))
    assert (back.link, back.flattened_columns, back.flattened) == (links.link, links.flattened_columns, links.flattened)


def changed_counts(contents: BundleContents, of: str, by: int) -> LinkContents:
    """One count of a kind is off by so many."""
    links = links_of(contents)
    count = np.array(links.counts.count)
    count[list(links.counts.of).index(of)] += by
    return dataclasses.replace(links, counts=dataclasses.replace(links.counts, count=count))


def changed_words(contents: BundleContents, **changes: Any) -> LinkContents:
    links = links_of(contents)
    return dataclasses.replace(links, counts=dataclasses.replace(links.counts, **changes))


def renamed(contents: BundleContents, text: str, of: str) -> LinkContents:
    """The first count across the link bears another name."""
    counts = links_of(contents).counts
    return changed_words(contents, combination=(text, *counts.combination[1:]), of=(of, *counts.of[1:]))


def rekeyed(contents: BundleContents, table: str, change: Callable[[list[str]], list[str]]) -> BundleContents:
    part = contents.tables[table]
    assert part.key is not None
    other = dataclasses.replace(part, key=KeyColumn(name="victim_id", cells=change(list(part.key.cells))))
    return dataclasses.replace(contents, tables={**contents.tables, table: other})


def flattened_cell(contents: BundleContents) -> BundleContents:
    links = links_of(contents)
    assert links.flattened is not None
    first = links.flattened["genders"]
    other = {**links.flattened, "genders": ["" if first[0] else "Male", *first[1:]]}
    return dataclasses.replace(contents, links=dataclasses.replace(links, flattened=other))


def dealt_anew(keys: list[str]) -> list[str]:
    """Two perpetrators of different victims change places: integrity, caps and both tables' own counts stay."""
    other = next(i for i, key in enumerate(keys) if key != keys[0])
    keys[0], keys[other] = keys[other], keys[0]
    return keys


def promised(contents: BundleContents, promise: LinkPromise | None) -> BundleContents:
    return dataclasses.replace(contents, statement=dataclasses.replace(contents.statement, links=promise))


def with_links(change: Callable[[BundleContents], LinkContents]) -> Callable[[BundleContents], BundleContents]:
    return lambda contents: dataclasses.replace(contents, links=change(contents))


WRONG = "differ from what the linked records give"
LIES: dict[str, tuple[Callable[[BundleContents], BundleContents], str]] = {
    "links off by one": (with_links(lambda c: changed_counts(c, LINKS, 1)), WRONG),
    "victims with any off by one": (with_links(lambda c: changed_counts(c, ANY, -1)), WRONG),
    "victims off by one": (with_links(lambda c: changed_counts(c, VICTIMS, 1)), WRONG),
    "pairs off by two": (with_links(lambda c: changed_counts(c, PAIR, 2)), WRONG),
    "interval does not hold the count": (
        with_links(lambda c: changed_words(c, upper=np.array(links_of(c).counts.count) - 1)),
        "outside their own interval",
    ),
    "below 0": (
        with_links(lambda c: changed_words(c, count=-np.array(links_of(c).counts.count) - 1)), "below 0",
    ),
    "stands twice": (
        with_links(lambda c: renamed(c, links_of(c).counts.combination[1], links_of(c).counts.of[1])), "twice",
    ),
    "undeclared value": (
        with_links(lambda c: renamed(c, '{"perpetrators.gender": "Nobody"}', LINKS)), "not declared",
    ),
    "unknown column": (with_links(lambda c: renamed(c, '{"gender": "Female"}', LINKS)), "not declared"),
    "unknown kind": (
        with_links(lambda c: renamed(c, '{"perpetrators.gender": "Female"}', "people")), "must be one of links",
    ),
    "number above the cap": (
        with_links(lambda c: renamed(c, '{"number of perpetrators": "4"}', VICTIMS)), "not 0 to 3",
    ),
    "pair with one side": (
        with_links(lambda c: renamed(c, '{"perpetrators.gender": "Female"}', PAIR)), "does not go with",
    ),
    "perpetrator where victims are counted": (
        with_links(lambda c: renamed(c, '{"number of perpetrators": "1", "perpetrators.gender": "Male"}', VICTIMS)),
        "does not go with",
    ),
    "perpetrator of nobody": (
        lambda c: rekeyed(c, "perpetrators", lambda keys: ["v99999", *keys[1:]]), "does not exist",
    ),
    "repeated key": (lambda c: rekeyed(c, "victims", lambda keys: [keys[1], *keys[1:]]), "repeat a key"),
    "empty key": (lambda c: rekeyed(c, "victims", lambda keys: ["", *keys[1:]]), "empty key"),
    "links dealt anew": (lambda c: rekeyed(c, "perpetrators", dealt_anew), WRONG),
    "links dealt anew, flattened": (lambda c: rekeyed(c, "perpetrators", dealt_anew), "flattened table: "),
    "flattened cell": (flattened_cell, "1 columns differ"),
    "no promise of links": (lambda c: promised(c, None), "does not speak of the links"),
    "another cap": (
        lambda c: promised(c, LinkPromise(to="victims", table="perpetrators", at_most=4)),
        "does not speak of the links",
    ),
    "another unit": (
        lambda c: promised(c, LinkPromise(to="victims", table="perpetrators", at_most=3, shared_by_at_most=2)),
        "does not speak of the links",
    ),
    "number of perpetrators for that of victims": (
        lambda c: dataclasses.replace(
            c, statement=dataclasses.replace(c.statement, records=c.tables["perpetrators"].rows)
        ),
        "it speaks of",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_bundle_that_contradicts_itself_is_found(linked: BundleContents, tmp_path: Path, lie: str) -> None:
    change, text = LIES[lie]
    changed = change(linked)
    # The page is left as it was: there is none of keys that name nobody.
    files = render(linked) | render_text(changed, parquet="included")
    for path, columns in parquet_columns(changed).items():
        whole = ("length", "count", "lower", "upper") if path.startswith("counts/") else ()
        files[path] = encode_parquet(columns, whole=whole)
    verification = verify_bundle(lay(rehash(files), tmp_path / "release"))
    assert not verification.ok
    assert text in details(verification), str(verification)


def test_a_victim_above_the_cap_is_found(linked: BundleContents, tmp_path: Path) -> None:
    def crowd(keys: list[str]) -> list[str]:
        spare = [i for i, key in enumerate(keys) if key != keys[0]]
        for i in spare[: 4 - keys.count(keys[0])]:
            keys[i] = keys[0]
        return keys

    write_bundle(rekeyed(linked, "perpetrators", crowd), tmp_path / "release")
    assert "1 records of victims have more than 3 of perpetrators" in details(verify_bundle(tmp_path / "release"))


def test_a_rounded_pair_may_be_off_by_one(linked: BundleContents, tmp_path: Path) -> None:
    write_bundle(dataclasses.replace(linked, links=changed_counts(linked, PAIR, 1)), tmp_path / "release")
    assert verify_bundle(tmp_path / "release").ok


@pytest.mark.parametrize(
    ("path", "old", "new", "check"),
    [
        ("datapackage.json", b'"at_most": 3', b'"at_most": 5', "promise of links"),
        ("datapackage.json", b'"primaryKey": [\n          "victim_id"', b'"primaryKey": [\n          "age"', "files"),
        ("datapackage.json", b'"has": "Recruiter"', b'"has": "Exploiter"', "flattened table"),
        ("codebook.csv", b"Invented: it means nothing", b"The number of the case file", "files"),
        ("STATEMENT.md", b"At most 3 per", b"At most 9 per", "files"),
        ("explorer.html", b'"of":["victims"', b'"of":["links"', "explorer"),
        ("explorer.html", b'"most":3', b'"most":4', "explorer"),
        ("counts/links.csv", b",links,", b",victims,", "counts of links"),
        ("data/flattened.csv", b"Woman", b"Male", "flattened table"),
        ("data/flattened.csv", b"victimGender", b"victimAge", "data package"),
        ("data/victims.csv", b"victim_id", b"case_id", "data package"),
    ],
)
def test_files_must_follow_from_each_other(
    make_links: Make, tmp_path: Path, path: str, old: bytes, new: bytes, check: str
) -> None:
    """Each file is changed alone, in one place, with hashes that fit."""
    files = render(make_links(software=software_versions()))
    assert old in files[path]
    where = files[path].index(b'"links": {') if b"at_most" in old else 0
    files[path] = files[path][:where] + files[path][where:].replace(old, new, 1)
    verification = verify_bundle(lay(rehash(files), tmp_path / "release"))
    assert check in {finding.check for finding in verification.findings if not finding.ok}, str(verification)


def test_parquet_that_differs_is_found(make_links: Make, tmp_path: Path) -> None:
    files, other = render(make_links()), render(make_links(seed=9))
    for stem in ("data/flattened", "counts/links", "data/perpetrators"):
        changed = rehash({**files, f"{stem}.parquet": other[f"{stem}.parquet"]})
        verification = verify_bundle(lay(changed, tmp_path / stem.replace("/", "_")))
        assert [f.check for f in verification.findings if not f.ok] == [f"Parquet of {stem.split('/')[1]}"]


def test_a_lost_linked_file_is_found(linked: BundleContents, tmp_path: Path) -> None:
    good = render(linked)
    for path in ("data/flattened.csv", "counts/links.csv", "data/perpetrators.csv", "counts/links.parquet"):
        files = rehash({name: data for name, data in good.items() if name != path})
        assert not verify_bundle(lay(files, tmp_path / path.replace("/", "_"))).ok, path


def test_contents_must_hang_together(linked: BundleContents) -> None:
    part = linked.tables["victims"]
    with pytest.raises(PlanError, match="must not be one of its columns"):
        dataclasses.replace(part, key=KeyColumn(name="gender", cells=[""] * part.rows))
    with pytest.raises(PlanError, match="one cell per record"):
        dataclasses.replace(part, key=KeyColumn(name="victim_id", cells=["a"]))
    with pytest.raises(PlanError, match="must have a name"):
        KeyColumn(name=" ", cells=[])
    with pytest.raises(PlanError, match="in this order"):
        dataclasses.replace(linked, tables=dict(reversed(list(linked.tables.items()))))
    with pytest.raises(PlanError, match="without links"):
        dataclasses.replace(linked, links=None)
    with pytest.raises(PlanError, match="must have keys"):
        dataclasses.replace(linked, tables={**linked.tables, "victims": dataclasses.replace(part, key=None)})
    with pytest.raises(PlanError, match="columns that the plan gives"):
        dataclasses.replace(links_of(linked), flattened_columns=())
    odd = dataclasses.replace(part, table=dataclasses.replace(part.table, name="Links"))
    with pytest.raises(PlanError, match="another name"):
        dataclasses.replace(linked, tables={"Links": odd, "perpetrators": linked.tables["perpetrators"]})


def test_statement_reads_back_and_refuses_damage(linked: BundleContents) -> None:
    raw = json.loads(canonical_json(linked.statement.to_json()))
    assert Statement.from_json(raw) == linked.statement
    for damage in ({"at_most": 0}, {"at_most": "3"}, {"to": 1}, {"shared_by_at_most": -1}, {"table": ""}):
        with pytest.raises(BundleError):
            Statement.from_json({**raw, "links": {**raw["links"], **damage}})
    with pytest.raises(BundleError):
        Statement.from_json({**raw, "links": {}})


def test_words_of_both_units(make_links: Make) -> None:
    one, both = make_links(), make_links(shared=2)
    texts = [contents.statement.to_markdown(contents.about) for contents in (one, both)]
    for part in (
        "Every victim in the data, with all perpetrators linked to this victim, is protected",
        "one is the other with one victim added or removed, with all perpetrators linked to this victim",
        "**At most 3 perpetrators count for one victim.**", "are not hidden as one unit", "up to 2k times",
    ):  # fmt: skip
        assert part in texts[0], part
    for part in (
        "Every victim or perpetrator in the data, with all links, is protected",
        "nobody in perpetrators to more than 2",
        "Data with more are refused", "times 4: to add or remove somebody in perpetrators",
    ):  # fmt: skip
        assert part in texts[1], part
        assert part not in texts[0], part
    assert "are not hidden as one unit" not in texts[1]
    for text in texts:
        for of in (LINKS, ANY, VICTIMS, PAIR):
            assert f"    - `{of}`: " in text


def test_words_of_odd_table_names_stay_text(linked: BundleContents) -> None:
    promise = LinkPromise(to="the_victims", table="per_petrators", at_most=2)
    text = dataclasses.replace(linked.statement, links=promise).to_markdown(linked.about)
    assert "the_victims" not in text
    assert "the\\_victims" in text
    assert "per_petrators" not in text
