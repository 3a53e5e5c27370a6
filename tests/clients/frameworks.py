"""Frameworks that speak to OpenAI, pointed at a server: `frameworks.py CASE URL`, each with its package alone."""

# mypy: ignore-errors

from __future__ import annotations

import json
import sys

from pydantic import BaseModel

PERSON = {"name": "Mei", "age": 7}


class Person(BaseModel):
    name: str
    age: int


def instructor(url: str) -> None:
    import instructor
    import openai

    for mode in ("TOOLS", "TOOLS_STRICT", "JSON", "JSON_SCHEMA"):
        client = instructor.from_openai(openai.OpenAI(base_url=url, api_key="x"), mode=instructor.Mode[mode])
        messages = [{"role": "user", "content": "Mei is 7."}]
        made = client.chat.completions.create(model="agent", response_model=Person, messages=messages, max_retries=1)
        assert (made.name, made.age) == ("Mei", 7), mode


def pydantic_ai(url: str) -> None:
    import pydantic_ai as ai
    from pydantic_ai.models import openai as models
    from pydantic_ai.providers.openai import OpenAIProvider

    for kind in ("OpenAIChatModel", "OpenAIResponsesModel"):
        model = getattr(models, kind)("agent", provider=OpenAIProvider(base_url=url, api_key="x"))
        assert ai.Agent(model).run_sync("Hi").output == "You said: Hi", kind
        for form in (ai.NativeOutput(Person), ai.ToolOutput(Person)):
            assert ai.Agent(model, output_type=form).run_sync("Who?").output == Person(name="Mei", age=7), kind
        tool = ai.Tool(lambda city: f"Sunny in {city}.", name="weather", description="Weather")
        assert ai.Agent(model, tools=[tool]).run_sync("Weather?").output == "You said: Weather?", kind


def litellm(url: str) -> None:
    import litellm

    given = {"model": "openai/agent", "api_base": url, "api_key": "x"}
    messages = [{"role": "user", "content": "Hi"}]
    assert litellm.completion(messages=messages, **given).choices[0].message.content == "You said: Hi"
    chunks = litellm.completion(messages=messages, stream=True, **given)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said: Hi"
    made = litellm.completion(messages=messages, response_format=Person, **given).choices[0].message.content
    assert json.loads(made) == PERSON
    assert litellm.responses(input="Hi", **given).output[-1].content[0].text == "You said: Hi"
    made = litellm.embedding(model="openai/default", input=["x"], api_base=url, api_key="x")
    assert len(made.data[0]["embedding"]) == 384


if __name__ == "__main__":
    {case.__name__: case for case in (instructor, pydantic_ai, litellm)}[sys.argv[1]](sys.argv[2])
    sys.stdout.write("as expected\n")
