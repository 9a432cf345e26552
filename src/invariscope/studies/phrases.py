"""Parts of sentences that several studies say."""

import math
from collections.abc import Callable

from invariscope.core.words import MINUS
from invariscope.studies.compare import Estimate


def hundredths(value: float) -> str:
    """A coefficient or a correlation with two digits after the point.

    Example:
        >>> hundredths(0.7), hundredths(-0.004), hundredths(math.nan)
        ('0.70', '0.00', '–')
    """
    if math.isnan(value):
        return "–"
    text = f"{abs(value):.2f}"
    return (MINUS if value < 0 and float(text) else "") + text


def tenths(share: float) -> str:
    """A difference of shares in percentage points, to a tenth, with its sign; none is beyond 100.

    Example:
        >>> tenths(0.3642), tenths(-0.02), tenths(0.0001), tenths(1.04)
        ('+36.4', '−2.0', '0.0', '+100.0')
    """
    if math.isnan(share):
        return "–"
    text = f"{min(abs(100 * share), 100):.1f}"
    return ("" if not float(text) else "+" if share > 0 else MINUS) + text


def unsigned(share: float) -> str:
    """Percentage points to a tenth, of what is no difference: without a sign above zero.

    Example:
        >>> unsigned(0.045), unsigned(-0.01)
        ('4.5', '−1.0')
    """
    return tenths(share).removeprefix("+")


def sure(estimate: Estimate, write: Callable[[float], str] = hundredths) -> str:
    """How sure a number is: its interval over seeds in brackets; empty for one seed.

    Args:
        estimate: the number.
        write: how a number is written.

    Example:
        >>> sure(Estimate(0.5, 0.25, 0.75, n=3))
        ' (95 % in 0.25 to 0.75 over 3 seeds)'
    """
    if estimate.n < 2:
        return ""
    return f" (95 % in {write(estimate.low)} to {write(estimate.high)} over {estimate.n} seeds)"
