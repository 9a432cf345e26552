import pytest
import torch
from torch import nn
from training_world import N_CLASSES, tiny

from invariscope.core.errors import SettingError
from invariscope.training.descent import Descent
from invariscope.training.loop import Schedule, train
from invariscope.training.mixture import Mixture, make_parts
from invariscope.training.paradigm import Sampler
from invariscope.training.precision import Arithmetic, choose_precision

CPU = torch.device("cpu")


def learn(sets, precision):
    network, losses = tiny(), []
    schedule = Schedule(epochs=3, batch_size=16, precision=precision)
    sampler = Sampler(sets.train_labels, N_CLASSES, (0, 1), 0, 16)
    mixture = Mixture(make_parts("inversion", 1.0))
    train(
        network,
        sets.train,
        sets.train_labels,
        mixture,
        sampler,
        schedule,
        0,
        lambda epoch, loss: losses.append(loss),
    )
    return network.module.state_dict(), losses


def test_auto_is_32_bits_here():
    assert choose_precision("auto", CPU) == "float32"
    assert choose_precision("bfloat16", CPU) == "bfloat16"
    with pytest.raises(SettingError, match="precision takes auto, float32, bfloat16, float16; got 'half'"):
        choose_precision("half", CPU)


def test_auto_and_32_bits_are_the_same_bits(sets):
    (one, first), (two, second) = learn(sets, "auto"), learn(sets, "float32")
    assert first == second
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_16_bits_learn_nearly_the_same_with_weights_of_32(sets, precision):
    (exact, losses), (short, rounded) = learn(sets, "float32"), learn(sets, precision)
    assert rounded != losses
    assert rounded == pytest.approx(losses, rel=0.1)
    assert all(value.dtype == exact[name].dtype for name, value in short.items())
    again, repeated = learn(sets, precision)
    assert repeated == rounded
    assert all(torch.equal(again[name], short[name]) for name in short)


def test_a_step_whose_gradients_overflow_is_left_out_and_the_scale_falls():
    weight = nn.Parameter(torch.tensor([1.0]))
    arithmetic, descent = Arithmetic("float16", CPU), Descent([weight], 0.0, 0.0)
    scale = arithmetic.state()["scale"]
    arithmetic.step((weight * float("inf")).sum(), descent, 0.1)
    assert weight.item() == 1.0
    assert weight.grad is None
    assert arithmetic.state()["scale"] == scale / 2
    arithmetic.step((3 * weight).sum(), descent, 0.1)
    assert weight.item() == pytest.approx(0.7)


def test_the_scale_of_the_loss_is_kept():
    one, other = Arithmetic("float16", CPU), Arithmetic("float16", CPU)
    weight = nn.Parameter(torch.tensor([1.0]))
    one.step((weight * float("inf")).sum(), Descent([weight]), 0.1)
    other.restore(one.state())
    assert other.state() == one.state()
    assert Arithmetic("float32", CPU).state() == {}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_auto_is_16_bits_on_a_gpu():
    assert choose_precision("auto", torch.device("cuda")) in ("bfloat16", "float16")
    assert choose_precision("float32", torch.device("cuda")) == "float32"
