// Calls to the server. Every failure is an ApiError with the server's own words.
import { t } from "./i18n.js";

export const BASE = "api/v1";
let key = localStorage.getItem("apiKey") ?? "";

export const apiKey = () => key;

export function setApiKey(value) {
  key = value.trim();
  localStorage.setItem("apiKey", key);
}

export class ApiError extends Error {
  constructor(status, body) {
    super(body?.message ?? t("offline"));
    this.status = status;
    this.code = body?.code ?? "offline";
    this.remedy = body?.remedy ?? "";
  }
}

export const headers = (more = {}) =>
  ({ "accept-language": document.documentElement.lang, ...(key ? { authorization: `Bearer ${key}` } : {}), ...more });

export async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(`${BASE}/${path}`, { ...options, headers: headers(options.headers) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, null);
  }
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    throw new ApiError(response.status, body?.error);
  }
  return response;
}

export const jsonBody = (body, method = "POST") =>
  ({ method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });

export const getJson = async (path, options) => (await request(path, options)).json();
export const getBlob = async (path, options) => (await request(path, options)).blob();
export const sendJson = (path, body, method) => getJson(path, jsonBody(body, method));

export const sessionPath = (id, rest = "") => `sessions/${encodeURIComponent(id)}${rest}`;

// 503 carries the same body: what is missing is worth showing.
export async function getHealth() {
  const response = await fetch(`${BASE}/health`, { headers: headers() }).catch(() => { throw new ApiError(0, null); });
  const body = await response.json().catch(() => null);
  if (!body?.parts) throw new ApiError(response.status, body?.error);
  return body;
}
