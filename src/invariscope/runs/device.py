"""Which device computes, and how many images fit in one forward pass."""

import torch

from invariscope.core.errors import SettingError


def choose_device(name: str) -> torch.device:
    """The device that "auto", "cpu", "mps", "cuda" or "cuda:1" stands for.

    Raises:
        SettingError: there is no such device here.

    Example:
        >>> choose_device("cpu")
        device(type='cpu')
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SettingError(f"device takes auto, cpu, mps, cuda or cuda:N; got {name!r}.") from error
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        found = torch.cuda.device_count() if torch.cuda.is_available() else 0
        raise SettingError(f"device {name!r} is not here: {found} CUDA devices were found; say --device cpu or auto.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise SettingError("device 'mps' is not here; say --device cpu or auto.")
    return device


def choose_batch_size(height: int, width: int, device: torch.device) -> int:
    """Images per forward pass: enough to keep the device busy, few enough to stay in its cache; always even.

    Example:
        >>> choose_batch_size(32, 32, torch.device("cpu"))
        250
    """
    pixels = 256_000 if device.type == "cpu" else 25_600_000
    return max(2 * (pixels // (2 * height * width)), 16) if height * width > 512 else 512
