// Names that people chose, made harmless to show: no characters that turn the direction of reading ("exe.fdp"), no
// control characters, no line breaks.
export const plainName = (name) =>
  String(name ?? "").replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, " ").replace(/\s+/g, " ").trim();

// A text whose every letter counts: what would not be seen, or would turn the direction of reading, is shown by its code.
export const plainText = (text) =>
  String(text).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu, (letter) => `\\u{${letter.codePointAt(0).toString(16)}}`);
