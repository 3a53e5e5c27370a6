// node openai.mjs <server> <case> <JSON>: uses the official client and prints what it got.
import OpenAI from "openai";

const [server, name, given] = [process.argv[2], process.argv[3], JSON.parse(process.argv[4])];
const client = new OpenAI({ baseURL: `${server}/v1`, apiKey: "key", maxRetries: 0 });
const user = (content) => ({ role: "user", content });

const cases = {
  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    return names;
  },
  async completion() {
    return await client.chat.completions.create({ model: "agent", messages: given.messages, metadata: { session_id: given.session } });
  },
  async stream() {
    const stream = await client.chat.completions.create({
      model: "agent", messages: [user(given.message)], stream: true, stop: given.stop,
      stream_options: { include_usage: true },
    });
    const pieces = [];
    let usage = null, finish = null;
    for await (const chunk of stream) {
      pieces.push(chunk.choices[0]?.delta?.content ?? "");
      finish = chunk.choices[0]?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
    return { pieces: pieces.filter(Boolean), usage, finish };
  },
  async responses() {
    const tools = [{ type: "function", name: "weather", strict: true,
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } }];
    const stream = client.responses.stream({ model: "agent", input: given.message, tools });
    const kinds = new Set();
    for await (const event of stream) kinds.add(event.type);
    const first = await stream.finalResponse();
    const call = first.output.find((item) => item.type === "function_call");
    const done = await client.responses.create({
      model: "agent", previous_response_id: first.id, tools,
      input: [{ type: "function_call_output", call_id: call.call_id, output: "sunny" }],
    });
    const kept = await client.responses.retrieve(done.id);
    await client.responses.delete(done.id);
    const gone = await client.responses.retrieve(done.id).catch((error) => error.status);
    return { kinds: [...kinds], arguments: call.arguments, text: done.output_text, kept: kept.output_text, gone };
  },
  async helper() {
    const runner = client.chat.completions.stream({ model: "agent", messages: [user(given.message)] });
    const final = await runner.finalChatCompletion();
    return { text: final.choices[0].message.content, id: final.id };
  },
  async parts() {
    const completion = await client.chat.completions.create({
      model: "agent",
      messages: [user([
        { type: "text", text: given.message },
        { type: "image_url", image_url: { url: given.image } },
        { type: "file", file: { filename: "lease.txt", file_data: given.file } },
      ])],
    });
    return completion;
  },
  async tools() {
    const tools = [{ type: "function", function: {
      name: "weather", description: "The weather of a place",
      parameters: { type: "object", properties: { place: { type: "string" } }, required: ["place"] },
    } }];
    const first = await client.chat.completions.create({ model: "agent", messages: [user(given.message)], tools });
    const called = first.choices[0].message;
    const second = await client.chat.completions.create({
      model: "agent", tools,
      messages: [user(given.message), called,
        { role: "tool", tool_call_id: called.tool_calls[0].id, content: "Rain" }],
    });
    return { first: first.choices[0], second: second.choices[0] };
  },
  async embeddings() {
    const made = await client.embeddings.create({ model: "default", input: given.texts });
    return made.data.map((item) => item.embedding);
  },
  async failure() {
    try {
      await client.chat.completions.create({ model: "agent", ...given });
    } catch (error) {
      return { kind: error.constructor.name, status: error.status, code: error.code, type: error.type,
        message: error.message, request: error.requestID };
    }
  },
  async broken_stream() {
    try {
      const stream = await client.chat.completions.create({
        model: "agent", messages: [user(given.message)], stream: true,
      });
      for await (const chunk of stream) void chunk;
    } catch (error) {
      return { kind: error.constructor.name, message: error.message };
    }
  },
};

console.log(JSON.stringify(await cases[name]()));
