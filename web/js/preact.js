// Preact, with templates instead of JSX.
import htm from "../vendor/htm-3.1.1.js";
import { Component, h, render } from "../vendor/preact-11.2.0.js";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact-hooks-11.2.0.js";

export const html = htm.bind(h);
export { Component, render, useEffect, useLayoutEffect, useMemo, useRef, useState };
