// Uploads one file with progress; resolves to its attachment.
import { ApiError, BASE, headers } from "./api.js";

export function upload(file, fields, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
    form.append("file", file, file.name);
    const call = new XMLHttpRequest();
    call.open("POST", `${BASE}/documents`);
    for (const [name, value] of Object.entries(headers())) call.setRequestHeader(name, value);
    call.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
    call.onerror = () => reject(new ApiError(0, null));
    call.onload = () => {
      let body = null;
      try { body = JSON.parse(call.responseText); } catch { /* not JSON: reported as offline below */ }
      if (call.status >= 300 || !body) reject(new ApiError(call.status, body?.error));
      else resolve(body[0]);
    };
    signal?.addEventListener("abort", () => call.abort(), { once: true });
    call.send(form);
  });
}
