// Which photos are shown, and in which order.

defineState("q", "");
defineState("score", 0, within(0, 1)); // the least
defineState("margin", 1, within(0, 1)); // the largest
defineState("show", "", oneOf(() => [...(rows.truth ? ["wrong", "right"] : []), ...(rows.before ? ["changed"] : [])]));
defineState("sort", "results", oneOf(() => Object.keys(sorts)));
defineState("group", "", oneOf(() => facets.map((facet) => facet.key)));

const scores = Float32Array.from({ length: rowCount }, (_, row) => scoreOf(row));
const margins = Float32Array.from({ length: rowCount }, (_, row) => marginOf(row));
const EDGE = 1e-6; // single precision

/**
 * More filters: {name, test(row), keys, text()}. `keys` of the state are those that it depends on: a
 * change of them filters again, and clearing resets them. `text()` says what it keeps; empty for all.
 */
const filters = {
  all: [],
  add(filter) {
    this.all.push(filter);
    for (const key of filter.keys) viewKeys.add(key);
  },
};

/** How much the best label, or its score, differs from the other run: 1 and more for the label. */
function changeOf(row) {
  const before = beforeOf(row);
  if (before < 0) return -1;
  if (isChanged(row)) return 1 + scores[row] + beforeScoreOf(row);
  return Math.abs(scores[row] - beforeScoreOf(row));
}

const ranks = () => {
  const rank = new Int32Array(facets[0].names.length);
  facets[0].sorted.forEach((value, at) => (rank[value] = at));
  return (row) => rank[facets[0].column[row]];
};

/** A text to compare by code units, in the natural order of the command line: img2 before img10. */
function naturalKey(text) {
  const number = (digits) => {
    const value = digits.replace(/^0+/, "");
    return `0${String.fromCharCode(value.length)}${value}`;
  };
  return (isAscii(text) ? text : text.normalize("NFC")).toLowerCase().replace(/[0-9]+/g, number);
}

/** The ranks of different texts in natural order. */
function naturalRanks(texts) {
  const all = [...new Set(texts)].map((text) => [naturalKey(text), text]);
  all.sort(([a, one], [b, two]) => (a < b ? -1 : a > b ? 1 : one < two ? -1 : 1));
  return new Map(all.map(([, text], rank) => [text, rank]));
}

/** Folders, each before those in it, and the names in each. */
function pathRanks() {
  const levels = report.folders.map((folder) => folder.replaceAll("/", "\0"));
  const folders = naturalRanks(levels);
  const names = naturalRanks(rows.name);
  return (row) => folders.get(levels[rows.folder[row]]) * names.size + names.get(rows.name[row]);
}

const readable = (row, key) => (rows.count[row] ? key : 9);

/** The orders: what is smallest comes first. */
const sorts = {
  results: { title: "As in the results" },
  path: { title: "Path", key: pathRanks },
  score: { title: "Score, highest first", isOfLabels: true, key: () => (row) => readable(row, -scores[row]) },
  low: { title: "Score, lowest first", isOfLabels: true, key: () => (row) => readable(row, scores[row]) },
  margin: { title: "Least sure first", isOfLabels: true, key: () => (row) => readable(row, margins[row]) },
  class: { title: "Class", isOfLabels: true, key: ranks },
};
if (rows.truth)
  sorts.mistakes = { title: "Worst mistakes first", isOfLabels: true, key: () => (row) =>
    rightOf(row) === 0 ? readable(row, -scores[row]) : 2 + rightOf(row) };
if (rows.before) sorts.changed = { title: "Most changed first", isOfLabels: true, key: () => (row) => -changeOf(row) };

const permutations = {};

/** All rows in an order; sorted once. */
function permutation(name) {
  if (permutations[name]) return permutations[name];
  const order = Uint32Array.from({ length: rowCount }, (_, row) => row);
  if (sorts[name].key) {
    const keys = Float64Array.from(order, sorts[name].key());
    order.sort((a, b) => keys[a] - keys[b] || a - b);
  }
  return (permutations[name] = order);
}

const searched = {};

/** The texts that a search looks at, folded: made once. */
function searchTexts() {
  searched.names ||= rows.name.map(folded);
  searched.folders ||= report.folders.map(folded);
  return searched;
}

/** The rows found for the words of late: while somebody types, a word only narrows the one before. */
const wordRows = new Map();
const WORDS_KEPT = 8;

/** Which rows have a word in their path, best label, category, target or truth: 1 for each. */
function rowsWith(word) {
  let known = wordRows.get(word);
  if (!known) {
    let wider = null;
    for (const [each, found] of wordRows) if (word.includes(each)) wider = found;
    known = findWord(word, wider);
    if (wordRows.size >= WORDS_KEPT) wordRows.delete(wordRows.keys().next().value);
    wordRows.set(word, known);
  }
  return known;
}

function findWord(word, wider) {
  const texts = searchTexts();
  const found = (all) => Uint8Array.from(all, (text) => (text.includes(word) ? 1 : 0));
  const parts = [[found(texts.folders), rows.folder]];
  for (const facet of facets) {
    if (facet.key === "folder") continue;
    const values = found(facet.folded);
    if (facet.none >= 0) values[facet.none] = 0;
    parts.push([values, facet.column]);
  }
  const names = texts.names;
  const paths = word.includes("/") ? (texts.paths ||= names.map((name, row) => texts.folders[rows.folder[row]] + name)) : names;
  const kept = new Uint8Array(rowCount);
  next: for (let row = 0; row < rowCount; row++) {
    if (wider && !wider[row]) continue;
    for (let i = 0; i < parts.length; i++) {
      if (parts[i][0][parts[i][1][row]]) {
        kept[row] = 1;
        continue next;
      }
    }
    if (paths[row].includes(word)) kept[row] = 1;
  }
  return kept;
}

function wordTest(word) {
  const found = rowsWith(word);
  return (row) => found[row] === 1;
}

/** The words of a query; quotes make a phrase. */
function wordsOf(query) {
  const found = [...folded(query).matchAll(/"([^"]*)"?|[^\s"]+/g)].map(([word, phrase]) => (phrase ?? word).trim());
  return [...new Set(found)].filter(Boolean);
}

/** The tests that the state asks for, but facets. */
function tests() {
  const found = wordsOf(state.q).map(wordTest);
  const { score, margin, show } = state;
  if (score > 0) found.push((row) => rows.count[row] > 0 && scores[row] >= score - EDGE);
  if (margin < 1) found.push((row) => rows.count[row] > 0 && margins[row] <= margin + EDGE);
  if (show === "wrong") found.push((row) => rightOf(row) === 0);
  if (show === "right") found.push((row) => rightOf(row) === 1);
  if (show === "changed") found.push(isChanged);
  for (const filter of filters.all) found.push((row) => filter.test(row));
  return found;
}

const FILTER_KEYS = ["q", "score", "margin", "show"];

const view = {
  order: new Uint32Array(0),
  /** {title, start, end} in `order`; one without a title when photos are not grouped. */
  groups: [],
  listeners: [],

  /** Filter, sort and group again, then redraw. */
  invalidate() {
    const kept = this.filter();
    const facet = facetOf(state.group);
    if (facet) this.regroup(kept, facet);
    else {
      this.order = kept;
      this.groups = [{ title: "", start: 0, end: kept.length }];
    }
    for (const listener of this.listeners) listener();
  },

  /** The rows that pass, in order; counts for each facet those that its own filter alone drops. */
  filter() {
    const all = tests();
    for (const facet of facets) {
      facet.select();
      facet.counts.fill(0);
    }
    const active = facets.filter((facet) => facet.selected);
    const kept = new Uint32Array(rowCount);
    let size = 0;
    next: for (const row of permutation(state.sort)) {
      for (let i = 0; i < all.length; i++) if (!all[i](row)) continue next;
      let failed = null;
      for (const facet of active) {
        if (facet.selected[facet.column[row]]) continue;
        if (failed) continue next;
        failed = facet;
      }
      if (failed) failed.counts[failed.column[row]]++;
      else {
        kept[size++] = row;
        for (const facet of facets) facet.counts[facet.column[row]]++;
      }
    }
    return kept.slice(0, size);
  },

  regroup(kept, facet) {
    const sizes = new Uint32Array(facet.names.length);
    for (const row of kept) sizes[facet.column[row]]++;
    const at = new Uint32Array(sizes.length);
    this.groups = [];
    let start = 0;
    for (const value of facet.sorted) {
      at[value] = start;
      if (sizes[value]) this.groups.push({ title: facet.texts[value], start, end: start + sizes[value] });
      start += sizes[value];
    }
    this.order = new Uint32Array(kept.length);
    for (const row of kept) this.order[at[facet.column[row]]++] = row;
  },

  /** The keys of the state that drop photos. */
  get filterKeys() {
    return [...FILTER_KEYS, ...facets.map((facet) => facet.key), ...filters.all.flatMap((filter) => filter.keys)];
  },

  get isFiltered() {
    return this.filterKeys.some((key) => !same(state[key], defaults[key]));
  },

  clear() {
    setState(Object.fromEntries(this.filterKeys.map((key) => [key, defaults[key]])));
  },
};

const viewKeys = new Set([...FILTER_KEYS, "sort", "group", ...facets.map((facet) => facet.key)]);
stateListeners.push((changed) => {
  if ([...changed].some((key) => viewKeys.has(key))) view.invalidate();
});
