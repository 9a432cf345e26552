"""The signs of known symmetry are as symmetric as they are said to be."""

import pytest
import torch
from matplotlib.ft2font import FT2Font

from invariscope.core.errors import SettingError
from invariscope.images.artwork import FACES, draw_signs
from invariscope.images.builtin_symmetries import DISCS, HALF_TURN, MIRROR, PLAIN, SIGNS
from invariscope.images.bundled import matplotlib_font
from invariscope.images.load import load_images


@pytest.fixture(scope="module")
def ink() -> torch.Tensor:
    return draw_signs(SIGNS).float() / 255


def alike(ink: torch.Tensor, turned: torch.Tensor) -> torch.Tensor:
    """Per sign, the share of its ink that stays where it is, in the middle face."""
    moved = (ink - turned).abs().sum((-1, -2)) / (ink + turned).sum((-1, -2))
    return (1 - moved).median(dim=1).values


def of(signs: str) -> list[int]:
    return [SIGNS.index(sign) for sign in signs]


def test_sixty_different_signs_are_in_every_face():
    assert len(SIGNS) == len(set(SIGNS)) == 60
    for face in FACES:
        charmap = FT2Font(str(matplotlib_font(face))).get_charmap()
        assert [sign for sign in SIGNS if ord(sign) not in charmap] == []


def test_symmetries_are_those_of_the_groups(ink):
    quarter, half = alike(ink, ink.rot90(1, (-2, -1))), alike(ink, ink.flip((-2, -1)))
    assert quarter[of(DISCS)].min() > 0.95
    assert quarter[of(HALF_TURN + MIRROR + PLAIN)].max() < 0.55
    assert half[of(DISCS + HALF_TURN)].min() > 0.78
    assert half[of(MIRROR)].max() < 0.7


def test_mirrored_signs_are_the_same_in_upright_faces(ink):
    upright = ink[:, [place for place, face in enumerate(FACES) if "Obl" not in face and "Ital" not in face]]
    assert alike(upright, upright.flip(-1))[of(MIRROR)].min() > 0.74


def test_the_options_do_what_they_say():
    small = load_images("builtin:symmetries?split=train&per_class=1&size=24&color=true")
    assert len(small) == 60
    assert small.classes == tuple(SIGNS)
    assert load_images("builtin:symmetries").labels.tolist()[:61] == [*range(60), 0]
    one, other = (load_images(f"builtin:symmetries?per_class=1&seed={seed}").fingerprint for seed in (0, 1))
    assert one != other


@pytest.mark.parametrize("options", ["split=val", "size=4", "per_class=-1"])
def test_bad_options_are_refused(options):
    with pytest.raises(SettingError, match="got"):
        load_images(f"builtin:symmetries?{options}")
