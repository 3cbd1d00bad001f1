"""Loads what the commands load, once, in the process from which theirs are forked."""

import contextlib
import tomllib  # noqa: F401
import zoneinfo  # noqa: F401

import matplotlib.figure  # noqa: F401
import numpy.random  # noqa: F401
import openpyxl  # noqa: F401
import pyarrow.parquet  # noqa: F401
import rich.table  # noqa: F401
import threadpoolctl  # noqa: F401

import caseveil.cli
import caseveil.cli_init
import caseveil.cli_show
import caseveil.evaluate
import caseveil.forecast_view
import caseveil.produce
import caseveil.records.draft_links
import caseveil.release.verify  # noqa: F401
from caseveil.release.manifest import software_versions

software_versions()  # reads what is installed
with contextlib.suppress(ImportError):
    import pandas  # noqa: F401  # pyarrow loads it where it is installed
