"""Every error that a person's input can cause.

* InvariscopeError
  x UnknownNameError   a name is in no registry
  x MagnitudeError     a magnitude lies outside a transformation's span
  x SeedError          a random transformation was given no seeds
  x ShapeError         a tensor or an array has the wrong axes or type
  x LayerError         a layer is not in the network, or did not run
  x NetworkError       a network cannot be found, loaded or measured
  x ImageError         images cannot be found, read or matched with a network
  x SettingError       a setting has a value that cannot be used
  x RunError           a run directory is in the way, incomplete, or not a run
  x StorageError       a file could not be written

Each message is one sentence or two: what is wrong, what was given, what to do. The command line prints it and exits
with 2. A broken promise between our own rooms is an `assert`, never one of these.
"""


class InvariscopeError(Exception):
    """Base of all errors here: catch this to catch them all."""


class UnknownNameError(InvariscopeError, KeyError):
    """A name is in no registry."""

    def __str__(self) -> str:
        return str(self.args[0])


class MagnitudeError(InvariscopeError, ValueError):
    """A magnitude lies outside a transformation's span."""


class SeedError(InvariscopeError, ValueError):
    """A random transformation was given no seeds."""


class ShapeError(InvariscopeError, ValueError):
    """A tensor or an array has the wrong axes or type."""


class LayerError(InvariscopeError, LookupError):
    """A layer is not in the network, or did not run."""


class NetworkError(InvariscopeError, ValueError):
    """A network cannot be found, loaded or measured."""


class ImageError(InvariscopeError, ValueError):
    """Images cannot be found, read or matched with a network."""


class SettingError(InvariscopeError, ValueError):
    """A setting has a value that cannot be used."""


class RunError(InvariscopeError, RuntimeError):
    """A run directory is in the way, incomplete, or not a run."""


class StorageError(InvariscopeError, OSError):
    """A file could not be written."""
