// node remote_runnable.mjs <server> <case> <JSON>: uses RemoteRunnable of @langchain/core and prints what it got.
import { HumanMessage } from "@langchain/core/messages";
import { RemoteRunnable } from "@langchain/core/runnables/remote";

const [server, name, given] = [process.argv[2], process.argv[3], JSON.parse(process.argv[4])];
const agent = new RemoteRunnable({ url: `${server}/agent` });
const tokens = new RemoteRunnable({ url: `${server}/agent/tokens` });
const asked = (text) => ({ messages: [new HumanMessage(text)] });
// With output: "document" the whole result arrives: as it is, RemoteRunnable keeps nothing but `messages` of it.
const on = (thread, more = {}) => ({ configurable: { thread_id: thread, ...more } });
const whole = { output: "document" };

const cases = {
  async messages() {
    const result = await agent.invoke(asked(given.message), on(given.thread));
    return { kind: result.constructor.name, said: result.messages.at(-1).content };
  },
  async invoke() {
    const result = await agent.invoke(asked(given.message), on(given.thread, whole));
    return { text: result.pageContent, ...result.metadata };
  },
  async file() {
    const message = new HumanMessage({ content: [
      { type: "text", text: given.message },
      { type: "file", source_type: "base64", data: given.file, mime_type: "text/plain",
        metadata: { filename: "lease.txt" } },
    ] });
    const result = await agent.invoke({ messages: [message] }, on(given.thread, whole));
    return { text: result.pageContent, ...result.metadata };
  },
  async batch() {
    const results = await agent.batch(given.messages.map(asked), given.threads.map((thread) => on(thread, whole)));
    return results.map((result) => result.pageContent);
  },
  async stream() {
    const seen = [];
    for await (const chunk of await agent.stream(asked(given.message), on(given.thread, whole))) {
      seen.push(...Object.entries(chunk.metadata));
    }
    return seen;
  },
  async tokens() {
    const seen = [];
    for await (const [mode, chunk] of await tokens.stream(asked(given.message), on(given.thread))) {
      if (mode === "messages") seen.push(chunk[0].content);
    }
    return seen;
  },
  async events() {
    const seen = [];
    const stream = agent.streamEvents(asked(given.message), { version: "v2", ...on(given.thread) });
    for await (const event of stream) {
      if (event.event === "on_chat_model_stream") seen.push(event.data.chunk.content);
    }
    return seen;
  },
  async failure() {
    try {
      await agent.invoke(given.input, on(given.thread));
    } catch (error) {
      return error.message;
    }
  },
};

console.log(JSON.stringify(await cases[name]()));
