from __future__ import annotations

from pathlib import Path

import pytest

from settings import Settings
from tests.tools.sources.conftest import ROOT
from tools.sources.config import BadSource, SourceConfig, read_tools_file


def test_the_example_is_as_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t-1")
    found = read_tools_file(ROOT / "tools.example.yaml")
    assert list(found.sources) == ["files", "time", "github", "shop"] and found.plugin_wanted("any")
    assert found.sources["files"].program[:2] == ["npx", "-y"] and found.sources["time"].program[0] == "uvx"
    assert found.sources["files"].wants("read_text_file") and not found.sources["files"].wants("write_file")
    github = found.sources["github"].filled(own_settings=True)
    assert github.headers == {"Authorization": "Bearer t-1"} and found.sources["github"].kind == "mcp"
    with pytest.raises(BadSource, match="SHOP_KEY"):
        found.sources["shop"].filled(own_settings=True)
    assert read_tools_file(ROOT / "no-such.yaml").sources == {}


def test_references_are_filled_from_the_env_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("TALK_KEY=from-file\nLLM_API_KEY=ours\n")
    monkeypatch.setitem(Settings.model_config, "env_file", str(tmp_path / ".env"))
    source = SourceConfig(url="https://a.example/mcp", headers={"A": "${TALK_KEY}", "B": "literal"})
    assert source.filled(own_settings=False).headers == {"A": "from-file", "B": "literal"}
    assert source.shown()["headers"] == {"A": "${TALK_KEY}", "B": "***"}
    ours = SourceConfig(url="https://a.example/mcp?k=${LLM_API_KEY}")
    assert str(ours.filled(own_settings=True).url).endswith("k=ours")
    with pytest.raises(BadSource, match="setting of this service"):
        ours.filled(own_settings=False)
