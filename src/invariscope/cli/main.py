"""The command `invariscope`: finds the verb, runs it, and turns what goes wrong into one sentence and an exit code."""

import errno
import os
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module

from cyclopts import App
from cyclopts.exceptions import CycloptsError, UnusedCliTokensError

import invariscope
from invariscope.cli.configuration import from_tokens
from invariscope.cli.options import COMMAND_LINE
from invariscope.core.errors import InvariscopeError

VERBS = (
    "demo",
    "measure",
    "responses",
    "thresholds",
    "check",
    "compare",
    "train",
    "learn",
    "study",
    "sweep",
    "report",
    "layers",
    "transformations",
    "measures",
    "studies",
)
DONE, BAD_INPUT, UNEXPECTED, INTERRUPTED = 0, 2, 70, 130


def application() -> App:
    """The parser with every verb; a verb's module imports what it computes with only when it runs.

    Returns:
        The parser.
    """
    app = App(
        name="invariscope",
        help="Measure what a trained vision network tolerates, where that arises, and whether it is invariance at all.",
        version=invariscope.__version__,
        help_format="plaintext",
        help_epilogue="Begin with: invariscope demo",
    )
    for order, verb in enumerate(VERBS):
        command = getattr(import_module(f"invariscope.cli.{verb}"), verb)
        app.command(command, name=verb, sort_key=order)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        arguments: without the program's name; by default those of this process.

    Returns:
        The exit code: 0 done, 1 a check that was asked for fails, 2 bad input, 70 a mistake of ours, 130 interrupted.

    Example:
        >>> main(["--version"])  # doctest: +SKIP
        0.1.0
        0
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app = application()
        app.config = from_tokens(tokens, VERBS)
        command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
        COMMAND_LINE.set(shlex.join(["invariscope", *tokens]))
        code = command(*bound.args, **bound.kwargs)
        sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except BrokenPipeError:
        # Who read our output has gone (`| head`): nobody is left to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt as stop:
        advice = str(stop) or "repeat the command with --resume to continue where the results are being kept"
        return _say(f"interrupted; {advice}.", INTERRUPTED)
    except BaseException as error:
        if "--debug" in tokens or isinstance(error, SystemExit):
            raise
        return _say(*_sentence(error, tokens))


def _say(sentence: str, code: int) -> int:
    print(f"invariscope: {sentence}", file=sys.stderr)
    return code


def _sentence(error: BaseException, tokens: Sequence[str]) -> tuple[str, int]:
    if isinstance(error, InvariscopeError):
        return str(error), BAD_INPUT
    if isinstance(error, CycloptsError):
        verb = f" {tokens[0]}" if tokens and tokens[0] in VERBS else ""
        return f"{_usage(error)} See `invariscope{verb} --help`.", BAD_INPUT
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; free some space and repeat the command with --resume.", BAD_INPUT
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}.", BAD_INPUT
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "memory is used up; give a smaller --batch-size, or a smaller --limit, and --resume.", BAD_INPUT
    told = " ".join(str(error).split())[:300]
    return f"unexpected {type(error).__name__}: {told}; repeat with --debug to see where.", UNEXPECTED


def _usage(error: CycloptsError) -> str:
    error.verbose = False
    if isinstance(error, UnusedCliTokensError):
        return f"{' '.join(error.unused_tokens or [])!r} is more than this command takes."
    text = " ".join(str(error).split())
    return text if text.endswith((".", "?")) else f"{text}."
