"""Two tools that change something elsewhere, for `bench.effects`: loaded by its server as the plugin of a package."""

from __future__ import annotations

import os

import httpx
from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime

from domain.words import Words
from tools.interface import ToolContext, ToolSpec


@tool
async def send_notice(text: str) -> str:
    """Send a notice to the tenants.

    Args:
        text: The notice.
    """
    return await _post("/notices", text, "")


@tool
async def pay_bill(text: str, runtime: ToolRuntime[ToolContext]) -> str:
    """Pay a bill.

    Args:
        text: The bill.
        runtime: Who asks.
    """
    return await _post("/payments", text, runtime.context.idempotency_key)


async def _post(path: str, text: str, key: str) -> str:
    async with httpx.AsyncClient(base_url=os.environ["EFFECTS_URL"], timeout=30) as client:
        response = await client.post(path, json={"text": text, "key": key})
        response.raise_for_status()
        return response.text


SPECS = [
    ToolSpec(tool=send_notice, title=Words("Send a notice", "发送通知"), permission="write", timeout=15),
    ToolSpec(
        tool=pay_bill, title=Words("Pay a bill", "支付账单"), permission="write", timeout=15, takes_idempotency_key=True
    ),
]
