"""One job after another, in this process."""

from collections import deque

from invariscope.core.errors import SettingError
from invariscope.grids.engines.base import ENGINES, Engine, Failed, Finished, Started, Stepped, Tell
from invariscope.grids.perform import Attempt, Trouble, perform
from invariscope.grids.relay import Steps, reporting
from invariscope.grids.threads import one_thread


@ENGINES.add("serial")
class Serial(Engine):
    """Jobs here, in order; the results that all other engines must equal, byte by byte.

    Example:
        >>> Serial.parse("").form
        'serial'
    """

    form = "serial"

    def __init__(self) -> None:
        self._waiting: deque[Attempt] = deque()

    @classmethod
    def parse(cls, text: str) -> "Serial":
        """Nothing may follow the name."""
        if text:
            raise SettingError(f"the engine serial takes nothing behind its name; got {text!r}.")
        return cls()

    def open(self, attempts: list[Attempt]) -> None:
        """Nothing is needed."""

    def submit(self, attempt: Attempt) -> None:
        """Put it behind the others."""
        self._waiting.append(attempt)

    def wait(self, tell: Tell) -> None:
        """Do one job."""
        attempt = self._waiting.popleft()
        tell(Started(attempt))
        with reporting(Steps(lambda done, total: tell(Stepped(attempt, done, total)))):
            try:
                with one_thread():
                    perform(attempt)
            except (Exception, SystemExit) as error:
                tell(Failed(attempt, Trouble.of(error)))
            else:
                tell(Finished(attempt))

    def close(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
