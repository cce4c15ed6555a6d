// What photos are filtered and grouped by: class, category, target, folder, truth.

const NONE = "(none)";

/** Names by index; a name that several classes share has the class's id too. */
const labelKeys = (() => {
  const ids = new Map();
  report.names.forEach((name, index) => {
    const wnid = report.wnids[index];
    if (wnid) ids.set(name, (ids.get(name) || new Set()).add(wnid));
  });
  return report.names.map((name, index) => {
    const shared = report.wnids[index] && ids.get(name).size > 1;
    return shown(shared ? `${name} (${report.wnids[index]})` : name);
  });
})();

const labelText = (index) => (index < 0 ? "" : labelKeys[index]);
const categoryText = (row) => (categoryOf(row) < 0 ? "" : shown(report.categories[categoryOf(row)]));
const targetText = (row) => (targetOf(row) < 0 ? "" : shown(report.targets[targetOf(row)]));
const folderText = (index) => shown(report.folders[index]) || "./";

/** Whether the other run has another best label. */
function isChanged(row) {
  const before = beforeOf(row);
  return before >= 0 && before !== labelOf(row);
}

/** Paths of folders without the folders that all of them are in. */
function withoutShared(folders) {
  const [first = ""] = folders;
  let shared = first.length;
  for (const each of folders) while (!each.startsWith(first.slice(0, shared))) shared--;
  const start = first.lastIndexOf("/", shared - 1) + 1;
  return folders.length < 2 ? folders : folders.map((each) => each.slice(start) || "./");
}

/** One way to divide the photos: `names` of its values, and the value of each row. */
class Facet {
  constructor(key, title, texts, valueOf) {
    this.key = key;
    this.title = title;
    this.names = [];
    this.values = new Map();
    this.totals = [];
    const numbers = texts.map(() => -1);
    this.column = new Int32Array(rowCount);
    let none = -1;
    for (let row = 0; row < rowCount; row++) {
      const at = valueOf(row);
      let value = at < 0 ? none : numbers[at];
      if (value < 0) {
        value = this.add(at < 0 ? NONE : texts[at]);
        if (at < 0) none = value;
        else numbers[at] = value;
      }
      this.column[row] = value;
      this.totals[value]++;
    }
    this.none = none;
    this.counts = Uint32Array.from(this.totals);
    this.selected = null;
    this.texts = key === "folder" ? withoutShared(this.names) : this.names; // shown where space is short
    defineState(key, [], only((name) => this.values.has(name)));
  }

  add(name) {
    if (!this.values.has(name)) {
      this.values.set(name, this.names.length);
      this.names.push(name);
      this.totals.push(0);
    }
    return this.values.get(name);
  }

  /** Read which values are selected from the state: null for all. */
  select() {
    const chosen = state[this.key];
    this.selected = chosen.length ? new Uint8Array(this.names.length) : null;
    for (const name of chosen) if (this.values.has(name)) this.selected[this.values.get(name)] = 1;
  }

  isSelected(name) {
    return state[this.key].includes(name);
  }

  toggle(name) {
    const chosen = state[this.key];
    const next = chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name];
    setState({ [this.key]: next });
  }

  /** The names as texts to search in. */
  get folded() {
    return (this.foldedNames ||= this.names.map(folded));
  }

  /** The values in the order of their names, without a name last. */
  get sorted() {
    this.inOrder ||= this.names
      .map((_, value) => value)
      .sort((a, b) => (a === this.none) - (b === this.none) || collator.compare(this.names[a], this.names[b]));
    return this.inOrder;
  }
}

const facets = [new Facet("class", "Classes", labelKeys, labelOf)];
if (rows.category) facets.push(new Facet("category", "Categories", report.categories.map(shown), categoryOf));
if (rows.target) facets.push(new Facet("target", "Target folders", report.targets.map(shown), targetOf));
if (rows.truth) facets.push(new Facet("truth", "True classes", labelKeys, truthOf));
facets.push(new Facet("folder", "Folders", report.folders.map((_, i) => folderText(i)), (row) => rows.folder[row]));
const facetOf = (key) => facets.find((facet) => facet.key === key);
