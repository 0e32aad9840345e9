"""Work done in a copy of this process, so that what it loads does not stay in the memory of one that lives long."""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn, TypeVar

from tansiq.cli.trouble import understood
from tansiq.core.errors import TansiqError
from tansiq.workers.parent import tied_to

_Result = TypeVar("_Result")
BROKEN = 1


def apart(work: Callable[[], _Result]) -> _Result:
    """What ``work`` returns. It has this process's terminal and files; what it changes in memory is not seen here.

    To be called while this process has one thread, and no connection to a database.

    Raises: KeyboardInterrupt and expected failures as ``work`` does; SystemExit: a defect, which was shown.
    """
    sys.stdout.flush()
    reading, writing = os.pipe()
    tie = tied_to(os.getpid())
    if not (child := os.fork()):
        os.close(reading)
        tie()
        _done(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _pid, status = os.waitpid(child, 0)
    if not said:
        sys.exit(os.waitstatus_to_exitcode(status) or BROKEN)
    is_result, outcome = pickle.loads(said)
    if is_result:
        return outcome  # type: ignore[no-any-return]
    raise outcome


def _done(work: Callable[[], _Result], writing: int) -> NoReturn:
    """In the copy: never returns, for what is further up the stack is the first process's to do."""
    said, code = b"", BROKEN
    try:
        said, code = pickle.dumps((True, work())), 0
    except KeyboardInterrupt as stop:
        said = pickle.dumps((False, stop))
    except Exception as error:
        known = error if isinstance(error, TansiqError) else understood(error)
        if known is None:
            traceback.print_exc(file=sys.stderr)
        else:
            said = pickle.dumps((False, known))
    finally:
        _leave(writing, said, code)


def _leave(writing: int, said: bytes, code: int) -> NoReturn:
    try:
        if database := sys.modules.get("django.db"):
            database.connections.close_all()
        sys.stdout.flush()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(said)
    finally:
        os._exit(code)
