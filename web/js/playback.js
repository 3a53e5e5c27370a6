// Sound, one thing at a time: a text read aloud piece by piece, or an answer spoken while it is being written.
import { getBlob, jsonBody } from "./api.js";
import { notify } from "./store.js";

const FEWEST_CHARS = 80;   // of a piece: the first sound comes soon, and there are few calls
const MOST_CHARS = 15_000; // that the server takes is 20,000
const SENTENCE_END = /(?<=[。！？；\n])|(?<=[.!?])(?=\s)/;

let current = null;        // {audio, skip, onEnd, parts}

export function stopPlaying() {
  const { audio, skip, onEnd } = current ?? {};
  current = null;
  audio?.pause();
  skip?.();
  onEnd?.();
}

async function play(blobs, mine) {
  try {
    for await (const blob of blobs) {
      if (current !== mine) return;
      await playOne(blob, mine);
    }
  } catch (error) {
    if (current === mine) notify(error);
  }
  if (current === mine) stopPlaying();
}

async function playOne(blob, mine) {
  const url = URL.createObjectURL(blob);
  mine.audio = new Audio(url);
  try {
    await new Promise((resolve, reject) => {
      mine.skip = resolve;
      mine.audio.onended = resolve;
      mine.audio.play().catch(reject);
    });
  } finally { URL.revokeObjectURL(url); }
}

export function readAloud(text, onEnd) {
  stopPlaying();
  current = { onEnd };
  play(spokenPieces(text), current);
}

// Yields the sound of each piece; the next one is fetched while one is heard.
async function* spokenPieces(text) {
  let next = null;
  for (const piece of split(text)) {
    const made = getBlob("tts", jsonBody({ text: piece, format: "mp3" }));
    made.catch(() => {});
    if (next) yield next;
    next = made;
  }
  if (next) yield next;
}

// Pieces of some sentences. Tables and formulas stay whole: the server knows how to say them; code is left out.
function split(text) {
  const paragraphs = text.replace(/```[\s\S]*?(```|$)/g, "").split(/\n\s*\n/);
  const parts = paragraphs.flatMap((paragraph) => [...(/[|$\\]/.test(paragraph) ? [paragraph] : paragraph.split(SENTENCE_END)), "\n\n"]);
  const pieces = [""];
  for (const part of parts) {
    if (pieces.at(-1).length >= FEWEST_CHARS) pieces.push("");
    pieces[pieces.length - 1] += part.slice(0, MOST_CHARS);
  }
  return pieces.filter((piece) => /[\p{L}\p{N}]/u.test(piece));
}

// A spoken sentence of an answer that is still being written.
export function playPart({ data, format }) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  if (!current?.parts) {
    stopPlaying();
    current = { parts: [], open: true };
    play(queued(current), current);
  }
  current.parts.push(new Blob([bytes], { type: format === "mp3" ? "audio/mpeg" : `audio/${format}` }));
  current.wake?.();
}

export function endParts() {
  if (!current?.parts) return;
  current.open = false;
  current.wake?.();
}

async function* queued(mine) {
  for (;;) {
    while (mine.parts.length) yield mine.parts.shift();
    if (!mine.open || current !== mine) return;
    await new Promise((resolve) => { mine.wake = resolve; });
  }
}
