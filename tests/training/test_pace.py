from training_world import bars

from invariscope.training.loop import Schedule
from invariscope.training.pace import seconds_per_step
from invariscope.training.sets import make_sets
from invariscope.training.settings import Training
from invariscope.training.train import fresh_network


def test_a_step_takes_longer_with_more_images():
    few, many = (
        Training("builtin:cnn?size=16", "inversion", 1.0, 0, 0, Schedule(batch_size=size)) for size in (2, 256)
    )
    sets = make_sets(bars(60, seed=1), bars(5, seed=2), fresh_network(few, 6).recipe)
    assert 0 < seconds_per_step(few, sets) < seconds_per_step(many, sets)
