from __future__ import annotations

from typing import Any

import pytest

from domain.errors import NoSuchPersona, PersonaExists, TooManyPersonas
from stores.people import personas as module
from stores.people.personas import Persona, Personas
from stores.sql.database import Database


def written(name: str, user: str = "ann", **more: Any) -> Persona:
    return Persona(user_id=user, name=name, prompt=f"You are {name}.", **more)


async def test_each_user_has_their_own_and_sees_what_others_share(database: Database) -> None:
    personas = Personas(database)
    poet = await personas.add(written("诗人", tools=["web_*"], memory="own"))
    everybodys = await personas.add(written("Coach", shared=True))
    bobs = await personas.add(written("Coach", user="bob"))
    assert [one.name for one in await personas.all("ann")] == ["Coach", "诗人"]
    assert [one.id for one in await personas.all("bob")] == [bobs.id, everybodys.id], "one's own come first"
    assert await personas.get("ann", poet.id) == poet and await personas.get("bob", everybodys.id) == everybodys
    assert await personas.named("bob", "Coach") == bobs and await personas.named("cy", "Coach") == everybodys
    assert await personas.named("bob", everybodys.id) == everybodys and await personas.named("bob", "诗人") is None
    for refused in (
        personas.get("bob", poet.id),
        personas.change("bob", everybodys.id, name="mine"),
        personas.remove("bob", everybodys.id),
    ):
        with pytest.raises(NoSuchPersona):
            await refused


async def test_names_are_unique_for_their_owner_and_numbered_where_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    personas = Personas(database)
    first = await personas.add(written("Poet"))
    other = await personas.add(written("Editor"))
    for refused in (personas.add(written("Poet")), personas.change("ann", other.id, name="Poet")):
        with pytest.raises(PersonaExists):
            await refused
    assert (await personas.change("ann", first.id, name="Poet", tools=[])).tools == []
    assert (await personas.change("ann", first.id, tools=None)).tools is None
    assert (await personas.add(written("Poet"), renamed=True)).name == "Poet (2)"
    monkeypatch.setattr(module, "MOST_PERSONAS", 3)
    with pytest.raises(TooManyPersonas):
        await personas.add(written("One more"))


async def test_what_is_a_users_is_handed_out_and_forgotten(database: Database) -> None:
    personas = Personas(database)
    await personas.add(written("Poet"))
    await personas.add(written("Shared", shared=True))
    await personas.add(written("Other", user="bob", shared=True))
    ((name, kept),) = [file async for file in personas.export("ann")]
    assert (name, [one["name"] for one in kept]) == ("personas.json", ["Poet", "Shared"])
    assert await personas.forget("ann") == {"personas": 2} and await personas.forget("ann") == {"personas": 0}
    assert [one.name for one in await personas.all("ann")] == ["Other"]
