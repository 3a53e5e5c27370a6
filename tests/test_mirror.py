"""Tests lie as the product does: a folder for each room, a file for each large module or one that reaches it."""

from __future__ import annotations

import re

from tests.test_architecture import ROOT, modules

LARGE = 80
THROUGH = {
    "agents/test_crew": "agents.interface",
    "agents/test_analyst": "agents.subgraph",
    "api/test_approvals": "api.runs.pause turn.approval",
    "api/test_chat": "api.rest.turn_bodies api.schemas api.edge.failures api.runs.request api.runs.progress",
    "api/test_documents": "api.runs.uploads api.edge.forms ingestion.page_views",
    "api/test_langserve": "api.langserve.mount api.langserve.schemas",
    "api/test_mcp": "api.mcp.protocol api.mcp.calls",
    "api/test_middleware": "api.rest.openapi",
    "api/test_personas": "turn.variables",
    "api/test_openai": "api.openai.completions api.openai.history api.openai.wire api.openai.files",
    "api/test_responses_openai": "api.openai.responses api.openai.response_bodies api.openai.response_input "
    "api.openai.response_writer api.openai.stored_responses",
    "api/test_people": "turn.profile",
    "api/test_runs": "api.runs.stream api.runs.runner api.runs.record api.runs.run api.runs.log",
    "api/test_sign_in": "net.oidc",
    "api/test_speech": "api.openai.audio",
    "api/test_telemetry": "api.edge.telemetry_spans",
    "ingestion/test_pipeline": "ingestion.reading ingestion.indexing",
    "ingestion/test_summaries": "domain.summary",
    "models/extractive/test_answer": "models.chat.extractive.files domain.clauses domain.units",
    "models/test_ocr_pool": "models.ocr.recognizer models.ocr.worker",
    "models/test_quirks": "models.chat.answer_reader models.chat.call_chunks models.chat.concessions "
    "models.chat.text_calls",
    "models/test_speech_bundled": "models.speech.kokoro",
    "privacy/test_outbound": "models.chat.restored privacy.texts",
    "nodes/test_detect_modality": "turn.intake",
    "nodes/test_remember": "turn.remembering",
    "nodes/test_verify_citations": "turn.citation_check",
    "readers/test_docx": "readers.office.docx_body readers.office.docx_numbers readers.office.numerals "
    "readers.office.charts readers.office.package",
    "readers/test_encodings": "readers.text.likelihood",
    "readers/test_hidden": "readers.pdf.unseen readers.office.docx_unseen readers.office.pptx_unseen "
    "readers.office.sheet_unseen readers.office.odt_unseen readers.office.rtf_unseen readers.text.unseen",
    "readers/test_hidden_binary": "readers.office.doc_unseen readers.office.doc_properties readers.office.xls_unseen "
    "readers.office.xlsb_unseen",
    "readers/test_html": "readers.text.page_parts",
    "readers/test_odt": "readers.office.odt_numbers",
    "readers/test_pdf": "readers.pdf.layout readers.pdf.lines readers.pdf.markdown readers.pdf.tables",
    "readers/test_reader": "readers.office.doc readers.office.odt readers.office.pptx readers.office.rtf "
    "readers.office.sheets readers.text.eml readers.text.notebook readers.text.epub readers.archive readers.sections "
    "readers.text.json",
    "readers/test_sheets": "readers.text.csv readers.office.sheet_xml readers.office.ods_notes",
    "stores/conversations/test_conversations": "stores.conversations.tree stores.conversations.search "
    "stores.conversations.writing",
    "stores/library/test_documents": "stores.library.search stores.library.contents stores.library.records "
    "stores.library.backlog",
    "stores/library/test_upgrade": "stores.sql.migrations.r0001_documents",
    "stores/memories/test_memories": "stores.memories.rows",
    "stores/test_checkpoints": "stores.redis.checkpoint_scripts",
    "stores/test_events": "stores.redis.signals stores.redis.event_scripts",
    "terminal/test_main": "terminal.conversation",
    "tools/test_calculate": "domain.arithmetic",
    "tools/test_query_table": "stores.library.table_store stores.library.table_database",
    "tools/test_selection": "models.embeddings.typical_requests",
    "tools/test_runner": "tools.calling tools.outcomes tools.long_results stores.redis.effects stores.redis.tool_cache",
    "tools/sources/test_mcp_server": "tools.sources.mcp_results",
    "tools/sources/test_sources": "tools.sources.approval tools.sources.config tools.sources.openapi_service "
    "tools.sources.plugins tools.sources.remote_tool stores.tool_sources",
    "tools/test_web_search": "tools.search_providers",
    "workers/test_sandbox": "workers.zygote",
}
"""Large modules that no test names, by the test that reaches them through the door of their room."""


def test_each_room_has_its_folder_of_tests() -> None:
    rooms = {name.split(".")[0] for name in modules() if name.endswith(".__init__")}
    assert not [room for room in sorted(rooms) if not list((ROOT / "tests" / room).rglob("test_*.py"))]


def test_each_large_module_has_a_test() -> None:
    files = {path.relative_to(ROOT / "tests").with_suffix("").as_posix(): path for path in ROOT.glob("tests/**/*.py")}
    stems = {name.rpartition("/")[2].removeprefix("test_") for name in files if "/test_" in name}
    text = "\n".join(path.read_text("utf-8") for path in files.values())
    named = set(re.findall(r"^from ([\w.]+) import", text, re.M))
    for package, names in re.findall(r"^from ([\w.]+) import ([\w, ]+)", text, re.M):
        named |= {f"{package}.{name.split(' as ')[0].strip()}" for name in names.split(",")}
    through = {name for names in THROUGH.values() for name in names.split()}
    large = {name for name, path in modules().items() if len(path.read_text("utf-8").splitlines()) > LARGE}
    untested = {name for name in large - named if name.rpartition(".")[2] not in stems}
    assert untested - through == set(), "write a test of its name, or say in THROUGH which test reaches it"
    assert through <= modules().keys() and THROUGH.keys() <= files.keys(), "THROUGH names what is not there"
