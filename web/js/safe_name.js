// Names that people chose, made harmless to show: no characters that turn the direction of reading ("exe.fdp"), no
// control characters, no line breaks.
export const plainName = (name) =>
  String(name ?? "").replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, " ").replace(/\s+/g, " ").trim();
