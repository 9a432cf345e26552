"""What the paradigm's sentences claim, and what they refuse to claim."""

import pandas as pd
from example_run import make_paradigm

from invariscope.report.finding import findings, rises


def table(*rows):
    columns = ["transformation", "k", "seed", "across", "invariance_unseen", "n_classes"]
    return pd.DataFrame(rows, columns=columns)


def ends(name, across, invariance):
    return [(name, k, 0, a, i, 60) for k, a, i in zip((1, 54), across, invariance, strict=True)]


def test_a_rise_of_both_is_said_with_its_numbers():
    said = findings(table(*ends("inversion", (0.02, 0.69), (0.28, 0.62))))
    assert said[1].startswith("Inversion: accuracy on classes never seen transformed rises from 2")
    assert "69" in said[1]
    assert "from 0.28 to 0.62" in said[1]


def test_a_flat_line_is_not_called_a_rise():
    said = findings(table(*ends("rotation", (0.04, 0.06), (0.30, 0.31))))
    assert "does not rise" in said[1]
    assert "the invariance of their units hardly" in said[1]


def test_accuracy_and_invariance_are_told_apart():
    (_, one) = findings(table(*ends("hue", (0.1, 0.9), (0.3, 0.32))))
    (_, other) = findings(table(*ends("hue", (0.1, 0.12), (0.3, 0.6))))
    assert "while the invariance of their units hardly does" in one
    assert "although the invariance of their units does" in other


def test_the_comparison_names_both_sides():
    rows = [*ends("inversion", (0.02, 0.69), (0.28, 0.62)), *ends("rotation", (0.04, 0.06), (0.30, 0.31))]
    assert findings(table(*rows))[-1].endswith("for inversion, and not for rotation.")


def test_seeds_that_disagree_make_no_rise():
    first = pd.DataFrame({"seed": [0, 1], "across": [0.1, 0.3]})
    assert not rises(first, pd.DataFrame({"seed": [0, 1], "across": [0.9, 0.2]}), "across")
    assert rises(first, pd.DataFrame({"seed": [0, 1], "across": [0.9, 0.4]}), "across")


def test_one_k_or_no_row_claims_nothing():
    assert len(findings(table(("hue", 3, 0, 0.1, 0.1, 60)))) == 1
    assert findings(table()) == []


def test_the_example_shows_the_effect_of_the_paper(tmp_path):
    path = make_paradigm(tmp_path)
    assert findings(pd.read_parquet(path / "paradigm.parquet"))[-1].endswith("for inversion, and not for rotation.")
