// The data of the page: what Python wrote, and short functions that read it by row.

const report = JSON.parse(document.getElementById("report").textContent);
const rows = report.rows;
const SCALE = 10000; // of scores
const rowCount = rows.name.length;

// Where the predictions of each row start in the flat columns.
const starts = new Uint32Array(rowCount + 1);
for (let row = 0; row < rowCount; row++) starts[row + 1] = starts[row] + rows.count[row];

const errorOf = (row) => report.errors[row] || "";
const reasonOf = (row) => errorOf(row).split(":", 1)[0];
const noteOf = (row) => report.notes[row] || "";
const nameOf = (row) => rows.name[row];
const folderOf = (row) => report.folders[rows.folder[row]];
const pathOf = (row) => folderOf(row) + nameOf(row);
// Indices into report.names; -1 for none.
const labelOf = (row) => (rows.count[row] ? rows.label[starts[row]] : -1);
const truthOf = (row) => (rows.truth ? rows.truth[row] : -1);
const beforeOf = (row) => (rows.before ? rows.before[row] : -1);
const beforeScoreOf = (row) => (rows.before ? rows.beforeScore[row] / SCALE : 0);
// Indices into report.categories and report.targets; -1 for none.
const categoryOf = (row) => (rows.category ? rows.category[row] : -1);
const targetOf = (row) => (rows.target ? rows.target[row] : -1);
// Scores from 0 to 1.
const scoreOf = (row) => (rows.count[row] ? rows.score[starts[row]] / SCALE : 0);
const categoryScoreOf = (row) => (rows.category ? rows.categoryScore[row] / SCALE : 0);

/** Whether the best label, or the category, is the class of a photo: 1, or 0; -1 if that is not known. */
function rightOf(row) {
  if (rows.right && rows.right[row] >= 0) return rows.right[row];
  const truth = truthOf(row);
  if (truth < 0 || errorOf(row)) return -1;
  const label = labelOf(row);
  if (label >= 0 && report.names[label] === report.names[truth]) return 1;
  const category = categoryOf(row);
  return category >= 0 && report.categories[category] === report.names[truth] ? 1 : 0;
}

/** The lead of the best score over the second; if that is unknown, the least it can be. */
function marginOf(row) {
  const first = scoreOf(row);
  const second = rows.count[row] > 1 ? rows.score[starts[row] + 1] / SCALE : 1 - first;
  return Math.max(0, first - second);
}

/** All predictions of a row, best first: {label, wnid, score}. */
function predictionsOf(row) {
  const found = [];
  for (let at = starts[row]; at < starts[row + 1]; at++) {
    const label = rows.label[at];
    found.push({ label: report.names[label], wnid: report.wnids[label], score: rows.score[at] / SCALE });
  }
  return found;
}

/** Text for people: bytes of a name that are not UTF-8, and invisible characters but joiners, as U+FFFD. */
function shown(text) {
  return text.replace(/(?![\u200c\u200d])[\p{C}\u2028\u2029]/gu, "\ufffd");
}

/** The bytes of a text, with bytes that are not UTF-8 as Python's surrogate escapes. */
function bytesOf(text) {
  const encoder = new TextEncoder();
  const escape = /^[\udc80-\udcff]$/u;
  const parts = text.split(/([\udc80-\udcff])/u)
    .map((part) => (escape.test(part) ? Uint8Array.of(part.charCodeAt(0) - 0xdc00) : encoder.encode(part)));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The URL of the photo itself; empty if it is not on this machine. */
function urlOf(row) {
  if (report.urls[row]) return report.urls[row];
  const folder = report.hrefs[rows.folder[row]];
  if (!folder) return "";
  let name = "";
  for (const byte of bytesOf(nameOf(row))) {
    const char = String.fromCharCode(byte);
    name += /[A-Za-z0-9._~-]/.test(char) ? char : "%" + byte.toString(16).padStart(2, "0");
  }
  return folder + name;
}

const percent = (share) => (100 * share).toFixed(1) + " %";
