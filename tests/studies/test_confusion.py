import math
from pathlib import Path

import pandas as pd
import pytest
import torch
from hand_made import check_figures, done, observed
from torch import nn

from invariscope.statistics.proportions import wilson
from invariscope.studies.base import STUDIES
from invariscope.studies.confusion import Confusion, by_chance, quadrants
from invariscope.studies.confusion_findings import find_all
from invariscope.studies.tidy import found, over_seeds

SEEN = torch.tensor([True, True, False, False])


def called(rows: list[dict], quantity: str = "called", shown: str = "transformed") -> dict[str, float]:
    return {row["quadrant"]: row["value"] for row in rows if (row["quantity"], row["shown"]) == (quantity, shown)}


def test_quadrants_by_hand():
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 2, 3])
    said = torch.tensor([0, 1, 1, 3, 0, 2, 3, 1])
    rows = quadrants(said, labels, SEEN, "transformed")
    assert called(rows) == {"I": 0.5, "II": 0.75, "III": 0.25, "IV": 0.5}
    assert called(rows, "wrongly called") == pytest.approx({"I": 2 / 3, "II": 0.5, "III": 0.5, "IV": 1 / 3})
    first = next(row for row in rows if row["quadrant"] == "I")
    assert (first["low"], first["high"], first["n"]) == (*map(float, wilson(2, 4)), 4)
    assert (first["group"], first["called"]) == ("unseen", "seen")


def test_every_image_is_in_one_quadrant_and_their_order_does_not_matter():
    draw = torch.Generator().manual_seed(3)
    labels, said = (torch.randint(4, (50,), generator=draw) for _ in range(2))
    shares = called(rows := quadrants(said, labels, SEEN, "clean"), shown="clean")
    assert shares["I"] + shares["IV"] == pytest.approx(1)
    assert shares["II"] + shares["III"] == pytest.approx(1)
    order = torch.randperm(50, generator=draw)
    assert quadrants(said[order], labels[order], SEEN, "clean") == rows


def test_without_classes_of_a_kind_its_shares_are_unknown():
    said = labels = torch.tensor([0, 1])
    for kind, known, unknown in ((True, "II", "I"), (False, "IV", "III")):
        of_seen = torch.tensor([kind, kind])
        for rows in (quadrants(said, labels, of_seen, "transformed"), by_chance(of_seen)):
            own = {row["quadrant"]: row["value"] for row in rows if row["quantity"] == "called"}
            assert own[known] == 1
            assert math.isnan(own[unknown])


def test_chance_is_that_of_many_wrong_answers():
    draw = torch.Generator().manual_seed(0)
    labels = torch.randint(4, (40_000,), generator=draw)
    wrong = (labels + torch.randint(1, 4, labels.shape, generator=draw)) % 4
    shares = called(quadrants(wrong, labels, SEEN, "transformed"))
    assert shares == pytest.approx(called(by_chance(SEEN), shown="by chance"), abs=0.01)


def test_a_network_that_calls_what_is_inverted_by_the_name_of_the_seen_class():
    """Images have a bright mark in the first place; inverted, all are called class a; clean, the second place tells."""

    class Marked(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            mark, which = images[:, 0, 0, 0], images[:, 0, 0, 1]
            return torch.stack([10 * (mark < 0.5), which < 0.5, which > 0.5], 1).float()

    values = torch.tensor([[1.0, 0.2]] * 3 + [[1.0, 0.8]] * 5)
    seen = observed(values, [1] * 3 + [2] * 5, Marked(), seen=["a"])
    rows = Confusion().observe(seen)["results"]
    assert called(rows)["I"] == 1
    assert called(rows, shown="clean")["I"] == 0
    assert called(rows, shown="by chance")["I"] == 0.5
    assert math.isnan(called(rows)["II"])


def result(shares: dict[int, tuple[float, float]], seeds: int = 3, n_classes: int = 60) -> pd.DataFrame:
    """Rows of a study in which so many transformed and clean images of unseen classes are called seen."""
    rows = []
    for seed in range(seeds):
        for k, (transformed, clean) in shares.items():
            of_seen = torch.arange(n_classes) < k
            own = {"transformation": "inversion", "magnitude": 1.0, "k": k, "n_classes": n_classes, "seed": seed}
            quadrant = {"group": "unseen", "called": "seen", "quadrant": "I"}
            for quantity in ("called", "wrongly called"):
                for shown, share in (("transformed", transformed), ("clean", clean)):
                    rows.append(found(quantity, share + seed / 1000, shown=shown, **quadrant, **own))
            rows.append(
                found("called", 0.01, group="seen", called="unseen", quadrant="III", shown="transformed", **own)
            )
            rows += [{**row, **own} for row in by_chance(of_seen)]
    return over_seeds(pd.DataFrame(rows))


def test_findings_of_a_network_that_takes_unseen_for_seen():
    first, wrongly, marked = find_all(result({1: (0.8, 0.0), 30: (0.9, 0.05), 54: (0.95, 0.5)}))
    assert (first.verdict, wrongly.verdict, marked.verdict) == ("holds", "holds", "holds")
    assert (
        "in 80\u202f% of cases with 1 class seen (2\u202f% by chance), 90\u202f% with 30 (51\u202f%)" in first.sentence
    )
    assert "with 1 and 30 seen; chance leaves room for it with 1 and 30." in first.sentence
    assert "with 30 classes seen, 5\u202f% of the clean images" in marked.sentence
    assert "by +85.0 points" in marked.sentence


def test_findings_where_chance_explains_it():
    first, *_ = find_all(result({30: (0.55, 0.5)}))
    assert first.verdict == "does not hold"
    assert "nowhere" in first.sentence
    only_many, *_ = find_all(result({54: (0.95, 0.9)}))
    assert only_many.verdict == "undecided"
    assert "says nothing" in only_many.sentence
    assert {each.verdict for each in find_all(result({1: (0.8, 0.0)}, seeds=2))} == {"undecided"}


def test_the_jobs_of_a_small_grid(tmp_path: Path):
    study = Confusion.at(
        "smoke",
        images="builtin:glyphs?per_class=4",
        epochs=1,
        transformations=(("rotation", 90.0), ("rotation", 180.0)),
    )
    assert STUDIES["confusion"] is Confusion
    study.check()
    tables = done(study, tmp_path)
    results = tables["results"]
    assert list(dict.fromkeys(results.transformation)) == ["rotation 90", "rotation 180"]
    row = results[(results.k == 30) & (results.shown == "by chance") & (results.quadrant == "I")].iloc[0]
    assert row.value == pytest.approx(30 / 59)
    counts = results[(results.quantity == "called") & (results.shown == "clean") & results.seed.notna()]
    assert set(counts[counts.quadrant == "I"].n + counts[counts.quadrant == "II"].n.to_numpy()) == {240}
    check_figures(study, tables)
    findings = study.findings(results, tables)
    assert len(findings) == 6
    assert {finding.verdict for finding in findings} == {"undecided"}
    assert study.limits
