// Corrections in the browser's storage, so that they survive a reload; shared by all windows of one report.

const KEEP_KEY = `mnv2-report:${report.identity}`; // pages from disk share one storage
const KEEP_DELAY = 250; // ms

const keeping = {
  problem: "", // why corrections are not kept
  listeners: [], // called when the problem changes
  known: { corrections: new Map(givenCorrections), exported: new Map(givenCorrections) }, // as stored last
  timer: 0,

  /** Take what another window or an earlier visit stored; what changed here since stays. */
  merge(stored) {
    if (!stored) {
      keeping.known = { corrections: new Map(givenCorrections), exported: new Map(givenCorrections) };
      return 0; // the storage was cleared: everything here is written again
    }
    const changed = [];
    for (const part of ["corrections", "exported"]) {
      const mine = part === "corrections" ? corrections.map : corrections.exported;
      const base = part === "corrections" ? givenCorrections : keeping.known.corrections;
      const theirs = withDifference(base, stored[part]);
      for (const row of rowsThatDiffer(theirs, keeping.known[part])) {
        if (!sameCorrection(mine.get(row), keeping.known[part].get(row))) continue;
        if (part === "corrections") changed.push([row, theirs.get(row)]);
        else if (theirs.has(row)) mine.set(row, theirs.get(row));
        else mine.delete(row);
      }
      keeping.known[part] = theirs;
    }
    corrections.unexported = null;
    if (changed.length) corrections.put(changed);
    return changed.length;
  },

  /** Write now, over what other windows wrote in the meantime. */
  save() {
    clearTimeout(keeping.timer);
    keeping.timer = 0;
    try {
      const stored = readKept();
      keeping.merge(stored);
      clearTimeout(keeping.timer);
      keeping.timer = 0;
      writeKept(stored?.corrections ?? []);
      keeping.report("");
    } catch (error) {
      const full = error.name === "QuotaExceededError";
      keeping.report(full ? "The storage of this browser is full" : "This browser does not keep corrections");
    }
  },

  /** Write soon: many changes are written once. */
  saveSoon() {
    if (!keeping.timer) keeping.timer = setTimeout(keeping.save, KEEP_DELAY);
  },

  flush() {
    if (keeping.timer) keeping.save();
  },

  report(problem) {
    if (problem === keeping.problem) return;
    keeping.problem = problem;
    for (const listener of keeping.listeners) listener();
  },
};

/**
 * What is stored: {labels, corrections, exported}; null for nothing. Corrections are a list of
 * [row, review, label] of all pages of these results, whatever a page was given; rows whose correction
 * was removed have no review. What was exported is given for the rows where it is another.
 */
function readKept() {
  const text = localStorage.getItem(KEEP_KEY);
  if (text === null) return null;
  let stored = {};
  try {
    stored = JSON.parse(text) ?? {};
  } catch {
    // Not ours: it is replaced.
  }
  const list = (value) => (Array.isArray(value) ? value.filter(Array.isArray) : []);
  const labels = Array.isArray(stored.labels) ? stored.labels : [];
  return { labels, corrections: list(stored.corrections), exported: list(stored.exported) };
}

/** Store everything; `before` is the list of corrections that was stored. */
function writeKept(before) {
  const touched = new Set([...before.map(([row]) => row), ...givenCorrections.keys(), ...corrections.map.keys()]);
  const stored = {
    labels: quickLabels.slots.map(({ name }) => name), // on the keys 1 to 9
    corrections: listOf(corrections.map, touched),
    exported: listOf(corrections.exported, rowsThatDiffer(corrections.exported, corrections.map)),
  };
  localStorage.setItem(KEEP_KEY, JSON.stringify(stored));
  keeping.known = { corrections: new Map(corrections.map), exported: new Map(corrections.exported) };
}

/** Restore what is stored, then keep every change. */
function startKeeping() {
  try {
    const stored = readKept();
    keeping.merge(stored);
    quickLabels.start(stored?.labels);
  } catch {
    keeping.problem = "This browser does not keep corrections";
  }
  corrections.listeners.push(keeping.saveSoon);
  addEventListener("pagehide", keeping.flush);
  document.addEventListener("visibilitychange", () => document.hidden && keeping.flush());
  addEventListener("storage", (event) => {
    if (event.key !== null && event.key !== KEEP_KEY) return;
    if (event.newValue === null) return keeping.saveSoon();
    const count = keeping.merge(readKept());
    if (count) announce(`${photosText(count)} changed in another window with this page.`);
  });
}
