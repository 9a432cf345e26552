import json

import pandas as pd
import pytest
from grid_world import squares

from invariscope.core.errors import SettingError
from invariscope.grids.job import Job
from invariscope.grids.store import (
    appears,
    clear_drafts,
    finished,
    forget_failure,
    keep,
    note_failure,
    place,
    read_tables,
    seconds_of,
)


def test_results_are_a_folder_with_the_settings_and_a_file_per_table(tmp_path):
    job = Job("grid_work:square", {"x": 3}, label="three")
    assert not finished(job, tmp_path)
    keep(job, {"squares": pd.DataFrame({"square": [9]})}, tmp_path)
    assert finished(job, tmp_path)
    assert sorted(path.name for path in place(job, tmp_path).iterdir()) == ["job.json", "squares.parquet"]
    told = json.loads((place(job, tmp_path) / "job.json").read_text())
    assert told == {"work": "grid_work:square", "settings": {"x": 3}}
    assert [path.name for path in tmp_path.iterdir()] == ["jobs"]


def test_tables_come_in_the_order_of_the_jobs_without_what_is_missing(tmp_path):
    jobs = squares(4)
    for x in (2, 0, 3):
        keep(jobs[x], {"squares": pd.DataFrame({"x": [x] * x, "square": [float(x * x)] * x})}, tmp_path)
    tables = read_tables(jobs, tmp_path)
    assert tables["squares"].x.tolist() == [2, 2, 3, 3, 3]
    assert tables["squares"].square.dtype == float
    assert read_tables(jobs[:1], tmp_path)["squares"].columns.tolist() == ["x", "square"]
    assert read_tables(jobs[1:2], tmp_path) == {}


@pytest.mark.parametrize("returned", [None, [1], {"squares": [1]}, {"../squares": pd.DataFrame()}, {3: pd.DataFrame()}])
def test_work_must_return_tables_by_name(tmp_path, returned):
    with pytest.raises(SettingError, match="grid_work:square must return tables"):
        keep(squares(1)[0], returned, tmp_path)
    assert not finished(squares(1)[0], tmp_path)


def test_a_failure_says_all_and_is_forgotten(tmp_path):
    job = Job("grid_work:square", {"x": 3}, label="three")
    failure = note_failure(job, [("first", "Trace A"), ("again", "Trace B"), ("again", "Trace B")], tmp_path)
    assert (failure.attempts, failure.reason, failure.file.name) == (3, "again", f"{job.key}.txt")
    text = failure.file.read_text()
    for words in ("label: three", "work: grid_work:square", '"x": 3', "attempts: 3", "attempt 1: first", "(as before)"):
        assert words in text
    assert text.count("Trace B") == 1
    forget_failure(job, tmp_path)
    assert not failure.file.exists()


def test_drafts_of_what_is_finished_go_and_others_stay(tmp_path):
    done, open_ = squares(2)
    keep(done, {}, tmp_path)
    drafts = [tmp_path / "jobs" / f".{job.key}.0123abcd" for job in (done, open_)]
    for draft in drafts:
        draft.mkdir()
        (draft / "squares.parquet").write_bytes(b"half")
    clear_drafts(tmp_path)
    assert [draft.exists() for draft in drafts] == [False, True]


def test_two_writers_of_one_job_do_not_harm_each_other(tmp_path, monkeypatch):
    job = squares(1)[0]
    table = {"squares": pd.DataFrame({"square": [0]})}
    keep(job, table, tmp_path)
    before = (place(job, tmp_path) / "squares.parquet").read_bytes()
    # The other one's folder is in the way of the last step, and cannot be removed.
    monkeypatch.setattr("invariscope.core.files.shutil.rmtree", lambda *args, **options: None)
    keep(job, table, tmp_path)
    assert (place(job, tmp_path) / "squares.parquet").read_bytes() == before


def test_what_is_not_seen_and_what_is_not_known(tmp_path):
    job = squares(1)[0]
    assert not appears(job, tmp_path, patience=0.1)
    assert seconds_of(job, tmp_path) != seconds_of(job, tmp_path)
    keep(job, {}, tmp_path)
    assert appears(job, tmp_path, patience=0)
