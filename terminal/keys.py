"""`llmchat keys`: the API keys of the caller, and for administrators those of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import quote

import typer

from terminal.client import Client, Failed
from terminal.screen import Screen
from terminal.texts import SERVER, say

keys = typer.Typer(help=say("keys"), invoke_without_command=True, pretty_exceptions_enable=False)


class Keys:
    """The keys of one user of a server."""

    def __init__(self, client: Client, user: str) -> None:
        """Bind to the user named by id or name; empty: the caller."""
        self._client = client
        self._user = _found(_list(client, "/admin/users"), user) if user else None
        self._path = f"/admin/users/{quote(self._user['id'], safe='')}/keys" if self._user else "/keys"

    def all(self) -> list[dict[str, Any]]:
        """Return the keys, oldest first."""
        return list(self._user["keys"]) if self._user else _list(self._client, self._path)

    def create(self, name: str, days: int, quota: dict[str, float]) -> str:
        """Make a key and return it."""
        body = {"name": name, "days": days, "quota": quota or None}
        made: dict[str, Any] = self._client.call("POST", self._path, json=body)
        return str(made["key"])

    def revoke(self, key_id: str) -> None:
        """Revoke a key."""
        self._client.open("DELETE", f"{self._path}/{quote(key_id, safe='')}").close()


def _list(client: Client, path: str) -> list[dict[str, Any]]:
    body: Any = client.call("GET", path)
    return list(body)


def _found(users: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    found = [one for one in users if one["id"] == wanted] or [one for one in users if one["name"] == wanted]
    if len(found) != 1:
        raise Failed(say("several_users" if found else "no_user", name=wanted), say("name_user"))
    return found[0]


@keys.callback()
def given(
    ctx: typer.Context,
    user: Annotated[str, typer.Option(help=say("user_help"))] = "",
    server: Annotated[str, typer.Option(envvar="LLMCHAT_SERVER", help=say("server_help"))] = SERVER,
    key: Annotated[str, typer.Option(envvar="LLMCHAT_KEY", show_envvar=True, help=say("key_help"))] = "",
) -> None:
    """Keep whose keys are meant; without a further command, list them."""
    ctx.obj = (server, key, user)
    if ctx.invoked_subcommand is None:
        show(ctx)


@keys.command("list", help=say("keys_list"))
def show(ctx: typer.Context) -> None:
    """List the keys, of which only the beginning can be seen."""
    with _keys(ctx) as (mine, screen):
        listed = mine.all()
        for one in listed:
            until = one["expires_at"][:10] or "-"
            screen.say(f"{one['id']}  {one['prefix']}…  {one['created_at'][:10]}  {until:10}  {one['name']}")
        screen.note(say("keys_columns") if listed else say("no_keys"))


@keys.command(help=say("keys_create"))
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=say("key_name_help"))],
    days: Annotated[int, typer.Option(min=0, max=3650, help=say("days_help"))] = 0,
    calls: Annotated[int, typer.Option(min=0, help=say("calls_help"))] = 0,
    tokens: Annotated[int, typer.Option(min=0, help=say("tokens_help"))] = 0,
    money: Annotated[float, typer.Option(min=0, help=say("money_help"))] = 0,
) -> None:
    """Make a key; it alone goes to standard output, so that a script can take it."""
    quota = {name: most for name, most in (("calls", calls), ("tokens", tokens), ("money", money)) if most}
    with _keys(ctx) as (mine, screen):
        screen.say(mine.create(name, days, quota))
        screen.note(say("key_once"))


@keys.command(help=say("keys_revoke"))
def revoke(ctx: typer.Context, key_id: Annotated[str, typer.Argument(help=say("key_id_help"))]) -> None:
    """Revoke a key by its id, which the list shows."""
    with _keys(ctx) as (mine, screen):
        mine.revoke(key_id)
        screen.note(say("key_revoked"))


@contextmanager
def _keys(ctx: typer.Context) -> Iterator[tuple[Keys, Screen]]:
    """Yield the keys that are meant; a failure is told of and ends the command with 1."""
    server, key, user = ctx.obj
    screen = Screen(stream=False, as_json=False)
    try:
        yield Keys(Client(server, key), user), screen
    except Failed as failed:
        screen.failure(failed)
        raise typer.Exit(1) from failed
