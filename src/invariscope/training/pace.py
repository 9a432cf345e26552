"""How long training will take, from a few of its steps."""

import time

import torch
from torch import nn

from invariscope.grids.threads import one_thread
from invariscope.training.sets import Sets
from invariscope.training.settings import Training
from invariscope.training.train import fresh_network

_STEPS = 3


def seconds_per_step(training: Training, sets: Sets) -> float:
    """The processor time of one step of a training here, on one thread, the fastest of three.

    Args:
        training: the settings; its network is made anew.
        sets: whose training images are shown.

    Returns:
        Seconds per batch, forward and backward; transformations are not counted.
    """
    network = fresh_network(training, len(sets.classes))
    size = min(training.schedule.batch_size, len(sets.train))
    images, labels = sets.train.batch(list(range(size))), sets.train_labels[:size]
    times = []
    network.module.train()
    with one_thread():
        for _ in range(_STEPS + 1):
            # Not the wall's time: this machine may do other things beside.
            started = time.process_time()
            loss = nn.functional.cross_entropy(network.module(network.recipe.normalise(images)), labels)
            torch.autograd.backward(loss)
            times.append(time.process_time() - started)
    return min(times[1:])
