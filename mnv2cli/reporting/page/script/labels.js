// The names that a photo can be given: completion, and the labels on the keys 1 to 9.

const MOST_NAMES = 50; // that a completion offers
const LONGEST_NAME = 200;

/** A name as a person typed it, as mnv2 learn accepts it: a line of text that can name a folder. */
function cleanName(text) {
  const line = text.normalize("NFC").replace(/[\p{Cc}\p{Cs}\u2028\u2029\s]+/gu, " ").replace(/(?![\u200c\u200d])\p{C}/gu, "");
  const name = line.replace(/[/\\]+/g, "-").replace(/\.{2,}/g, ".").trim();
  return name === "." ? "" : [...name].slice(0, LONGEST_NAME).join("").trim();
}

/** How often each name was given to a photo that had been predicted differently. */
function usedNames() {
  const counts = new Map();
  for (const { review, label } of corrections.map.values()) {
    if (review === "corrected") counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return counts;
}

/** All known names in the order in which they are offered: {name, folded, kind, used}. */
function knownNames() {
  const found = new Map();
  const add = (names, kind, used) => {
    for (const name of names) {
      if (correction("corrected", name) && !found.has(name)) found.set(name, { name, folded: folded(name), kind, used: used?.get(name) ?? 0 });
    }
  };
  const used = usedNames();
  add([...used.keys()].sort((a, b) => used.get(b) - used.get(a) || a.localeCompare(b)), "", used);
  add(report.classes, "class");
  add(report.names.map((name) => name.trim()), "label");
  add(report.categories.map((name) => name.trim()), "category");
  add(report.moreCategories, "category");
  add(report.moreLabels, "label");
  return [...found.values()];
}

/** 0: the name starts so, 1: one of its words does, 2: it is somewhere in it, 3: nowhere. */
function matchRank(name, typed) {
  const at = name.indexOf(typed);
  if (at <= 0) return at === 0 ? 0 : 3;
  for (let next = at; next > 0; next = name.indexOf(typed, next + 1)) {
    if (!/[\p{L}\p{N}]/u.test(name[next - 1])) return 1;
  }
  return 2;
}

/** The names to offer for what is typed: {options, isNew}; isNew: the name typed is not known. */
function completions(typed, known) {
  const wanted = folded(cleanName(typed));
  if (!wanted) return { options: known.slice(0, MOST_NAMES), isNew: false };
  const ranked = [[], [], [], []];
  for (const each of known) ranked[matchRank(each.folded, wanted)].push(each);
  const lower = cleanName(typed).toLowerCase();
  const isSame = (each) => each.name.toLowerCase() === lower; // such names differ in case alone
  const same = ranked[0].filter(isSame);
  const others = [...ranked[0].filter((each) => !isSame(each)), ...ranked[1], ...ranked[2]];
  return { options: [...same, ...others].slice(0, MOST_NAMES), isNew: !same.length };
}

/** Labels on the keys 1 to 9: a label keeps its key until nine others were used after it. */
const quickLabels = {
  slots: [], // {name, time}
  clock: 0,
  listeners: [],

  use(name) {
    quickLabels.clock += 1;
    let slot = quickLabels.slots.find((each) => each.name === name);
    if (!slot && quickLabels.slots.length === 9) {
      slot = quickLabels.slots.reduce((oldest, each) => (each.time < oldest.time ? each : oldest));
    } else if (!slot) quickLabels.slots.push((slot = {}));
    const isNew = slot.name !== name;
    Object.assign(slot, { name, time: quickLabels.clock });
    if (isNew) for (const listener of quickLabels.listeners) listener();
  },

  /** The label of a key from 1 to 9; empty for none. */
  on: (key) => quickLabels.slots[Number(key) - 1]?.name ?? "",

  /** Begin with the labels of an earlier visit, then those that were used most. */
  start(kept = []) {
    const used = usedNames();
    const most = [...used.keys()].sort((a, b) => used.get(b) - used.get(a));
    const names = [...kept.filter((name) => typeof name === "string" && name), ...most];
    quickLabels.slots = [...new Set(names)].slice(0, 9).map((name) => ({ name, time: 0 }));
    for (const listener of quickLabels.listeners) listener();
  },
};
