// The search field, with hints: classes, categories and folders that start with what is typed.

const HINTS = 8;

const search = {
  at: -1,
  hints: [],
  field: el("input", { type: "search", id: "search", class: "search-field", role: "combobox", placeholder: "Search label, category or path",
    "aria-label": "Search label, category or path", "aria-expanded": "false", "aria-controls": "search-hints", "aria-autocomplete": "list",
    autocomplete: "off", spellcheck: "false", enterkeyhint: "search" }),
  list: el("ul", { id: "search-hints", class: "hints", role: "listbox", "aria-label": "Hints", hidden: true }),

  /** The values whose name, or a word of it, starts with a text: those with most photos first. */
  find(text) {
    const typed = folded(text.replaceAll('"', "").trim());
    if (!typed) return [];
    const word = new RegExp(`[\\s/_-]${escaped(typed)}`);
    const found = [];
    for (const facet of facets) {
      facet.folded.forEach((name, value) => {
        const short = folded(facet.texts[value]);
        if (value === facet.none || !facet.counts[value] || facet.isSelected(facet.names[value])) return;
        const at = name.startsWith(typed) || short.startsWith(typed) ? 0 : word.test(name) ? 1 : -1;
        if (at >= 0) found.push({ facet, value, at, count: facet.counts[value] });
      });
    }
    return found.sort((a, b) => a.at - b.at || b.count - a.count).slice(0, HINTS);
  },

  suggest() {
    this.hints = this.find(this.field.value);
    this.at = -1;
    this.list.replaceChildren(...this.hints.map(({ facet, value, count }, at) =>
      el("li", { role: "option", id: `hint-${at}`, "aria-selected": "false", "data-at": at },
        el("span", { class: "hint-kind", text: facetNouns[facet.key] }), el("span", { class: "hint-name", text: facet.names[value] }),
        el("span", { class: "hint-count", text: number(count) }))));
    this.show(this.hints.length > 0);
  },

  show(open) {
    this.list.hidden = !open;
    this.field.setAttribute("aria-expanded", open);
    if (!open) this.mark(-1);
  },

  mark(at) {
    this.at = at;
    [...this.list.children].forEach((item, index) => item.setAttribute("aria-selected", index === at));
    if (at < 0) this.field.removeAttribute("aria-activedescendant");
    else this.field.setAttribute("aria-activedescendant", `hint-${at}`);
  },

  /** Filter by a hint instead of by the text. */
  pick(at) {
    const { facet, value } = this.hints[at];
    const name = facet.names[value];
    this.show(false);
    this.field.value = "";
    setState({ q: "", [facet.key]: [...state[facet.key].filter((each) => each !== name), name] });
  },

  onKeydown(event) {
    const count = this.hints.length;
    const open = !this.list.hidden;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
      event.preventDefault();
      if (!open) this.show(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.mark(this.at < 0 && step < 0 ? count - 1 : this.at + step >= count ? -1 : this.at + step);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (open && this.at >= 0) this.pick(this.at);
      else {
        this.show(false);
        grid.element.focus();
      }
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (open) this.show(false);
      else if (this.field.value) setState({ q: "" });
      else grid.element.focus();
    }
  },

  start() {
    const { field, list } = this;
    field.addEventListener("input", () => {
      setState({ q: field.value });
      this.suggest();
    });
    field.addEventListener("keydown", (event) => this.onKeydown(event));
    field.addEventListener("blur", () => this.show(false));
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus
    list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) this.pick(Number(item.dataset.at));
    });
    stateListeners.push((changed) => {
      if (changed.has("q") && field.value !== state.q) field.value = state.q;
    });
    return el("div", { class: "search" }, field, list);
  },
};

const facetNouns = { class: "Class", category: "Category", target: "Target", truth: "True class", folder: "Folder" };
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
shortcuts.add(["/"], "Search", () => search.field.focus(), "grid");
