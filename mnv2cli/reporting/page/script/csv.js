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

/** The records of a CSV text: arrays of fields. */
function csvRecords(text) {
  const found = [];
  const header = text.split(/[\r\n]/, 1)[0];
  const count = (separator) => header.split(separator).length;
  const separator = SEPARATORS.reduce((best, each) => (count(each) > count(best) ? each : best));
  const field = new RegExp(`(?:"((?:[^"]|"")*)"|((?!")[^${separator}\\r\\n]*))(${separator}|\\r\\n|\\n|\\r|$)`, "y");
  let fields = [];
  while (field.lastIndex < text.length) {
    const start = field.lastIndex;
    const match = field.exec(text);
    if (!match) throw new Error(`line ${text.slice(0, start).split("\n").length} is not CSV`);
    fields.push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
    if (match[3] === separator) {
      if (field.lastIndex === text.length) fields.push("");
      else continue;
    }
    if (fields.length > 1 || fields[0]) found.push(fields);
    fields = [];
  }
  return found;
}

/**
 * Read a file of corrections: {map, unknown, invalid}: by row, and how many lines name no photo of
 * this page or have no valid review.
 */
function readCorrectionsFile(bytes) {
  const [header, ...records] = csvRecords(textOf(bytes));
  const names = (header ?? []).map((name) => name.trim().toLowerCase());
  const columns = ["path", names.includes("label") ? "label" : "class", "review"].map((name) => names.indexOf(name));
  if (columns[0] < 0 || columns[1] < 0) throw new Error("it has no columns path and label");
  const rowsOf = new Map();
  for (let row = 0; row < rowCount; row++) {
    const path = pathOf(row);
    if (rowsOf.has(path)) rowsOf.get(path).push(row);
    else rowsOf.set(path, [row]);
  }
  const result = { map: new Map(), unknown: 0, invalid: 0 };
  for (const record of records) {
    const [path, label, review] = columns.map((at) => record[at] ?? "");
    const given = [review.trim().toLowerCase() || "corrected", label.trim()];
    if (!correction(...given)) result.invalid += 1;
    else if (!rowsOf.has(path)) result.unknown += 1;
    else for (const row of rowsOf.get(path)) result.map.set(row, correctionOf(row, ...given));
  }
  return result;
}
