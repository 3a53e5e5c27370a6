// One document of the library panel, with what can be done with it.
import { getJson, sendJson } from "./api.js";
import { Dialog } from "./dialog.js";
import { useDocument } from "./files.js";
import { Icon, IconButton, kindIcon } from "./icons.js";
import { Menu } from "./menu.js";
import { t } from "./i18n.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { plainName } from "./safe_name.js";
import { closePanel, notify, openPanel, set } from "./store.js";

export function File({ file, called, refresh }) {
  const [mode, setMode] = useState("");
  const menu = useRef(null);
  const name = plainName(file.name);
  const path = `documents/${file.id}`;
  const back = () => { setMode(""); setTimeout(() => menu.current?.focus()); };
  const rename = async (given) => {
    back();
    if (!given || given === name) return;
    try { await sendJson(path, { name: given }, "PATCH"); } catch (error) { notify(error); }
    refresh();
  };
  const remove = async () => {
    setMode("");
    try { set({ receipt: await getJson(path, { method: "DELETE" }), source: null }); } catch (error) { notify(error); }
    refresh();
  };
  const items = [
    ["use", t("useHere"), () => { useDocument(file); closePanel(); }],
    ["rename", t("rename"), () => setMode("rename")],
    ["remove", t("remove"), () => setMode("delete"), true],
  ];
  if (mode === "rename") return html`<li><${Rename} name=${name} onSave=${rename} onEnd=${back} /></li>`;
  const far = howFar(file);
  const open = () => openPanel("library", { source: { document_id: file.id, name: file.name, page: 1 } });
  return html`<li class="file">
    <button type="button" aria-label=${[t("openFile", { name: called }), far, file.summary].filter(Boolean).join(" ")} onClick=${open}>
      <span class="head"><${Icon} name=${kindIcon(file)} /><bdi>${called}</bdi> <small>${far}</small></span>
      ${file.summary && html`<span class="summary" dir="auto">${file.summary}</span>`}
    </button>
    <${Menu} icon="more" label=${t("actionsOf", { name: called })} title=${t("actions")} name=${called} button=${menu} items=${items} />
    ${mode === "delete" && html`<${Dialog} label=${t("confirmDeleteFile")} onClose=${() => setMode("")}>
      <p dir="auto">${called}</p><p class="quiet">${t("deleteFileWhat")}</p>
      <div class="buttons"><button type="button" onClick=${() => setMode("")}>${t("cancel")}</button>
        <button type="button" class="danger" onClick=${remove}>${t("remove")}</button></div>
    <//>`}</li>`;
}

function howFar({ status, pages_total: total, pages_done: done = 0 }) {
  if (status === "ready") return total > 1 ? t("readyPages", { total }) : "";
  return total && status !== "failed" ? t("pages", { done, total }) : t(status);
}

function Rename({ name, onSave, onEnd }) {
  const box = useRef(null);
  useEffect(() => { box.current.focus(); box.current.setSelectionRange(0, name.lastIndexOf(".") > 0 ? name.lastIndexOf(".") : name.length); }, []);
  const save = (event) => { event.preventDefault(); onSave(box.current.value.trim()); };
  const key = (event) => { if (event.key === "Escape") { event.preventDefault(); onEnd(); } };
  return html`<form class="row" onSubmit=${save}>
    <input ref=${box} defaultValue=${name} aria-label=${t("rename")} maxlength="200" autocomplete="off" onKeyDown=${key} />
    <${IconButton} icon="save" type="submit" label=${t("save")} /></form>`;
}
