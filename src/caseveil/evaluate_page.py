"""report.html: the explorer's page with one more part, the release against the true rows. Private, as the report is."""

from __future__ import annotations

import json

from caseveil.evaluation import report
from caseveil.evaluation.report import Evaluation
from caseveil.release import explorer, explorer_data
from caseveil.release.bundle import BundleContents


def private_page(contents: BundleContents, evaluation: Evaluation) -> bytes:
    """The page: all that explorer.html shows, and the whole of report.json, from which its first part is drawn.

    The heading of the release gets PRIVATE in front, so that the name of the window says it, and every page and every
    figure that is saved says it too (web/explorer/src/private). It holds no row: the report has none.
    """
    data = explorer_data.payload(contents)
    data["title"] = f"PRIVATE: {data['title']}"
    data[explorer.PRIVATE] = json.loads(report.as_json(evaluation))
    return explorer.render(data, private=True)
