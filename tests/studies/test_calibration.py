import json

import pandas as pd
import pytest

from invariscope.studies.across_category import AcrossCategory
from invariscope.studies.calibration import calibration_job, with_magnitudes
from invariscope.studies.conduct import conduct_study
from invariscope.training.calibrate import clean_training


def test_only_what_the_paper_searches_is_searched():
    job = calibration_job(clean_training("builtin:cnn"), "builtin:glyphs", None, ["inversion", "gaussian-blur"], 0.1)
    assert job.settings["transformations"] == ["gaussian-blur"]


def test_what_was_not_found_keeps_its_magnitude():
    found = pd.DataFrame({"transformation": ["gaussian-blur", "gaussian-noise"], "magnitude": [2.5, float("nan")]})
    given = [("gaussian-noise", 0.2), ("gaussian-blur", 1.0), ("rotation", 90.0)]
    assert with_magnitudes(given, found) == (("gaussian-noise", 0.2), ("gaussian-blur", 2.5), ("rotation", 90.0))


def test_a_study_trains_at_the_magnitudes_that_were_found(tmp_path):
    study = AcrossCategory(
        images="builtin:glyphs?per_class=20",
        transformations=(("inversion", 1.0), ("gaussian-noise", 0.05)),
        k=(30,),
        seeds=(0,),
        epochs=3,
        calibrate=0.25,
    )
    conduct_study(study, tmp_path / "study", engine="serial")
    found = pd.read_parquet(tmp_path / "study" / "magnitudes.parquet").set_index("transformation").loc["gaussian-noise"]
    assert found.magnitude == pytest.approx(25 / 255 * round(found.magnitude * 255 / 25))
    assert found.accuracy <= 0.25
    trained = pd.read_parquet(tmp_path / "study" / "networks.parquet").set_index("transformation").magnitude
    assert trained.to_dict() == pytest.approx({"inversion": 1.0, "gaussian-noise": found.magnitude})
    assert "magnitudes" in json.loads((tmp_path / "study" / "run.json").read_text())["tables"]
