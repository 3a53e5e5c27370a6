"""What the speech engines say of themselves and of their failures, and in place of what cannot be read aloud."""

from __future__ import annotations

from domain.words import Words

LISTENER_BUNDLED = Words(
    "bundled Whisper base (8 bit, CPU); set STT_BASE_URL or DASHSCOPE_API_KEY for a hosted one.",
    "内置的 Whisper base（8 位，CPU）；设置 STT_BASE_URL 或 DASHSCOPE_API_KEY 可改用在线服务。",
)
SPEAKER_ENGLISH = Words(
    "bundled voices: hibari (English only); set DASHSCOPE_API_KEY for hosted ones.",
    "内置语音：hibari（仅英文）；设置 DASHSCOPE_API_KEY 可改用在线语音。",
)
SPEAKER_BOTH = Words(
    "bundled voices: hibari (English) and Kokoro-82M (Chinese); set DASHSCOPE_API_KEY for hosted ones.",
    "内置语音：hibari（英文）和 Kokoro-82M（中文）；设置 DASHSCOPE_API_KEY 可改用在线语音。",
)
STAYS_HERE = Words(
    "personal data must not leave, and it cannot be masked in sound", "个人信息不得外传，而声音中的个人信息无法遮盖"
)
NOT_WRITTEN_DOWN = Words("the recording could not be written down", "无法转写这段录音")
VOICE_FAILED = Words("the bundled voice failed", "内置语音出错")
VOICE_SLOW = Words("it took too long", "合成超时")
DASHSCOPE_SILENT = Words("DashScope does not answer", "DashScope 没有响应")
DASHSCOPE_SLOW = Words("DashScope took too long", "DashScope 响应超时")
DASHSCOPE_KEY = Words("DashScope refuses the key", "DashScope 拒绝了密钥")
DASHSCOPE_BUSY = Words("DashScope is at its rate limit", "DashScope 请求过于频繁")
DASHSCOPE_TEXT = Words("DashScope refuses this model, voice or text", "DashScope 不接受该模型、音色或文本")
DASHSCOPE_RECORDING = Words("DashScope refuses the recording", "DashScope 不接受这段录音")
DASHSCOPE_BROKE_OFF = Words("DashScope broke off", "DashScope 连接中断")
LINK = Words("a link to {host}", "{host} 的链接")
CODE = Words("Code is shown on the screen.", "代码请看屏幕。")
TO = Words(" to ", "到")
AND = Words(" and ", "和")


def speaker_dashscope(model: str) -> Words:
    """Say that DashScope speaks, and why."""
    return Words(
        f"DashScope {model}, because DASHSCOPE_API_KEY is set; TTS_ENGINE=bundled is for offline voices.",
        f"DashScope 的 {model}，因为设置了 DASHSCOPE_API_KEY；设置 TTS_ENGINE=bundled 可改用离线语音。",
    )


def listener_dashscope(model: str) -> Words:
    """Say that DashScope listens, and why."""
    return Words(
        f"DashScope {model}, because DASHSCOPE_API_KEY is set; STT_BASE_URL names another service.",
        f"DashScope 的 {model}，因为设置了 DASHSCOPE_API_KEY；可通过 STT_BASE_URL 改用其他服务。",
    )


def no_voice(voice: str, voices: tuple[str, ...]) -> Words:
    """Say which voices there are."""
    names = ", ".join(voices)
    return Words(f"there is no voice {voice!r}, only {names}", f"没有音色 {voice!r}，可用：{names}")


def no_language(language: str) -> Words:
    """Say that a language is not known."""
    return Words(f"language {language!r} is not known", f"不支持语言 {language!r}")


NO_TRANSLATION = Words("this engine does not translate recordings", "该语音识别引擎不支持翻译")


def too_long(seconds: float) -> Words:
    """Name the longest recording."""
    return Words(f"at most {seconds / 60:g} minutes of sound", f"录音最长 {seconds / 60:g} 分钟")
