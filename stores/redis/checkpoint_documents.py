"""What is stored of a checkpoint, and the configs that name one."""

from __future__ import annotations

import base64
import time

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata
from langgraph.checkpoint.redis.util import to_storage_safe_id, to_storage_safe_str

from domain.sealing import Keyring
from stores.redis.serde import dumps, encode

SEALED = "__sealed__"
"""Stands for the values of all channels where they are encrypted."""


def document_of(
    config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, parent: str, keyring: Keyring
) -> bytes:
    """Return the document in the layout of `AsyncRedisSaver`; with a key, what the channels hold is encrypted."""
    values = encode(checkpoint["channel_values"])
    if keyring:
        values = {SEALED: base64.b64encode(keyring.seal(dumps(values))).decode()}
    thread_id, ns = place_of(config)
    run_id = config["configurable"].get("run_id") or metadata.get("run_id") or ""
    stored = {
        **checkpoint,
        "type": "json",
        "channel_values": values,
        "channel_versions": {name: str(version) for name, version in checkpoint["channel_versions"].items()},
        "pending_sends": [],
    }
    document = {
        "thread_id": to_storage_safe_id(thread_id),
        "run_id": str(run_id),
        "checkpoint_ns": to_storage_safe_str(ns),
        "checkpoint_id": checkpoint["id"],
        "parent_checkpoint_id": parent,
        "checkpoint_ts": time.time() * 1000,
        "checkpoint": stored,
        "metadata": dumps(encode(dict(metadata))).decode().replace("\\u0000", ""),
        "has_writes": False,
    }
    return dumps(document | {name: metadata[name] for name in ("source", "step") if name in metadata})


def place_of(config: RunnableConfig) -> tuple[str, str]:
    """Return thread and namespace that a config names."""
    return str(config["configurable"]["thread_id"]), config["configurable"].get("checkpoint_ns", "")


def config_of(thread_id: str, ns: str, checkpoint_id: str) -> RunnableConfig:
    """Return the config that names a checkpoint."""
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}}
