// node mcp.mjs <server> <case> <JSON>: uses the official MCP client and prints what it got.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [server, name, given] = [process.argv[2], process.argv[3], JSON.parse(process.argv[4])];
const client = new Client({ name: "tests", version: "1.0.0" });
await client.connect(new StreamableHTTPClientTransport(new URL(`${server}/mcp`)));

const cases = {
  async tools() {
    return (await client.listTools()).tools.map((tool) => tool.name);
  },
  async call() {
    const told = [];
    const onprogress = (progress) => told.push(progress);
    const result = await client.callTool({ name: given.name, arguments: given.arguments }, undefined, { onprogress });
    return { result, told };
  },
  async resources() {
    const found = [];
    for (const { uri } of (await client.listResources()).resources) {
      found.push(...(await client.readResource({ uri })).contents);
    }
    return found;
  },
};

console.log(JSON.stringify(await cases[name]()));
await client.close();
