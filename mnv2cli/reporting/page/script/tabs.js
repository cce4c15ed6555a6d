// Tabs: Photos, Overview, Errors and what others add.

defineState("tab", "photos", oneOf(() => tabs.all.map((tab) => tab.id)));

const tabs = {
  all: [],
  list: el("div", { class: "tabs", role: "tablist", "aria-label": "Parts of the report" }),
  panels: el("div", { class: "tab-panels" }),

  /** Add a tab. `render(element)` is called whenever the tab is shown; it replaces the content. */
  add({ id, title, render }) {
    const count = el("span", { class: "tab-count" });
    const button = el("button", { type: "button", role: "tab", id: `tab-${id}`, class: "tab", "aria-controls": `panel-${id}` },
      el("span", { text: shown(title) }), count);
    const panel = el("section", { role: "tabpanel", id: `panel-${id}`, class: "tab-panel", "aria-labelledby": `tab-${id}`, hidden: true });
    button.addEventListener("click", () => setState({ tab: id }));
    this.all.push({ id, render, button, panel, count });
    this.list.append(button);
    this.panels.append(panel);
    if (this.started) this.update();
    return panel;
  },

  setCount(id, value) {
    const tab = this.all.find((each) => each.id === id);
    if (tab) tab.count.textContent = value ? ` ${number(value)}` : "";
  },

  get current() {
    return this.all.find((each) => each.id === state.tab) || this.all[0];
  },

  /** Show the tab of the state. */
  update() {
    this.started = true;
    const current = this.current;
    for (const tab of this.all) {
      const selected = tab === current;
      tab.button.setAttribute("aria-selected", selected);
      tab.button.tabIndex = selected ? 0 : -1;
      tab.panel.hidden = !selected;
    }
    current.button.scrollIntoView({ block: "nearest", inline: "nearest" });
    current.render?.(current.panel);
  },

  /** Render a tab again if it is shown. */
  refresh(id) {
    const current = this.current;
    if (this.started && current?.id === id) current.render?.(current.panel);
  },

  onKeydown(event) {
    const at = tabs.all.indexOf(tabs.current);
    const last = tabs.all.length - 1;
    const to = { ArrowLeft: at ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setState({ tab: tabs.all[to].id });
    tabs.all[to].button.focus();
  },
};

tabs.list.addEventListener("keydown", tabs.onKeydown);
stateListeners.push((changed) => changed.has("tab") && tabs.update());
const photosPanel = tabs.add({ id: "photos", title: "Photos" });
