// The side panel: what photos are filtered by. On a phone it is a drawer.

const LISTED = 8; // values of a facet at first
const MORE = 50; // and after each "Show more"

const sidebar = {
  element: el("aside", { class: "sidebar", "aria-label": "Filters" }),
  content: el("div", { class: "filters" }),
  lists: [],

  update() {
    for (const list of this.lists) list.update();
  },

  /** Move the filters into the drawer or back. */
  fit() {
    const narrow = isNarrow.matches;
    if (!narrow && isOpen(this.drawer)) this.drawer.close();
    (narrow ? this.drawer : this.element).append(this.content);
  },

  start() {
    this.drawer = makeDialog("drawer", "Filters");
    isNarrow.addEventListener("change", () => this.fit());
    if (barsShown) this.content.append(scoreSliders());
    for (const facet of facets) {
      if (facet.names.length < (facet.key === "class" ? 1 : 2)) continue;
      const list = new FacetList(facet);
      this.lists.push(list);
      this.content.append(list.element);
    }
    this.element.append(this.content);
    this.fit();
  },
};

function slider(name, key, textOf, hint) {
  const output = el("output", { for: `slider-${key}` });
  const input = el("input", { type: "range", id: `slider-${key}`, min: "0", max: "100", step: "1", "aria-describedby": `hint-${key}` });
  const show = () => {
    input.value = Math.round(100 * state[key]);
    output.textContent = textOf(state[key]);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => setState({ [key]: Number(input.value) / 100 }));
  stateListeners.push((changed) => changed.has(key) && show());
  show();
  return el("div", { class: "slider" },
    el("div", { class: "slider-head" }, el("label", { for: `slider-${key}`, text: name }), output), input,
    el("p", { class: "hint", id: `hint-${key}`, text: hint }));
}

function scoreSliders() {
  return el("section", { class: "filter-group", "aria-label": "Scores" },
    slider("Score", "score", (value) => (value ? `at least ${wholePercent(value)}` : "any"), "Of the best label."),
    slider("Margin", "margin", (value) => (value < 1 ? `at most ${wholePercent(value)}` : "any"), "Lead of the first label over the second: small means unsure."));
}

/** The values of a facet with counts. */
class FacetList {
  constructor(facet) {
    this.facet = facet;
    this.limit = LISTED;
    this.list = el("ul", { class: "facet-list" });
    this.more = el("button", { type: "button", class: "plain more" });
    this.more.addEventListener("click", () => this.showMore());
    const summary = el("summary", {}, el("h2", { text: facet.title }), (this.size = el("span", { class: "dim" })));
    this.element = el("details", { class: "filter-group facet", "data-facet": facet.key, open: true }, summary);
    if (facet.names.length > LISTED + 2) {
      this.search = el("input", { type: "search", class: "facet-search", "aria-label": `Find in ${facet.title.toLowerCase()}`, placeholder: "Find…", autocomplete: "off" });
      this.search.addEventListener("input", () => this.update());
      this.element.append(this.search);
    }
    this.element.append(this.list, this.more);
    this.items = new Map();
    this.list.addEventListener("change", (event) => facet.toggle(event.target.closest("li").name));
  }

  showMore() {
    this.limit += MORE;
    const before = this.list.children.length;
    this.update();
    this.list.children[before]?.querySelector("input").focus();
  }

  /** The values to list: those selected, then the most frequent. */
  get values() {
    const { facet } = this;
    const word = folded(this.search?.value.trim() || "");
    const values = [];
    for (let value = 0; value < facet.names.length; value++) {
      const wanted = word ? facet.folded[value].includes(word) : true;
      if (wanted && (facet.counts[value] || facet.selected?.[value])) values.push(value);
    }
    const chosen = (value) => (facet.selected?.[value] ? 1 : 0);
    return values.sort((a, b) => chosen(b) - chosen(a) || facet.counts[b] - facet.counts[a] || a - b);
  }

  update() {
    const values = this.values;
    const most = Math.max(1, ...values.map((value) => this.facet.counts[value]));
    const shownValues = values.slice(0, this.limit);
    const elements = shownValues.map((value) => this.item(value, most));
    if (elements.length !== this.list.children.length || elements.some((each, at) => each !== this.list.children[at])) {
      const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
      this.list.replaceChildren(...elements);
      focused?.focus();
    }
    this.size.textContent = number(values.length);
    const rest = values.length - shownValues.length;
    this.more.hidden = rest <= 0;
    this.more.textContent = `Show ${number(Math.min(MORE, rest))} more${rest > MORE ? ` of ${number(rest)}` : ""}`;
  }

  item(value, most) {
    const item = this.items.get(value) || this.makeItem(value);
    const count = this.facet.counts[value];
    item.box.checked = Boolean(this.facet.selected?.[value]);
    item.count.textContent = number(count);
    item.ink.style.transform = `scaleX(${count / most})`;
    return item;
  }

  makeItem(value) {
    const name = this.facet.names[value];
    const box = el("input", { type: "checkbox" });
    const count = el("span", { class: "facet-count" });
    const ink = el("span", { class: "facet-ink" });
    const item = el("li", {}, el("label", { title: name }, box, el("span", { class: "facet-name", text: this.facet.texts[value] }), count, ink));
    Object.assign(item, { name, box, count, ink });
    this.items.set(value, item);
    return item;
  }
}
