"""The caller, and for administrators everybody: users, keys, usage, profile. Nobody's content is among it."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from api.backend import AdminDep, Backend, BackendDep, UserDep
from api.edge.keys import is_admin, user_of_key
from api.edge.responses import json_response
from api.rest.receipts import receipt
from api.runs.deletion import delete_user as delete_everything
from api.schemas import ERRORS, Receipt
from domain.errors import BadInput, KeyIsLimited, UnknownUser
from domain.limits import Limits
from domain.owner import Owner
from domain.times import iso_time
from domain.words import Words
from stores.people.usage import Day
from stores.people.users import ApiKey, Role, User, comes_with_limited_key

router = APIRouter(prefix="/api/v1", tags=["people"])
Name = Annotated[str, Field(min_length=1, max_length=100)]
DAY_SECONDS = 86_400
NOTHING = Day(day="", turns=0, tokens=0, calls=0, money=0.0)


class Me(TypedDict):
    """The caller, and what today has used."""

    user_id: str
    name: str
    role: Role
    signed_in: bool
    """Whether a browser's session says so, not a key."""
    today: Day


class ShownKey(TypedDict):
    """A key, of which only the beginning can be seen; `expires_at` is empty for never.

    `quota` is what a day may use with it, within what the user may; `today` what was used.
    """

    id: str
    name: str
    prefix: str
    created_at: str
    expires_at: str
    quota: Limits | None
    today: Day


class MadeKey(ShownKey):
    """A new key: `key` is shown this once."""

    key: str


class NewKey(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    days: int = Field(0, ge=0, le=3650, description="Days after which it stops working; 0: when it is revoked.")
    quota: Limits | None = Field(
        None,
        description="What a day may use with it (tokens, calls, money); it then makes no keys and administers nothing.",
    )


class ShownUser(TypedDict):
    """A user as administrators see them."""

    id: str
    name: str
    role: Role
    disabled: bool
    of_settings: bool
    """Whether API_KEYS names them: ADMIN_KEYS decides on the role, and nobody but the settings keeps them out."""
    created_at: str
    quota: Limits | None
    keys: list[ShownKey]
    today: Day


class MadeUser(ShownUser):
    """A new user: `key` is the first one, shown this once."""

    key: str


class NewUser(BaseModel):
    """A user to be made, with a first key."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    role: Role = "user"
    quota: Limits | None = Field(
        None, description="What a day may use (tokens, calls, money); null: as the settings say."
    )


class ChangedUser(BaseModel):
    """What is to change of a user; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    role: Role | None = None
    disabled: bool | None = None
    quota: Limits | None = None


class Policy(TypedDict):
    """What holds for everybody by the settings; a limit of 0, or one that is left out, is none."""

    daily: Limits
    rate_limit_per_minute: int
    budget: Limits
    budget_ceiling: Limits
    permissions: list[dict[str, Any]]


@router.get("/me", response_model=Me, responses=ERRORS)
async def get_me(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Return who the caller is."""
    try:
        name = (await backend.services.users.get(user)).name
    except UnknownUser:  # one of the settings
        name = ""
    today = await backend.services.usage.today(user)
    signed_in = hasattr(request.state, "session")
    return json_response(Me(user_id=user, name=name, role=request.state.role, signed_in=signed_in, today=today))


@router.get("/usage", response_model=list[Day], responses=ERRORS)
async def get_usage(
    backend: BackendDep,
    user: UserDep,
    days: Annotated[int, Query(ge=1, le=366)] = 30,
    key: Annotated[str | None, Query(max_length=100, description="With this key alone, by its id.")] = None,
) -> Response:
    """Return what the caller used, day by day (UTC), newest first."""
    return json_response(await backend.services.usage.days(user, days, key))


@router.get("/keys", response_model=list[ShownKey], responses=ERRORS)
async def list_keys(backend: BackendDep, user: UserDep) -> Response:
    """List the caller's keys, but not those of the settings."""
    today = await backend.services.usage.keys()
    return json_response([_key(key, today) for key in await backend.services.users.keys(user)])


@router.post("/keys", status_code=201, response_model=MadeKey, responses=ERRORS)
async def add_key(body: NewKey, backend: BackendDep, user: UserDep) -> Response:
    """Make a further key of the caller, who keeps their data when another one is revoked."""
    return json_response(await _made_key(backend, user, user, body), 201)


@router.delete("/keys/{key_id}", status_code=204, responses=ERRORS)
async def revoke_key(key_id: str, backend: BackendDep, user: UserDep) -> None:
    """Revoke one of the caller's keys."""
    await _revoke(backend, user, user, key_id)


@router.get("/admin/users", response_model=list[ShownUser], responses=ERRORS)
async def list_users(backend: BackendDep, admin: AdminDep) -> Response:
    """List the users, those of API_KEYS too, with their keys and what today has used; what they wrote is not in it."""
    today, users = await _today(backend), backend.services.users
    listed = await users.all()
    known = {one.id for one in listed}
    named = [*_of_settings(backend), *await users.with_keys_alone()]
    listed += [User(id=user_id, name="") for user_id in dict.fromkeys(named) if user_id not in known]
    return json_response([await _user(backend, one, today) for one in listed])


@router.post("/admin/users", status_code=201, response_model=MadeUser, responses=ERRORS)
async def add_user(body: NewUser, backend: BackendDep, admin: AdminDep) -> Response:
    """Make a user and their first key, which is shown this once."""
    _check_keys_needed(backend)
    made = await backend.services.users.add(body.name, body.role, _quota(body.quota))
    await _logged(backend, admin, "user made", user=made.id, role=made.role)
    key = await _made_key(backend, admin, made.id, NewKey(name="first", days=0))
    return json_response(MadeUser(**await _user(backend, made, Today({}, {})), key=key["key"]), 201)


@router.patch("/admin/users/{user_id}", response_model=ShownUser, responses=ERRORS)
async def change_user(user_id: str, body: ChangedUser, backend: BackendDep, admin: AdminDep) -> Response:
    """Change a user's name, role or quota, or keep them out."""
    changes: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "quota" in changes:
        changes["quota"] = _quota(changes["quota"])
    if any(value is None for name, value in changes.items() if name != "quota"):
        raise BadInput(reason=Words("a value is null", "有字段为 null"))
    if user_id in _of_settings(backend):
        if {"role", "disabled"} & changes.keys():
            reason = Words("API_KEYS and ADMIN_KEYS say so of this user", "该用户由 API_KEYS 和 ADMIN_KEYS 决定")
            raise BadInput(reason=reason)
        try:
            await backend.services.users.get(user_id)
        except UnknownUser:
            await backend.services.users.adopt(user_id)
    changed = await backend.services.users.change(user_id, **changes)
    await _logged(backend, admin, "user changed", user=user_id, fields=sorted(changes))
    return json_response(await _user(backend, changed, await _today(backend)))


@router.delete("/admin/users/{user_id}", response_model=Receipt, responses=ERRORS)
async def delete_user(user_id: str, backend: BackendDep, admin: AdminDep) -> Response:
    """Delete a user with their keys and everything that is kept of them; the receipt counts what went."""
    await backend.services.users.get(user_id)
    await backend.services.users.remove(user_id)
    await _logged(backend, admin, "user deleted", user=user_id)
    return json_response(receipt(await delete_everything(backend, user_id)))


@router.post("/admin/users/{user_id}/keys", status_code=201, response_model=MadeKey, responses=ERRORS)
async def add_key_of(user_id: str, body: NewKey, backend: BackendDep, admin: AdminDep) -> Response:
    """Make a further key of a user."""
    if user_id not in _of_settings(backend):
        await backend.services.users.get(user_id)
    return json_response(await _made_key(backend, admin, user_id, body), 201)


@router.delete("/admin/users/{user_id}/keys/{key_id}", status_code=204, responses=ERRORS)
async def revoke_key_of(user_id: str, key_id: str, backend: BackendDep, admin: AdminDep) -> None:
    """Revoke a key of a user."""
    await _revoke(backend, admin, user_id, key_id)


@router.get("/admin/usage", response_model=dict[str, Day], responses=ERRORS)
async def get_everyones_usage(
    backend: BackendDep, admin: AdminDep, day: Annotated[str, Query(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = ""
) -> Response:
    """Return what every user used on a day (UTC), by id; the default is today."""
    return json_response(await backend.services.usage.everyone(day))


@router.get("/admin/policy", response_model=Policy, responses=ERRORS)
async def get_policy(backend: BackendDep, admin: AdminDep) -> Response:
    """Return what the settings allow everybody: quotas of a day, limits of a request, rules about tools."""
    settings = backend.settings
    return json_response(
        Policy(
            daily=backend.services.usage.usual,
            rate_limit_per_minute=settings.rate_limit_per_minute,
            budget=settings.budget,
            budget_ceiling=settings.budget_ceiling,
            permissions=list(settings.permissions),
        )
    )


async def _made_key(backend: Backend, actor: str, user_id: str, body: NewKey) -> MadeKey:
    _check_keys_needed(backend)
    _check_unlimited()
    made, key = await backend.services.users.add_key(
        user_id, body.name, seconds=body.days * DAY_SECONDS, quota=_quota(body.quota)
    )
    await _logged(backend, actor, "key made", user=user_id, key=made.id)
    return MadeKey(**_key(made, {}), key=key)


async def _revoke(backend: Backend, actor: str, user_id: str, key_id: str) -> None:
    _check_unlimited()
    await backend.services.users.revoke(user_id, key_id)
    await _logged(backend, actor, "key revoked", user=user_id, key=key_id)


def _check_keys_needed(backend: Backend) -> None:
    """Refuse to make what nothing would ask for.

    Raises:
        BadInput: The server asks nobody for a key.
    """
    if not backend.settings.has_users:
        raise BadInput(
            reason=Words(
                "this server asks nobody for a key; set API_KEYS to yours first",
                "本服务器不要求密钥；请先在 API_KEYS 中设置你自己的密钥",
            )
        )


def _check_unlimited() -> None:
    """Refuse to make or revoke keys with one that has a quota: it would be none.

    Raises:
        KeyIsLimited: The caller came with such a key.
    """
    if comes_with_limited_key():
        raise KeyIsLimited()


def _of_settings(backend: Backend) -> list[str]:
    """Return the ids of the users whom API_KEYS names."""
    return [user_of_key(key.get_secret_value()) for key in backend.settings.api_keys if key.get_secret_value()]


def _quota(given: Limits | None) -> Limits | None:
    """Return what of a quota counts by day.

    Raises:
        BadInput: It limits something else.
    """
    if given is not None and (other := given.keys() - {"tokens", "calls", "money"}):
        names = ", ".join(sorted(other))
        raise BadInput(reason=Words(f"a day has no quota of {names}", f"每日配额不支持 {names}"))
    return given


async def _logged(backend: Backend, actor: str, what: str, **facts: Any) -> None:
    await backend.services.actions.record("policy", Owner(actor), what=what, **facts)


class Today(NamedTuple):
    """What was used today, by the ids of users and of keys."""

    of_users: dict[str, Day]
    of_keys: dict[str, Day]


async def _today(backend: Backend) -> Today:
    return Today(await backend.services.usage.everyone(), await backend.services.usage.keys())


async def _user(backend: Backend, one: User, today: Today) -> ShownUser:
    return ShownUser(
        id=one.id,
        name=one.name,
        role="admin" if is_admin(backend.settings, one.id) else one.role,
        disabled=one.disabled,
        of_settings=one.id in _of_settings(backend),
        created_at=iso_time(one.created),
        quota=one.quota,
        keys=[_key(key, today.of_keys) for key in await backend.services.users.keys(one.id)],
        today=today.of_users.get(one.id, NOTHING),
    )


def _key(key: ApiKey, today: dict[str, Day]) -> ShownKey:
    return ShownKey(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        created_at=iso_time(key.created),
        expires_at=iso_time(key.expires) if key.expires else "",
        quota=key.quota,
        today=today.get(key.id, NOTHING),
    )
