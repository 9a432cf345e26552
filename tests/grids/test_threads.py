import torch

from invariscope.core.progress import Silent
from invariscope.grids.relay import current_progress
from invariscope.grids.threads import one_thread


def test_threads_are_put_back():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_work_that_is_no_job_reports_to_nobody():
    assert isinstance(current_progress(), Silent)
