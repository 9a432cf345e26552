import hashlib

import pytest
from grid_world import squares

from invariscope.core.errors import SettingError
from invariscope.grids.job import Job, function_of


def test_a_key_is_the_hash_of_work_and_settings_and_of_nothing_else():
    job = Job("grid_work:square", {"x": 3, "a": [1, 2]}, label="three", gpu=True)
    text = b'grid_work:square {"a": [1, 2], "x": 3}'
    assert job.key == hashlib.blake2b(text, digest_size=10).hexdigest()
    same = Job("grid_work:square", {"a": (1, 2), "x": 3})
    assert (same.key, same) == (job.key, job)
    assert len({job, same}) == 1
    others = [Job("grid_work:square", {"x": 4, "a": [1, 2]}), Job("grid_work:cube", {"x": 3, "a": [1, 2]})]
    assert len({job.key, *(other.key for other in others)}) == 3


def test_settings_are_what_a_worker_elsewhere_would_get():
    given = {"grid": (1, 2)}
    job = Job("grid_work:square", given)
    given["grid"] = (3,)
    assert job.settings == {"grid": [1, 2]}


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, b"bytes"])
def test_settings_that_are_not_plain(value):
    with pytest.raises(SettingError, match="settings of a job are text, numbers"):
        Job("grid_work:square", {"x": value})


@pytest.mark.parametrize("work", ["", "square", "grid_work.square", "grid_work:", "../grid:work", "a:b:c"])
def test_work_must_name_a_function(work):
    with pytest.raises(SettingError, match=r"package\.module:function"):
        Job(work, {})


def test_a_job_is_called_by_its_label_or_its_key():
    assert squares(1)[0].name == "square 0"
    job = Job("grid_work:square", {"x": 1})
    assert job.name == job.key


def test_functions_that_are_not_there():
    assert function_of("grid_work:square").__name__ == "square"
    with pytest.raises(SettingError, match="no module 'no_such_module'"):
        function_of("no_such_module:square")
    with pytest.raises(SettingError, match=r"no module 'invariscope\.nowhere'"):
        function_of("invariscope.nowhere.at_all:square")
    with pytest.raises(SettingError, match="has no function 'cube'"):
        function_of("grid_work:cube")


def test_a_module_that_lacks_another_one_says_which(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import surely_not_installed\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="surely_not_installed"):
        function_of("needs_more:square")
