from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from settings import Settings
from tests.live_server import LiveServer
from tests.terminal.test_main import environment, run

LONELY = {"ocr_engine": "off", "tts_engine": "off", "web_search": "off"}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("keys")
    settings = Settings(data_dir=folder, api_keys="root,other", _env_file=None, **LONELY)  # type: ignore[arg-type]
    with LiveServer(settings) as live:
        yield live


def test_keys_are_made_listed_by_their_beginning_and_revoked(keyed: LiveServer, tmp_path: Path) -> None:
    env = environment(keyed.url, tmp_path, key="other")
    assert "no keys" in run("keys", env=env).stderr
    made = run("keys", "create", "my laptop", "--days", "30", "--calls", "9", env=env)
    key = made.stdout.strip()
    assert made.returncode == 0 and key.startswith("lcb_") and key.isascii() and "cannot be shown again" in made.stderr
    mine = environment(keyed.url, tmp_path, key=key, language="zh_CN.UTF-8")
    listed = run("keys", "list", env=mine)
    (line,) = listed.stdout.splitlines()
    key_id, begin, _, until, name = line.split(maxsplit=4)
    assert (begin, name) == (f"{key[:10]}…", "my laptop") and until[:2] == "20" and key not in listed.stdout
    assert "有效期" in listed.stderr
    with httpx.Client(base_url=keyed.url, headers={"authorization": f"Bearer {key}"}) as http:
        assert http.get("/api/v1/keys").json()[0]["quota"] == {"calls": 9}
    assert run("keys", "revoke", key_id, env=env).returncode == 0
    assert run("keys", env=mine).returncode == 1
    again = run("keys", "revoke", key_id, env=env)
    assert again.returncode == 1 and key_id in again.stderr


def test_an_administrator_makes_and_revokes_keys_of_others_and_nobody_else_does(
    keyed: LiveServer, tmp_path: Path
) -> None:
    root, other = environment(keyed.url, tmp_path, key="root"), environment(keyed.url, tmp_path, key="other")
    with httpx.Client(base_url=keyed.url, headers={"authorization": "Bearer root"}) as http:
        ann = http.post("/api/v1/admin/users", json={"name": "Ann"}).json()
        made = run("keys", "--user", "Ann", "create", "phone", env=root)
        key = made.stdout.strip()
        me = http.get("/api/v1/me", headers={"authorization": f"Bearer {key}"}).json()
    assert me["user_id"] == ann["id"]
    listed = run("keys", "--user", ann["id"], env=root).stdout.splitlines()
    assert [line.split()[-1] for line in listed] == ["first", "phone"]
    assert run("keys", "--user", "Ann", "revoke", listed[1].split()[0], env=root).returncode == 0
    assert len(run("keys", "--user", "Ann", env=root).stdout.splitlines()) == 1
    refused = run("keys", "--user", "Ann", env=other)
    assert refused.returncode == 1 and not refused.stdout
    assert "There is no user Bob" in run("keys", "--user", "Bob", env=root).stderr
