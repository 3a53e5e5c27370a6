"""Who speaks and who listens in this process, by the settings and by what is installed."""

from __future__ import annotations

from domain.packages import package_dir
from models.speech import bundled_stt, bundled_tts
from models.speech.bundled_stt import BundledListener
from models.speech.bundled_tts import BundledSpeaker
from models.speech.dashscope_tts import DashScopeSpeaker
from models.speech.interface import Listener, Speaker
from settings import Settings


def open_speaker(settings: Settings) -> Speaker | None:
    """Return who speaks: DashScope with a key, else the bundled voices; None when switched off or not installed."""
    if settings.tts_engine in ("auto", "dashscope") and _dashscope(settings):
        return DashScopeSpeaker(settings)
    if settings.tts_engine in ("auto", "bundled") and bundled_tts.installed():
        return BundledSpeaker(settings)
    return None


def open_listener(settings: Settings) -> Listener | None:
    """Return who listens: the STT_* endpoint, else DashScope with a key, else bundled Whisper; None without any."""
    if settings.stt_base_url or settings.stt_api_key or _dashscope(settings):
        return _hosted_listener(settings)
    return BundledListener(settings) if bundled_stt.installed() else None


def _hosted_listener(settings: Settings) -> Listener:
    from models.speech.hosted_stt import DashScopeListener, HostedListener  # half a second of import time

    return HostedListener(settings) if settings.stt_base_url or settings.stt_api_key else DashScopeListener(settings)


def _dashscope(settings: Settings) -> bool:
    return settings.dashscope_api_key is not None and package_dir("dashscope") is not None
