"""Every knob of the service, in one frozen class. `.env.example` lists exactly these.

Nothing is read at import: `create_app` and the langgraph entry points build one `Settings` and hand it down.
Precedence: an explicit argument, then the environment, then `.env`, then the default written here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.limits import Limits
from domain.sealing import LEAST_CHARACTERS, Keyring, keyring_of
from domain.words import Language

MiB = 1024 * 1024


class Settings(BaseSettings):
    """Configuration of one server process. Sizes are bytes, durations seconds, unless a name says otherwise."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    # serving
    host: str = Field("127.0.0.1", description="Address to bind. Anything but loopback needs API_KEYS.")
    port: int = Field(8000, ge=0, le=65535, description="Port to bind.")
    data_dir: Path = Field(Path(".data"), description="Folder that holds everything the server keeps.")
    encryption_key: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Encrypts what DATA_DIR holds, but vectors: a random text (openssl rand -hex 32). To replace it,"
        " put the new one before it, a comma between, stop the server, and run `llmchat rekey`.",
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Comma-separated API keys. Each key is one user; empty: one local user, loopback only."
    )
    admin_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Comma-separated keys of API_KEYS that administer the server; empty: the first of them."
    )
    public_url: str | None = Field(
        None, description="Address at which browsers reach this server, where it is not the one that requests name."
    )
    oidc_issuer: str | None = Field(
        None, description="OpenID Connect provider that people may sign in with, besides keys: its issuer URL."
    )
    oidc_client_id: str = Field("", description="This server's name at the provider, with OIDC_ISSUER.")
    oidc_client_secret: SecretStr | None = Field(None, description="Its secret there; empty for a public client.")
    oidc_scopes: str = Field("openid profile email", description="What is asked of the provider; openid is needed.")
    oidc_user_claim: str = Field(
        "sub", min_length=1, description="Claim that tells people apart. Only one that nobody can choose: not a name."
    )
    oidc_admin: str = Field(
        "", description="Claim and value that make an administrator: groups=llm-admins. Empty: administrators decide."
    )
    oidc_allowed_domains: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated domains of verified e-mail addresses that may sign in; empty: all."
    )
    oidc_groups_claim: str = Field("groups", description="Claim that holds the groups of OIDC_ALLOWED_GROUPS.")
    oidc_allowed_groups: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated groups of which one is needed to sign in; empty: none is."
    )
    oidc_session_seconds: int = Field(604_800, ge=60, description="How long a sign-in lasts.")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated origins whose pages may call the API from a browser."
    )
    daily_tokens: int = Field(0, ge=0, description="Tokens that a user may use a day (UTC); 0 means no limit.")
    daily_calls: int = Field(0, ge=0, description="Model and tool calls that a user may make a day; 0 means no limit.")
    daily_money: float = Field(
        0, ge=0, description="What a day of a user may cost, in the currency of MODEL_PRICES; 0 means no limit."
    )
    rate_limit_per_minute: int = Field(0, ge=0, description="Requests a minute and key; 0 means no limit.")
    attempts: Literal["off", "watch", "slow", "stop"] = Field(
        "watch",
        description="Attempts at what is not one's own (guessed keys, others' ids, refused calls): not counted; counted"
        " and told of; then also slowed down; then also stopped for 15 minutes.",
    )
    attempts_webhook: str | None = Field(
        None, description="URL that is told of such an event; needs CALLBACK_SECRET, which signs it."
    )
    callback_secret: SecretStr | None = Field(
        None, description="Signs the callbacks of background runs; empty: no callbacks."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_content: bool = Field(False, description="Log what users and models wrote. Off: ids, sizes and times only.")
    action_log_days: int = Field(400, ge=0, description="Days that the action log is kept; 0: for ever.")
    lang: str = Field(
        "",
        validation_alias=AliasChoices("lc_all", "lang"),
        description="Language of the start-up lines: Chinese with zh_*, else English. LC_ALL comes before LANG.",
    )

    # memory, on Redis
    redis_url: SecretStr | None = Field(
        None, description="redis://, rediss://, unix:// URL of Redis 8 or Redis Stack. Empty: the embedded Redis."
    )
    redis_host: str | None = Field(None, description="Redis host, when REDIS_URL is not given.")
    redis_port: int = Field(6379, ge=1, le=65535, description="Redis port, with REDIS_HOST.")
    redis_password: SecretStr | None = Field(None, description="Redis password, with REDIS_HOST.")
    thread_ttl: int = Field(3600, ge=60, description="Seconds a thread is remembered after its last use.")
    transcript_ttl: int = Field(
        0, ge=0, description="Seconds a conversation is kept after its last use, unless it is pinned. 0: until deleted."
    )
    model_titles: bool = Field(True, description="Let a hosted chat model name conversations after their first turn.")
    checkpoint_history: bool = Field(
        False, description="Keep every checkpoint of a thread, not the newest alone; Studio always does."
    )
    turn_timeout: float = Field(300, gt=0, description="Longest time one turn may take.")
    thread_wait: float = Field(60, ge=0, description="Longest wait of a turn for the one before it on its thread.")

    # documents
    database_url: SecretStr | None = Field(
        None, description="postgresql://user:password@host/name. Empty: SQLite, below DATA_DIR."
    )
    chroma_url: str | None = Field(None, description="URL of a Chroma server. Empty: embedded, below DATA_DIR.")
    chunk_tokens: int = Field(160, ge=32, le=2000, description="Most tokens of a chunk that is matched.")
    context_tokens_for_sources: int = Field(3000, ge=200, description="Most tokens of passages given to the model.")
    summary_threshold_tokens: int = Field(1500, ge=100, description="Documents longer than this get a summary.")

    # chat model
    llm_base_url: str | None = Field(None, description="Base URL of an OpenAI-compatible chat endpoint.")
    llm_api_key: SecretStr | None = Field(None, description="Key of that endpoint.")
    llm_model: str | None = Field(None, description="Model name at that endpoint.")
    llm_models: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated models of that endpoint that a conversation may choose instead."
    )
    llm_context_tokens: int = Field(32_000, ge=1024, description="Context window of the chat model in tokens.")
    llm_max_output_tokens: int = Field(2048, ge=16, description="Most tokens of one answer.")
    personas: dict[str, str] = Field(
        {}, description='Roles that callers may ask for by name, beyond the built-in ones: {"name": "instructions"}.'
    )
    llm_timeout: float = Field(60, gt=0, description="Longest silence of the chat endpoint.")
    llm_max_retries: int = Field(2, ge=0, le=10, description="Retries with backoff on 429 and 5xx.")
    llm_fallback_base_url: str | None = Field(None, description="Endpoint asked when the first one fails.")
    llm_fallback_api_key: SecretStr | None = Field(None, description="Key of the fallback endpoint.")
    llm_fallback_model: str | None = Field(None, description="Model at the fallback endpoint.")
    llm_extra_body: dict[str, object] = Field(
        default_factory=dict, description="JSON object merged into every chat request."
    )
    embedded_gguf: Path | None = Field(
        None, description="A GGUF chat model to run in a process of its own instead of the extractive one."
    )
    embedded_threads: int = Field(2, ge=1, description="Threads of the GGUF language model.")
    embedded_context_tokens: int = Field(8192, ge=1024, description="Context window allocated for EMBEDDED_GGUF.")

    # vision, embeddings, DashScope
    vision_base_url: str | None = Field(None, description="OpenAI-compatible endpoint of a vision model.")
    vision_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("vision_api_key", "vision_model_api_key"),
        description="Key of that endpoint. VISION_MODEL_API_KEY is the same.",
    )
    vision_model: str | None = Field(None, description="Vision model name.")
    embedding_base_url: str | None = Field(None, description="OpenAI-compatible endpoint of an embedding model.")
    embedding_api_key: SecretStr | None = Field(None, description="Key of that endpoint.")
    embedding_model: str | None = Field(None, description="Embedding model name.")
    embedding_dimensions: int | None = Field(None, ge=8, description="Dimensions to ask for, where supported.")
    embedding_batch: int = Field(10, ge=1, le=2048, description="Inputs of one embedding request.")
    rerank_base_url: str | None = Field(
        None,
        description="Endpoint whose /rerank orders search results (Jina, Cohere, vLLM, DashScope's compatible-api).",
    )
    rerank_api_key: SecretStr | None = Field(None, description="Key of that endpoint.")
    rerank_model: str | None = Field(None, description="Reranking model name.")
    rerank_timeout: float = Field(
        5, gt=0, description="Longest time for reranking one search, which else keeps its order."
    )
    dashscope_api_key: SecretStr | None = Field(
        None, description="DashScope key: alone it configures chat, vision, embeddings and speech."
    )
    dashscope_base_url: str = Field(
        "https://dashscope.aliyuncs.com/compatible-mode/v1", description="DashScope's OpenAI-compatible endpoint."
    )
    dashscope_http_url: str = Field("https://dashscope.aliyuncs.com/api/v1", description="DashScope's own HTTP API.")
    dashscope_websocket_url: str = Field(
        "wss://dashscope.aliyuncs.com/api-ws/v1/inference", description="DashScope's websocket API."
    )

    # OCR
    ocr_engine: Literal["auto", "onnxruntime", "paddle", "off"] = Field("auto", description="Engine under PaddleOCR.")
    ocr_models: Path | None = Field(None, description="Folder of PP-OCR models. Empty: built from the packages.")
    ocr_workers: int = Field(1, ge=1, description="OCR worker processes.")
    ocr_threads: int = Field(2, ge=1, description="Threads of each OCR worker.")
    ocr_queue: int = Field(64, ge=1, description="Most pictures and pages that wait for a worker.")
    ocr_timeout: float = Field(
        120, gt=0, description="Longest time of work for one picture or page; waiting for a processor does not count."
    )

    memory_extraction: Literal["model", "rules"] = Field(
        "model",
        description="What finds, after an answer, what users said of themselves: a hosted model, or rules alone.",
    )

    feedback_learning: bool = Field(
        True,
        description="Whether votes whose voter agreed to it may change how that user is answered, once a change has "
        "proved itself on others of their votes and, with a hosted model, on up to 4 of these questions answered again "
        "with it and without; shown and taken back at /api/v1/feedback/changes.",
    )

    # privacy
    pii: Literal["off", "mask", "block"] = Field(
        "off",
        description="Personal data that would leave for hosted services: off, mask (answers are restored), block.",
    )

    # sharing
    sharing: Literal["off", "on"] = Field("off", description="Let users share a conversation read-only by a link.")
    sharing_max_seconds: int = Field(2_592_000, ge=60, description="Longest time that such a link opens.")

    # tools
    tavily_api_key: SecretStr | None = Field(None, description="Tavily key for web search.")
    tavily_base_url: str | None = Field(None, description="Tavily endpoint, when it is not the public one.")
    web_search: Literal["auto", "tavily", "keyless", "off"] = Field(
        "auto", description="auto: Tavily with a key, else the keyless search library."
    )
    tools_file: Path = Field(
        Path("tools.yaml"), description="File that names sources of tools: MCP servers, OpenAPI documents, plugins."
    )
    admin_commands: Literal["auto", "on", "off"] = Field(
        "auto", description="Whether administrators may add tools that run a program; auto: only without API_KEYS."
    )
    tool_timeout: float = Field(20, gt=0, description="Longest time for one tool call.")
    budget: Limits = Field(
        Limits(calls=100, agents=6),
        description='Most that a request may use where it says nothing, as {"tokens": 50000}; also "seconds", "calls",'
        ' "money", "agents".',
    )
    budget_ceiling: Limits = Field(
        Limits(), description="Most that any request may use, whatever it asks for; keys as in BUDGET."
    )
    model_prices: dict[str, tuple[float, float]] = Field(
        {}, description='Prices of a million tokens read, and written: {"model": [0.4, 1.6]}.'
    )
    agent_timeout: float = Field(90, gt=0, description="Longest time one specialist may take.")
    agents_file: Path | None = Field(None, description="YAML file of further specialists, and of changes to ours.")
    tool_result_tokens: int = Field(
        4000, ge=500, description="Most tokens of one tool result in a prompt; the rest of it is read page by page."
    )
    max_tool_rounds: int = Field(4, ge=0, le=20, description="Most rounds of tool calls in a turn.")
    fetch_max_bytes: int = Field(5 * MiB, ge=1024, description="Largest page or picture fetched from a URL.")
    fetch_allow_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated host:port pairs that may be fetched although they are private."
    )

    when_waiting: Literal["reject", "refuse"] = Field(
        "reject",
        description="A message to a session that waits for an approval: reject it, or take it as a refusal first.",
    )
    permissions: tuple[dict[str, object], ...] = Field(
        (),
        description="Rules about tools, a JSON list: "
        '[{"tool": "mcp:github:*", "decision": "deny", "roles": ["user"]}]; decisions: allow, ask, deny (which wins).',
    )

    # speech
    tts_engine: Literal["auto", "dashscope", "bundled", "off"] = Field("auto", description="Who speaks.")
    tts_model: str = Field("cosyvoice-v3-flash", description="DashScope speech model.")
    tts_voice: str = Field("longanyang", description="DashScope voice.")
    tts_timeout: float = Field(60, gt=0, description="Longest time for one spoken passage.")
    stt_base_url: str | None = Field(None, description="OpenAI-compatible transcription endpoint.")
    stt_api_key: SecretStr | None = Field(None, description="Key of that endpoint.")
    stt_model: str | None = Field(None, description="Transcription model name.")
    stt_max_seconds: float = Field(3600, gt=0, description="Longest recording that is written down.")

    # limits, announced by /api/v1/health
    max_file_bytes: int = Field(50 * MiB, ge=1024, description="Largest single upload.")
    max_turn_bytes: int = Field(100 * MiB, ge=1024, description="Largest request body.")
    max_user_bytes: int = Field(10_240 * MiB, ge=0, description="Most bytes of stored files of one user; 0: no limit.")
    max_user_documents: int = Field(10_000, ge=0, description="Most stored files of one user; 0: no limit.")
    max_connections: int = Field(
        512, ge=0, description="Most open connections of one address; 0: no limit, for servers behind a proxy."
    )
    max_files: int = Field(20, ge=1, description="Most files and pictures of one turn.")
    max_pages: int = Field(2000, ge=1, description="Most pages of one document.")
    max_pixels: int = Field(50_000_000, ge=10_000, description="Most pixels of one picture.")
    max_message_chars: int = Field(200_000, ge=1, description="Longest message text.")
    reader_workers: int = Field(2, ge=1, description="Documents read at the same time.")
    reader_memory: int = Field(2048 * MiB, ge=256 * MiB, description="Address space of one reading process.")
    reader_seconds: float = Field(
        120,
        gt=0,
        description="Longest time of work that parsing one document may take; waiting for a processor does not count.",
    )
    reader_page_seconds: float = Field(
        10, gt=0, description="Longest computing time for one PDF page; four times that for formats read as a whole."
    )
    read_wait: float = Field(
        30, gt=0, description="Longest a turn waits for one file; after that it answers from the pages read so far."
    )
    max_text_chars: int = Field(10_000_000, ge=1000, description="Most text taken out of one document.")

    # observation
    otel_exporter_otlp_endpoint: str | None = Field(None, description="OTLP/HTTP collector; empty: no tracing.")
    otel_exporter_otlp_headers: SecretStr | None = Field(
        None, description="Headers of its requests, as name=value pairs with commas between."
    )
    otel_service_name: str = Field("llm-chat-backend", description="Name of this service in the traces.")

    @property
    def language(self) -> Language:
        """Language of what the process prints where it was started."""
        return "zh" if self.lang.lower().startswith("zh") else "en"

    @property
    def has_users(self) -> bool:
        """Whether callers must say who they are; else there is one local user."""
        return bool(self.oidc_issuer) or any(key.get_secret_value() for key in self.api_keys)

    @property
    def keyring(self) -> Keyring:
        """The keys of ENCRYPTION_KEY."""
        return keyring_of(tuple(key.get_secret_value() for key in self.encryption_key))

    @property
    def memory_keyring(self) -> Keyring:
        """The keys for what is in Redis: none for a Redis of the operator's own, which is not in DATA_DIR."""
        return keyring_of(()) if self.redis_url or self.redis_host else self.keyring

    @field_validator("encryption_key")
    @classmethod
    def _long_enough(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value()) < LEAST_CHARACTERS for key in keys):
            raise ValueError(f"a key has fewer than {LEAST_CHARACTERS} characters")
        return keys

    @field_validator(
        "api_keys", "admin_keys", "encryption_key", "cors_origins", "fetch_allow_hosts", "llm_models",
        "oidc_allowed_domains", "oidc_allowed_groups", mode="before",
    )  # fmt: skip
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value


def env_example() -> str:
    """Return the text of `.env.example`: every knob with its description and default, in the order of the class."""
    lines = [
        "# Every setting, with its default. Copy to .env and fill in what you want to change; nothing is needed.",
        "# 所有配置项及默认值。复制为 .env 后按需修改；不填也能直接运行。",
    ]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        written = json.dumps(default) if isinstance(default, dict) else str(default)
        shown = "" if default in (None, (), {}) else written
        lines += [
            "",
            f"# {field.description}",
            f"{name.upper()}={shown}" if name in KEYS else f"# {name.upper()}={shown}",
        ]
    return "\n".join(lines) + "\n"


KEYS = ("llm_api_key", "vision_api_key", "dashscope_api_key", "tavily_api_key")
"""The settings that most people fill in; they stand uncommented in `.env.example`."""
