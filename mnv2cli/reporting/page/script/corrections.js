// The corrections: a store with undo and redo. keeping.js keeps it in the browser.

const REVIEWS = ["corrected", "confirmed", "wrong", "rejected"];
const REVIEW_WORDS = { corrected: "corrected", confirmed: "right", wrong: "wrong", rejected: "rejected" };

const sameCorrection = (a, b) => a === b || (!!a && !!b && a.review === b.review && a.label === b.label);

const UNUSABLE = /[\p{Cc}\p{Cs}\u2028\u2029]/u; // in labels: readers of the file refuse them

/** The predicted label as text; empty for none. */
const predictedName = (row) => (labelOf(row) < 0 ? "" : report.names[labelOf(row)].trim());
const predictedCategory = (row) => (categoryOf(row) < 0 ? "" : report.categories[categoryOf(row)].trim());

/** A correction, or null if it is not valid; only corrected and confirmed photos have a label. */
function correction(review, label) {
  const named = review === "corrected" || review === "confirmed";
  if (!REVIEWS.includes(review) || typeof label !== "string" || (named && !label) || UNUSABLE.test(label)) return null;
  return Object.freeze({ review, label: named ? label : "" });
}

/** The same for a row: what other results confirmed is a correction of these. */
function correctionOf(row, review, label) {
  const isOther = review === "confirmed" && label !== predictedName(row) && label !== predictedCategory(row);
  return correction(isOther ? "corrected" : review, label);
}

/** All rows of the same photo in their order, by row; only of photos that occur more than once. */
const twins = (() => {
  const folders = report.folders.map(() => new Map()); // first rows by name
  const found = new Map();
  for (let row = 0; row < rowCount; row++) {
    const names = folders[rows.folder[row]];
    const first = names.get(rows.name[row]);
    if (first === undefined) {
      names.set(rows.name[row], row);
      continue;
    }
    if (!found.has(first)) found.set(first, [first]);
    found.get(first).push(row);
    found.set(row, found.get(first));
  }
  return found;
})();

/** The map of a list of [row, review, label]; entries that are not valid are not in it. */
function correctionsFrom(list) {
  const found = new Map();
  for (const [row, review, label] of list) {
    const value = Number.isInteger(row) && row >= 0 && row < rowCount ? correctionOf(row, review, label) : null;
    if (value) found.set(row, value);
  }
  return found;
}

/** The rows whose values differ in two maps. */
function rowsThatDiffer(one, other) {
  const found = [];
  for (const [row, value] of one) if (!sameCorrection(value, other.get(row))) found.push(row);
  for (const row of other.keys()) if (!one.has(row)) found.push(row);
  return found;
}

/** The list of [row, review, label] of some rows of a map; without review: removed. */
function listOf(map, wanted) {
  return [...wanted].map((row) => {
    const value = map.get(row);
    return value ? [row, value.review, value.label] : [row, "", ""];
  });
}

/** Apply what listOf returned. */
function withDifference(base, list) {
  const map = new Map(base);
  for (const [row] of list) map.delete(row);
  for (const [row, value] of correctionsFrom(list)) map.set(row, value);
  return map;
}

const givenCorrections = correctionsFrom(report.corrections);

const corrections = {
  map: new Map(givenCorrections), // row -> {review, label}
  exported: new Map(givenCorrections), // the same as it was last exported
  done: [], // commands: {what, changes: [[row, before, after]]}
  undone: [],
  listeners: [], // called after each change with the rows that changed

  at: (row) => corrections.map.get(row),
  reviewOf: (row) => corrections.map.get(row)?.review ?? "",

  /** One command for any number of rows: valueOf(row) is its new correction, or null for none. */
  change(list, valueOf, what) {
    const values = new Map();
    for (const row of list) {
      if (values.has(row)) continue; // the same photo again
      const value = valueOf(row) ?? undefined;
      for (const each of twins.get(row) ?? [row]) values.set(each, value);
    }
    const changes = [];
    for (const [row, after] of values) {
      const before = corrections.map.get(row);
      if (!sameCorrection(before, after)) changes.push([row, before, after]);
    }
    if (!changes.length) return 0;
    corrections.done.push({ what, changes });
    corrections.undone.length = 0;
    corrections.put(changes.map(([row, , after]) => [row, after]));
    return changes.length;
  },

  /** Take values as they are, without a command. */
  put(values) {
    corrections.unexported = null;
    for (const [row, value] of values) {
      if (value) corrections.map.set(row, value);
      else corrections.map.delete(row);
    }
    const changed = values.map(([row]) => row);
    for (const listener of corrections.listeners) listener(changed);
  },

  undo: () => replay(corrections.done, corrections.undone, 2, 1),
  redo: () => replay(corrections.undone, corrections.done, 1, 2),

  /** How many photos are not as in the file that was exported or given last. */
  pending: () => (corrections.unexported ??= rowsThatDiffer(corrections.map, corrections.exported).length),
  unexported: null, // computed once after each change

  markExported() {
    corrections.exported = new Map(corrections.map);
    corrections.unexported = 0;
    for (const listener of corrections.listeners) listener([]);
  },
};

/** Undo or redo the last command; rows that another window changed since stay as they are. */
function replay(source, target, from, to) {
  const command = source.pop();
  if (!command) return null;
  target.push(command);
  const changes = command.changes.filter((each) => sameCorrection(corrections.at(each[0]), each[from]));
  corrections.put(changes.map((each) => [each[0], each[to]]));
  return { what: command.what, count: changes.length };
}

/** Whether the prediction was right: true, false, or null for a photo that does not count. */
function wasRight(row, { review, label }) {
  if (review === "rejected" || !predictedName(row)) return null;
  return review !== "wrong" && (label === predictedName(row) || label === predictedCategory(row));
}

/** The correction that gives a photo a label: it is confirmed if that was predicted. */
const labelled = (row, label) => correction(label === predictedName(row) ? "confirmed" : "corrected", label);

/** The correction of a photo whose predicted label is right; null for a photo without a usable one. */
const confirmed = (row) => correction("confirmed", predictedName(row));
