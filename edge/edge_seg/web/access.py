"""Who may look: the token, the cookie that stands for it, and the brake on guessing."""

import hashlib
import hmac
import time
from collections import OrderedDict, deque
from collections.abc import Callable

_MOST_FAILURES = 5
_WINDOW_S = 60.0
_MOST_REMEMBERED = 1024


class Access:
    """The rule of who may look. Without a token everybody who reaches the page may."""

    def __init__(self, token: str | None) -> None:
        self._token = token.encode() if token else None

    @property
    def needs_token(self) -> bool:
        """True when a token was set."""
        return self._token is not None

    def is_token(self, given: str) -> bool:
        """Compare in a time that does not depend on where the texts differ."""
        return self._token is not None and hmac.compare_digest(self._token, given.encode(errors="replace"))

    def is_session(self, given: str) -> bool:
        """True for the cookie that `session` gives out."""
        return self._token is not None and hmac.compare_digest(self.session.encode(), given.encode(errors="replace"))

    @property
    def session(self) -> str:
        """The cookie's value: it comes from the token, so it outlives a restart and ends with the token."""
        return hmac.new(self._token or b"", b"edge-seg live page session", hashlib.sha256).hexdigest()


class Attempts:
    """Counts wrong tokens per client, in bounded memory: five a minute, then none is looked at."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """Return for how many more seconds a client's tokens are not looked at; 0.0 when they are."""
        failures = self._failures.get(client)
        if failures is None or len(failures) < _MOST_FAILURES:
            return 0.0
        return max(0.0, failures[0] + _WINDOW_S - self._clock())

    def fail(self, client: str) -> None:
        """Note a wrong token."""
        self._failures.setdefault(client, deque(maxlen=_MOST_FAILURES)).append(self._clock())
        self._failures.move_to_end(client)
        if len(self._failures) > _MOST_REMEMBERED:
            self._failures.popitem(last=False)
