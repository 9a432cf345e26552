"""The files that a page is made of."""

import json

import pandas as pd

from invariscope.findings.figures import Heat
from invariscope.findings.finding import Finding
from invariscope.findings.write import write_tables


def test_tables_sentences_and_figures_come_back(tmp_path):
    table = pd.DataFrame({"x": [1, 2], "value": [0.5, 1.0]})
    finding = Finding("It is 9 °.", "holds", "rotation")
    names = write_tables(
        tmp_path, {"results": table, "extra": table}, [finding], [Heat(name="h", title="H", caption="", x="x", y="x")]
    )
    assert names == ["extra", "results"]
    assert pd.read_parquet(tmp_path / "results.parquet").equals(table)
    assert json.loads((tmp_path / "findings.json").read_text()) == [
        {"sentence": "It is 9 °.", "verdict": "holds", "claim": "rotation"}
    ]
    assert json.loads((tmp_path / "figures.json").read_text())[0]["kind"] == "heat"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "extra.parquet",
        "figures.json",
        "findings.json",
        "results.parquet",
    ]
