"""What is spoken to a hosted service or by one: nothing of users who keep their personal data here."""

from __future__ import annotations

from domain.errors import SpeechUnavailable
from models.speech import texts
from privacy.outbound import wanted_privacy


def check_may_leave() -> None:
    """Let speech of the request at hand go to a hosted service.

    Raises:
        SpeechUnavailable: User or turn ask for more privacy than that; the setting leaves no hosted engine open at all.
    """
    if wanted_privacy.get() != "off":
        raise SpeechUnavailable(reason=texts.STAYS_HERE)
