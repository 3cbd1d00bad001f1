"""The names that scripts rely on."""

import inspect
import subprocess
import sys

import caseveil


def test_public_names_are_the_contract() -> None:
    assert sorted(caseveil.__all__) == [
        "LinkedRelease",
        "Release",
        "__version__",
        "forecast",
        "run",
        "synthesize",
        "synthesize_linked",
    ]
    assert list(caseveil.__all__) == sorted(caseveil.__all__)


def test_every_public_name_is_there_and_explained() -> None:
    for name in caseveil.__all__:
        value = getattr(caseveil, name)
        assert name == "__version__" or inspect.getdoc(value), f"caseveil.{name} needs a docstring"


def test_dir_shows_the_public_names() -> None:
    assert set(caseveil.__all__) <= set(dir(caseveil))


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(caseveil, "synthesise_everything")


def test_import_alone_is_light() -> None:
    """`import caseveil` loads no file format, no plotting and no command line library."""
    heavy = {"matplotlib", "pyarrow", "pandas", "polars", "openpyxl", "narwhals", "click", "rich", "sqlalchemy"}
    code = "import caseveil, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert heavy.isdisjoint(out.split())


def test_synthesize_takes_the_arguments_of_the_contract() -> None:
    parameters = inspect.signature(caseveil.synthesize).parameters
    expected = ["frame", "epsilon", "delta", "length", "domains", "fabrication", "ledger", "progress"]
    assert [name for name in parameters if name in expected] == expected
    defaults = {name: parameters[name].default for name in expected[1:]}
    assert defaults["delta"] is None
    assert defaults["length"] == 3
    assert defaults["fabrication"] == "balanced"
    assert defaults["ledger"] is None
