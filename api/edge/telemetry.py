"""OpenTelemetry traces of turns, by the semantic conventions for generative AI, sent by OTLP over HTTP.

Imported only when OTEL_EXPORTER_OTLP_ENDPOINT is set: without it nothing is attached and nothing is paid. One trace a
turn: `invoke_agent`; below it a span a node; below these `chat` (model calls), `execute_tool`, `retrieval`, `ingest`.
What users and models wrote is recorded with LOG_CONTENT alone.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, cast

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode, Tracer
from opentelemetry.util.re import parse_env_headers

from api.edge.telemetry_spans import CONTENT_CHARS, TurnHandler, fail, present
from privacy.outbound import wanted_privacy

if TYPE_CHECKING:
    from domain.owner import Owner
    from domain.types import Attachment, AttachmentRef, Source
    from graph.builder import Graph
    from ingestion.pipeline import Ingestion
    from settings import Settings
    from stores.library.documents import Documents
    from tools.interface import Caller, ToolOutcome
    from tools.registry import ToolRegistry
    from turn.context import Context, Services

EXPORT_SECONDS = 5
"""Longest time of one export: a collector that is down must not hold up the end of the server."""


class Telemetry:
    """Makes the spans of one process."""

    def __init__(self, tracer: Tracer, *, content: bool) -> None:
        self.tracer, self._content = tracer, content

    def tells(self, *, temporary: bool) -> bool:
        """Tell whether what is written may be in the spans: not where personal data must not leave."""
        return self._content and not temporary and wanted_privacy.get() == "off"

    def graph(self, graph: Graph) -> Graph:
        """Return the graph; each of its turns is traced."""
        return cast("Graph", _TracedGraph(graph, self))

    def services(self, services: Services) -> Services:
        """Return the services; tools, retrieval and ingestion are traced."""
        return dataclasses.replace(
            services,
            tools=cast("ToolRegistry", _TracedTools(services.tools, self)),
            documents=cast("Documents", _TracedDocuments(services.documents, self)),
            ingestion=cast("Ingestion", _TracedIngestion(services.ingestion, self)),
        )

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Any]) -> Iterator[Span]:
        """Make a span below the one that the calling task is in."""
        with self.tracer.start_as_current_span(
            name, attributes=present(attributes), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as exc:
                fail(span, exc)
                raise


@asynccontextmanager
async def open_telemetry(settings: Settings) -> AsyncIterator[Telemetry]:
    """Export spans to the collector of `settings` until the end; what is left is sent then."""
    endpoint = str(settings.otel_exporter_otlp_endpoint).rstrip("/")
    sent = settings.otel_exporter_otlp_headers
    headers = parse_env_headers(sent.get_secret_value(), liberal=True) if sent else None
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", headers=headers, timeout=EXPORT_SECONDS)
    provider = TracerProvider(resource=Resource.create({"service.name": settings.otel_service_name}))
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    try:
        yield Telemetry(provider.get_tracer("llm-chat-backend"), content=settings.log_content and settings.pii == "off")
    finally:
        await asyncio.to_thread(provider.shutdown)


class _TracedGraph:
    """A graph whose turns are spans."""

    def __init__(self, graph: Graph, telemetry: Telemetry) -> None:
        self._graph, self._telemetry = graph, telemetry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)

    async def astream(
        self, given: Any, config: RunnableConfig, *, context: Context, **options: Any
    ) -> AsyncIterator[Any]:
        """Stream a turn below its span."""
        span = self._telemetry.tracer.start_span(
            "invoke_agent agent",
            attributes=present({
                "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "agent",
                "gen_ai.conversation.id": context.thread_id, "session.id": context.thread_id,
                "user.id": context.user_id, "llmchat.run.id": context.run_id,
            }),
        )  # fmt: skip
        handler = TurnHandler(self._telemetry.tracer, span, content=self._telemetry.tells(temporary=context.temporary))
        traced = merge_configs(config, {"callbacks": [handler]})
        stream = self._graph.astream(given, traced, context=context, **options)
        try:
            async with aclosing(cast(Any, stream)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except BaseException as exc:
            fail(span, exc)
            raise
        finally:
            handler.close()


class _Traced:
    """A service; calls that are not traced are passed on."""

    def __init__(self, service: Any, telemetry: Telemetry) -> None:
        self._service, self._telemetry = service, telemetry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)


class _TracedTools(_Traced):
    async def call(
        self, name: str, arguments: Mapping[str, object], caller: Caller, *, refused: bool = False
    ) -> ToolOutcome:
        """Run a tool below a span."""
        with self._telemetry.span(
            f"execute_tool {name}",
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": name,
                "gen_ai.tool.type": "function",
                "gen_ai.tool.call.id": caller.call_id,
            },  # fmt: skip
        ) as span:
            outcome: ToolOutcome = await self._service.call(name, arguments, caller, refused=refused)
            run = outcome.run
            span.set_attributes(present({
                "llmchat.tool.status": run["status"], "llmchat.tool.cached": run["cached"],
                "llmchat.tool.age": run.get("age"), "llmchat.tool.result_id": run.get("result_id"),
            }))  # fmt: skip
            if run["status"] in ("error", "unknown"):
                span.set_attribute("error.type", outcome.code or "tool_error")
                span.set_status(Status(StatusCode.ERROR, outcome.code or "tool_error"))
            if self._telemetry.tells(temporary=caller.owner.temporary):
                span.set_attribute("gen_ai.tool.call.arguments", json.dumps(arguments, ensure_ascii=False, default=str))
                span.set_attribute("gen_ai.tool.call.result", outcome.text[:CONTENT_CHARS])
            return outcome


class _TracedDocuments(_Traced):
    async def sources(self, query: str, owner: Owner, **options: Any) -> list[Source]:
        """Find passages below a span."""
        with self._span("passages", query, owner) as span:
            found: list[Source] = await self._service.sources(query, owner, **options)
            self._found(span, found)
            return found

    async def search(self, query: str, owner: Owner, **options: Any) -> list[Any]:
        """Find chunks below a span."""
        with self._span("chunks", query, owner) as span:
            found: list[Any] = await self._service.search(query, owner, **options)
            self._found(span, found)
            return found

    def _span(self, what: str, query: str, owner: Owner) -> Any:
        text = query[:CONTENT_CHARS] if self._telemetry.tells(temporary=owner.temporary) else None
        attributes = {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "documents"}
        return self._telemetry.span(f"retrieval {what}", {**attributes, "gen_ai.retrieval.query.text": text})

    @staticmethod
    def _found(span: Span, found: Sequence[Mapping[str, Any]]) -> None:
        told = [{"id": item.get("document_id"), "score": item.get("score")} for item in found]
        span.set_attribute("gen_ai.retrieval.documents", json.dumps(told))
        span.set_attribute("llmchat.retrieval.count", len(found))


class _TracedIngestion(_Traced):
    async def read_document(self, ref: AttachmentRef, owner: Owner, **options: Any) -> Attachment:
        """Read a document below a span."""
        return await self._read("read_document", ref, owner, options)

    async def read_picture(self, ref: AttachmentRef, owner: Owner, **options: Any) -> Attachment:
        """Read a picture below a span."""
        return await self._read("read_picture", ref, owner, options)

    async def _read(self, method: str, ref: AttachmentRef, owner: Owner, options: dict[str, Any]) -> Attachment:
        known = {f"llmchat.document.{name}": ref[name] for name in ("id", "media_type", "size")}
        with self._telemetry.span(f"ingest {ref['kind']}", known) as span:
            read: Attachment = await getattr(self._service, method)(ref, owner, **options)
            pages = {"pages_total": read.get("pages_total"), "pages_done": read.get("pages_done")}
            span.set_attributes(present({f"llmchat.document.{name}": value for name, value in pages.items()}))
            span.set_attribute("llmchat.document.status", read["status"])
            if read["status"] == "failed":
                span.set_attribute("error.type", read["error"]["code"])
                span.set_status(Status(StatusCode.ERROR, read["error"]["code"]))
            return read
