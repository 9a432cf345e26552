"""Single questions: answers as a whole pass gives them, whatever the batches, and an honest count."""

import pytest
import torch
from torch import nn

from invariscope.core.errors import ImageError, NetworkError
from invariscope.images.images import Images
from invariscope.networks.network import Network, as_network
from invariscope.tolerance.examination import Examination
from invariscope.transformations.brightness import Brightness
from invariscope.transformations.noise import GaussianNoise


def examined(labels: bool = True, batch_size: int = 3) -> Examination:
    torch.manual_seed(0)
    network = as_network(nn.Sequential(nn.Flatten(), nn.Linear(48, 5)))
    images = Images(
        torch.rand(7, 3, 4, 4), [0, 1, 2, 3, 4, 0, 1] if labels else None, list("abcde") if labels else None
    )
    return Examination(network, images.fit(network.recipe), batch_size=batch_size)


def test_answers_are_those_of_the_bare_network():
    here = examined()
    images = here.images.batch([4, 0, 4])
    logits = here.network(Brightness()(images, torch.tensor([0.1, 0.2, -0.3])))
    found = here.ask(Brightness(), torch.tensor([4, 0, 4]), torch.tensor([0.1, 0.2, -0.3]))
    assert torch.equal(found.predicted, logits.argmax(1))
    assert torch.allclose(found.softmax_true.float(), logits.softmax(1)[range(3), [4, 0, 4]])
    ordered = logits.sort(1, descending=True).values
    assert torch.allclose(found.margin, ordered[:, 0] - ordered[:, 1])


def test_passes_count_every_image_that_was_shown():
    here = examined()
    assert here.passes == 7
    here.ask(Brightness(), torch.tensor([1, 1]), torch.tensor([0.1, 0.2]))
    assert here.passes == 9
    empty = here.ask(Brightness(), torch.tensor([], dtype=torch.int64), torch.tensor([]))
    assert len(empty.predicted) == 0
    assert here.passes == 9


@pytest.mark.parametrize("family", [Brightness(), GaussianNoise()], ids=lambda family: family.name)
def test_batches_do_not_change_answers(family):
    index, magnitude = torch.tensor([3, 1, 6, 1, 0]), torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5])
    few, many = (examined(batch_size=size).ask(family, index, magnitude) for size in (2, 64))
    assert torch.equal(few.predicted, many.predicted)
    assert torch.allclose(few.softmax_true, many.softmax_true)


def test_without_labels_the_clean_prediction_counts_as_true():
    here = examined(labels=False)
    assert not here.labelled
    assert torch.equal(here.labels, here.clean.predicted)


def test_what_it_refuses():
    network = Network(nn.Identity())
    images = Images(torch.rand(2, 3, 4, 4)).fit(network.recipe)
    with pytest.raises(NetworkError, match="class scores"):
        Examination(network, images)
    images.pixels = images.pixels[:0]
    with pytest.raises(ImageError, match="no images"):
        Examination(as_network(nn.Flatten()), images)


def test_the_true_margin_is_negative_where_another_class_wins():
    here = examined()
    found = here.ask(Brightness(), torch.arange(7), torch.zeros(7))
    logits = here.network(here.images.batch(list(range(7))))
    for row, label in enumerate(here.labels.tolist()):
        others = [value for place, value in enumerate(logits[row].tolist()) if place != label]
        assert found.margin_true[row].item() == pytest.approx(logits[row, label].item() - max(others), abs=1e-6)
    assert torch.equal(found.margin_true > 0, found.predicted == here.labels)
