// What is done with the roles that people write: deleted, copied, taken along as files.
import { ApiError, getBlob, getJson, sendJson } from "./api.js";
import { t } from "./i18n.js";
import { choosePersona, loadPersonas } from "./personas.js";
import { saveAs } from "./save_as.js";
import { notify, set, state } from "./store.js";

export const personaPath = (id, rest = "") => `personas/${encodeURIComponent(id)}${rest}`;

// Carries out a change and shows the list again; tells whether it could be done.
export async function changePersonas(action) {
  let result = null;
  try { result = await action(); } catch (error) { notify(error); }
  await loadPersonas();
  return result;
}

export const removePersona = ({ id }) => changePersonas(async () => {
  const receipt = await getJson(personaPath(id), { method: "DELETE" });
  if (state.choices.persona === id) choosePersona(null);
  set({ receipt });
});

export async function exportPersona({ id, name }) {
  try { saveAs(await getBlob(personaPath(id, "/export")), `${name}.persona.json`); } catch (error) { notify(error); }
}

export const importPersona = (file) => changePersonas(async () => {
  let value = null;
  try { value = JSON.parse(await file.text()); } catch { /* told below */ }
  if (!value?.persona) throw new ApiError(422, { message: t("notPersona") });
  const { name, warnings } = await sendJson("personas/import", value);
  notify([t("personaImported", { name }), ...warnings].join(" "));
});

// The copy is the user's own, whoever wrote the first one; the server gives it a free name.
export const copyPersona = ({ name, prompt, tone = "", tools = null, model = "", memory = "shared", opening = "" }) =>
  changePersonas(() => sendJson("personas/import", { format: "llmchat-persona", version: 1, persona: { name, prompt, tone, tools, model, memory, opening } }));
