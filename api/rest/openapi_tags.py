"""The chapters of `/docs`, in reading order."""

from __future__ import annotations

TAGS = [
    {"name": name, "description": description}
    for name, description in (
        ("chat", "Ask, with or without files; as JSON or as a stream. 提问，可附文件；以 JSON 或事件流回答。"),
        ("runs", "Turns that live apart from the connection. 独立于连接的运行：后台启动、查询、续接、停止。"),
        ("sessions", "Conversations and their transcripts. 会话及其完整记录。"),
        ("documents", "Files: uploaded, read, searched, deleted. 文件：上传、阅读、检索、删除。"),
        ("tools", "What the model may call, and the roles it can take. 模型可以调用的工具与可用角色。"),
        ("speech", "Text to speech and back. 语音合成与识别。"),
        ("operation", "Health and metrics. 健康状态与指标。"),
        ("openai", "The API of OpenAI, for its clients. 与 OpenAI 客户端兼容的接口。"),
        ("agent", "The graph by LangServe, for `RemoteRunnable`. 由 LangServe 提供的图。"),
        ("agent/tokens", "The same, token by token. 同上，逐词输出。"),
        ("agent/config", "The same, with the configuration in the path. 同上，配置写在路径中。"),
    )
]
