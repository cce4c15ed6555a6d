// The state of the page, kept in the fragment of its address.

const state = {};
const defaults = {};
const checks = {};
/** Called with the set of changed keys after each change. */
const stateListeners = [];

/**
 * Add a key: its default is a text, a number, a boolean or an array of texts. `usable` returns a value
 * of an address as it can be used, or undefined for its default.
 */
function defineState(key, value, usable = (given) => given) {
  defaults[key] = value;
  checks[key] = usable;
  state[key] = Array.isArray(value) ? [...value] : value;
}

const same = (a, b) =>
  Array.isArray(a) ? a.length === b.length && a.every((each, i) => each === b[i]) : a === b;

/** Change values, write the fragment and update what depends on them. */
function setState(values) {
  if (applyState(values)) writeFragment();
}

function applyState(values) {
  const changed = new Set();
  for (const [key, value] of Object.entries(values)) {
    if (key in defaults && !same(state[key], value)) {
      state[key] = value;
      changed.add(key);
    }
  }
  if (changed.size) for (const listener of stateListeners) listener(changed);
  return changed.size > 0;
}

function toFragment() {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) {
    if (same(value, defaults[key])) continue;
    for (const each of Array.isArray(value) ? value : [value]) parts.append(key, each);
  }
  return parts.toString();
}

/** The state of a fragment; what it does not name, or names wrongly, has its default. */
function fromFragment(fragment) {
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  const values = {};
  for (const [key, value] of Object.entries(defaults)) {
    const given = parts.getAll(key);
    const usable = given.length ? checks[key](parse(given, value)) : undefined;
    values[key] = usable ?? (Array.isArray(value) ? [...value] : value);
  }
  return values;
}

function parse(given, value) {
  if (Array.isArray(value)) return given;
  if (typeof value === "boolean") return given[0] === "true";
  if (typeof value !== "number") return given[0];
  const parsed = Number(given[0]);
  return given[0].trim() && Number.isFinite(parsed) ? parsed : value;
}

/** For defineState: one of the texts that a function returns when the address is read. */
const oneOf = (texts) => (given) => (texts().includes(given) ? given : undefined);
/** A number that is not outside a range. */
const within = (least, most) => (given) => Math.min(most, Math.max(least, given));
/** The texts that are known. */
const only = (isKnown) => (given) => [...new Set(given)].filter(isKnown);

const WRITES = 350; // ms between two: browsers refuse hundreds in a short time
let written = -WRITES;
let writing = 0;

function writeFragment() {
  if (writing) return;
  const wait = written + WRITES - performance.now();
  if (wait <= 0) writeNow();
  else writing = setTimeout(writeNow, wait);
}

function writeNow() {
  clearTimeout(writing);
  writing = 0;
  written = performance.now();
  const fragment = toFragment();
  try {
    if (fragment !== location.hash.replace(/^#/, ""))
      history.replaceState(null, "", fragment ? "#" + fragment : location.pathname + location.search);
  } catch {
    // The page works without.
  }
}

const restoreState = () => applyState(fromFragment(location.hash));
addEventListener("hashchange", restoreState);
addEventListener("pagehide", () => writing && writeNow());
