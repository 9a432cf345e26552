"""Work on a stream of items in threads, a little ahead of whoever takes the results."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(function: Callable[[T], R], items: Iterable[T]) -> Iterator[Callable[[], R]]:
    """Each item's result in order; at most eight per core are worked on or waiting.

    Args:
        function: what to do, in a thread; it should spend its time outside the interpreter's lock.
        items: taken one by one, as there is room.

    Yields:
        Something that gives the result, or raises what the function raised.

    Example:
        >>> [result() for result in ahead(abs, [-1, 2, -3])]
        [1, 2, 3]
    """
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    waiting: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= 8 * workers:
                yield waiting.popleft().result
        while waiting:
            yield waiting.popleft().result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
