// Draws diagrams for the page in a frame of its own, which has no origin, no network and no access to anything.
const HTML = /<(?!br\s*\/?>)\/?[a-z][^>]*>/gi;  // in labels; line breaks stay

addEventListener("message", async ({ data: { id, text, dark }, source }) => {
  if (source !== parent) return;
  try {
    mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: dark ? "dark" : "default", fontFamily: "system-ui, sans-serif", suppressErrorRendering: true, htmlLabels: false, flowchart: { htmlLabels: false } });
    const { svg } = await mermaid.render(`d${id}`, text.replace(HTML, ""));
    document.body.innerHTML = svg;
    const drawing = document.querySelector("svg");
    const { width, height } = drawing.viewBox.baseVal;
    drawing.setAttribute("width", width);
    drawing.setAttribute("height", height);
    source.postMessage({ id, svg: new XMLSerializer().serializeToString(drawing) }, "*");
  } catch (error) {
    source.postMessage({ id, error: String(error?.message ?? error) }, "*");
  }
});
parent.postMessage({ ready: true }, "*");
