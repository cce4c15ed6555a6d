// Corrections as the bytes of a CSV file, and back. Paths keep bytes that are not UTF-8.

/** A field as Python's csv module reads it (RFC 4180). */
const csvField = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The file of corrections: rows of {path, label, review} in the order of the page. */
function correctionsFile(map) {
  const lines = ["path,label,review"];
  const isRepeated = (row) => twins.get(row)?.some((each) => each < row && map.has(each)); // a photo has one line
  for (const row of [...map.keys()].sort((a, b) => a - b)) {
    if (isRepeated(row)) continue;
    const { review, label } = map.get(row);
    lines.push([pathOf(row), label, review].map(csvField).join(","));
  }
  return bytesOf(lines.join("\n") + "\n");
}

/** The text of bytes; those that are not UTF-8 become Python's surrogate escapes (see bytesOf). */
function textOf(bytes) {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text;
  try {
    text = decoder.decode(bytes);
  } catch {
    text = escapedTextOf(bytes, decoder);
  }
  return text.replace(/^\ufeff/, "");
}

function escapedTextOf(bytes, decoder) {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at];
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    try {
      text += first < 0x80 ? String.fromCharCode(first) : decoder.decode(bytes.subarray(at, at + length));
      at += length;
    } catch {
      text += String.fromCharCode(0xdc00 + first);
      at += 1;
    }
  }
  return text;
}

const SEPARATORS = [",", ";", "\t"]; // spreadsheets write the one of the system's language

/** The records of a CSV text: {fields, line}, with the last line of each; `isQuoted`: all fields of the header are quoted. */
function csvRecords(text) {
  const found = [];
  const header = text.split(/[\r\n]/, 1)[0];
  const count = (separator) => header.split(separator).length;
  const separator = SEPARATORS.reduce((best, each) => (count(each) > count(best) ? each : best));
  const field = new RegExp(`(?:"((?:[^"]|"")*)"|((?!")[^${separator}\\r\\n]*))(${separator}|\\r\\n|\\n|\\r|$)`, "y");
  const next = { fields: [], isQuoted: true };
  let line = 1;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (!match) throw new Error(`line ${line} is not CSV`);
    const [, quoted, plain, end] = match;
    line += (quoted?.match(/\r\n|\n|\r/g) ?? []).length;
    next.fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    next.isQuoted &&= quoted !== undefined;
    if (end === separator) {
      if (field.lastIndex === text.length) next.fields.push("");
      else continue;
    }
    if (next.fields.some(Boolean)) found.push({ ...next, line });
    Object.assign(next, { fields: [], isQuoted: true });
    line += 1;
  }
  return found;
}

/** The text that was escaped with an apostrophe, so that spreadsheets take it as a text. */
const unescaped = (text) => (/^'[=+\-@\t\r\n＝＋－＠']/.test(text) ? text.slice(1) : text);

/** A path without its "." and "..", as Python's os.path.normpath returns it. */
function normalPath(path) {
  const parts = [];
  for (const part of path.split("/")) {
    if (part === ".." && parts.length && parts.at(-1) !== "..") parts.pop();
    else if (part && part !== "." && !(part === ".." && path.startsWith("/") && !parts.length)) parts.push(part);
  }
  return (path.startsWith("/") ? "/" : "") + parts.join("/");
}

/** A function that returns the rows of a path as a file of corrections may have it. */
function rowFinder() {
  const rowsOf = new Map();
  for (let row = 0; row < rowCount; row++) {
    const path = normalPath(pathOf(row));
    if (rowsOf.has(path)) rowsOf.get(path).push(row);
    else rowsOf.set(path, [row]);
  }
  return (path) => rowsOf.get(normalPath(path)) ?? rowsOf.get(normalPath(unescaped(path)));
}

/** Lines of a file of corrections: {path, line, review, label}. */
function correctionLines(bytes) {
  const [header, ...records] = csvRecords(textOf(bytes));
  const namesOf = ({ fields }) => fields.map((name) => name.trim().toLowerCase());
  const names = header ? namesOf(header) : [];
  const columns = ["path", names.includes("label") ? "label" : "class", "review"].map((name) => names.indexOf(name));
  if (columns[0] < 0 || columns[1] < 0) throw new Error("it has no columns path and label");
  const restored = header.isQuoted ? unescaped : (text) => text;
  return records.filter((record) => namesOf(record).join() !== names.join()).map(({ fields, line }) => {
    const [path, label, review] = columns.map((at) => restored(fields[at] ?? ""));
    return { path, line, label: label.trim(), review: review.trim().toLowerCase() || "corrected" };
  });
}

/** Throw an error if two lines say different things of a photo. */
function checkLines(one, other) {
  if (one.label === other.label && one.review === other.review) return;
  const meaning = ({ review, label }) => (label ? `${review} “${shown(label)}”` : review);
  throw new Error(`lines ${one.line} and ${other.line} contradict each other: ${shown(one.path)} is ${meaning(one)} and ${meaning(other)}`);
}

/**
 * Read a file of corrections: {map, unknown, invalid}: by row, and how many lines name no photo of
 * this page or have no valid review.
 */
function readCorrectionsFile(bytes) {
  const rowsOf = rowFinder();
  const result = { map: new Map(), unknown: 0, invalid: 0 };
  const seen = new Map();
  for (const given of correctionLines(bytes)) {
    const value = correction(given.review, given.label);
    const path = normalPath(given.path);
    if (!value || value.label !== given.label) {
      result.invalid += 1;
      continue;
    }
    if (seen.has(path)) checkLines(seen.get(path), given);
    else seen.set(path, given);
    const found = rowsOf(given.path);
    if (!found) result.unknown += 1;
    else for (const row of found) result.map.set(row, correctionOf(row, given.review, given.label));
  }
  return result;
}
