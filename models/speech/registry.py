"""Chooses who speaks and who listens in this process, by the settings and by what is installed."""

from __future__ import annotations

from collections.abc import Callable

from domain.packages import package_dir
from models.speech.interface import Listener, Speaker
from settings import Settings
from workers.sandbox import Sandbox


def _dashscope_speaker(settings: Settings) -> Speaker | None:
    if settings.tts_engine not in ("auto", "dashscope") or not _dashscope(settings) or _private(settings):
        return None
    from models.speech.dashscope_tts import DashScopeSpeaker

    return DashScopeSpeaker(settings)


def _bundled_speaker(settings: Settings) -> Speaker | None:
    from models.speech import bundled_tts

    wanted = settings.tts_engine in ("auto", "bundled") and bundled_tts.installed()
    return bundled_tts.BundledSpeaker(settings) if wanted else None


def _hosted_listener(settings: Settings, sandbox: Sandbox) -> Listener | None:
    from models.speech.hosted_stt import open_hosted

    return None if _private(settings) else open_hosted(settings, sandbox)


def _dashscope_listener(settings: Settings, sandbox: Sandbox) -> Listener | None:
    if not _dashscope(settings) or _private(settings):
        return None
    from models.speech.dashscope_stt import DashScopeListener

    return DashScopeListener(settings, sandbox)


def _bundled_listener(settings: Settings, sandbox: Sandbox) -> Listener | None:
    from models.speech import bundled_stt

    return bundled_stt.BundledListener(settings, sandbox) if bundled_stt.installed() else None


SPEAKERS: dict[str, Callable[[Settings], Speaker | None]] = {
    "dashscope": _dashscope_speaker,
    "bundled": _bundled_speaker,
}
LISTENERS: dict[str, Callable[[Settings, Sandbox], Listener | None]] = {
    "hosted": _hosted_listener,
    "dashscope": _dashscope_listener,
    "bundled": _bundled_listener,
}
"""Asked in this order; the first that is configured and installed answers."""


def open_speaker(settings: Settings) -> Speaker | None:
    """Return who speaks, or None when that is switched off or nothing for it is installed."""
    return next((speaker for opener in SPEAKERS.values() if (speaker := opener(settings)) is not None), None)


def open_listener(settings: Settings, sandbox: Sandbox) -> Listener | None:
    """Return who listens, or None without any; what is decoded here is decoded in `sandbox`."""
    return next((heard for opener in LISTENERS.values() if (heard := opener(settings, sandbox)) is not None), None)


def _private(settings: Settings) -> bool:
    """Whether voices and what is spoken stay here: personal data cannot be masked in sound."""
    return settings.pii != "off"


def _dashscope(settings: Settings) -> bool:
    return settings.dashscope_api_key is not None and package_dir("dashscope") is not None
