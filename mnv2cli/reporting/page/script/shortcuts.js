// Keys, and the help that lists them.

const TYPED = /^(text|search|number|email|url|password|)$/;
const isTyping = (target) =>
  target.isContentEditable || target.tagName === "TEXTAREA" ||
  (target.tagName === "INPUT" && TYPED.test(target.getAttribute("type") || ""));
const usesLetters = (target) => isTyping(target) || target.tagName === "SELECT";

/** The name of the keys pressed, such as Ctrl+z, Shift+ArrowDown or ?. */
function keysOf(event) {
  const single = event.key.length === 1;
  const key = single && (event.ctrlKey || event.metaKey) ? event.key.toLowerCase() : event.key;
  const shift = event.shiftKey && (!single || event.ctrlKey || event.metaKey || key === " ");
  return (event.ctrlKey ? "Ctrl+" : "") + (event.metaKey ? "Meta+" : "") + (event.altKey ? "Alt+" : "") +
    (shift ? "Shift+" : "") + (key === " " ? "Space" : key);
}

const shortcuts = {
  all: [],

  /**
   * Add keys. `where`: "grid", "viewer" or "any". Without a handler they are only listed.
   * A handler that returns false leaves the keys to the browser.
   */
  add(keys, description, handler, where = "any") {
    this.all.push({ keys, description, handler, where });
  },

  handle(event) {
    if (event.defaultPrevented || event.isComposing || usesLetters(event.target)) return;
    const pressed = keysOf(event);
    for (const { keys, handler, where } of this.all) {
      if (!handler || !keys.includes(pressed) || !this.applies(where, event, pressed)) continue;
      if (handler(event) !== false) {
        event.preventDefault();
        return;
      }
    }
  },

  applies(where, event, pressed) {
    const top = openDialogs().at(-1);
    if (where === "any") return !top || top === viewer.dialog;
    if (where === "viewer") return top === viewer.dialog && !usesKey(event.target, pressed);
    if (top || state.tab !== "photos") return false;
    return pressed.length === 1 || event.target === document.body || grid.element.contains(event.target);
  },
};

/** Whether an element does something with a key itself. */
function usesKey(target, key) {
  if (target.matches("input[type=range], input[type=radio]")) return /Arrow|Home|End|Page/.test(key);
  return /^(Space|Enter)$/.test(key) && target.matches("button, input, summary, a");
}

const KEY_TEXTS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", Meta: "⌘", " ": "Space" };
const keyElement = (keys) =>
  el("span", { class: "keys" }, ...keys.split(/(?<=.)\+/).map((key) => el("kbd", { text: KEY_TEXTS[key] || key })));

const help = {
  dialog: makeDialog("help", "Keys"),

  open() {
    if (isOpen(this.dialog)) return;
    this.body?.remove();
    this.body = el("div", { class: "help-body", tabindex: "0", role: "group", "aria-label": "List of keys" });
    for (const [where, title] of [["any", "Everywhere"], ["grid", "Photos"], ["viewer", "Large photo"]]) {
      const listed = shortcuts.all.filter((each) => each.where === where && each.description);
      if (!listed.length) continue;
      this.body.append(el("h3", { text: title }), el("dl", {}, ...listed.flatMap(this.item)));
    }
    this.dialog.append(this.body);
    this.dialog.showModal();
  },

  item({ keys, description }) {
    const mac = /Mac|iPhone|iPad/.test(navigator.platform);
    const fitting = keys.filter((key) => keys.length < 2 || !key.startsWith(mac ? "Ctrl+" : "Meta+"));
    return [el("dt", {}, ...fitting.map(keyElement)), el("dd", { text: description })];
  },
};

document.addEventListener("keydown", (event) => shortcuts.handle(event));
shortcuts.add(["?"], "Show the keys", () => help.open());
