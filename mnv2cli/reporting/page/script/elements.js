// Elements of the document. Text from data goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: `class`, `text` and attributes; null or false leaves one out. */
function el(tag, options = {}, ...children) {
  return fill(document.createElement(tag), options, children);
}

/** Make an element of a drawing. */
function svg(tag, options = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), options, children);
}

function fill(element, options, children) {
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const numbers = new Intl.NumberFormat("en");
const number = (value) => numbers.format(value);
const photosText = (count) => `${number(count)} ${count === 1 ? "photo" : "photos"}`;
/** A share from 0 to 1 as whole per cent. */
const wholePercent = (share) => `${Math.round(100 * share)} %`;
/** The same for a score: what is not nothing, and what is not all, is not shown as such. */
const scoreText = (share) =>
  share > 0 && share < 0.005 ? "<1 %" : share < 1 && share >= 0.995 ? ">99 %" : wholePercent(share);
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** A score with one digit after the point, in the same way. */
const exactScoreText = (share) =>
  share > 0 && share < 0.0005 ? "<0.1 %" : share < 1 && share >= 0.9995 ? ">99.9 %" : percent(share);
const isAscii = (text) => /^[\0-\x7f]*$/.test(text);

/** A text to search in: small letters, without accents and differences of composition. */
const folded = (text) =>
  isAscii(text) ? text.toLowerCase() : text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

const live = el("div", { class: "live hidden-text", role: "status", "aria-live": "polite" });

/** Say a text to people who use a screen reader. */
function announce(text) {
  live.textContent = "";
  setTimeout(() => (live.textContent = text), 30);
}

/** Whether the window is so narrow that the filters are in a drawer. */
const isNarrow = matchMedia("(max-width: 56rem)");

const isOpen = (dialog) => dialog.hasAttribute("open");
const openDialogs = () => [...document.querySelectorAll("dialog[open]")];

/** Make a modal dialog with a title and a button that closes it. */
function makeDialog(name, title, ...children) {
  const id = `${name}-title`;
  const close = el("button", { type: "button", class: "plain close", "aria-label": "Close", text: "✕" });
  const heading = el("h2", { id, text: title });
  const head = el("div", { class: "dialog-head" }, heading, close);
  const dialog = el("dialog", { class: name, "aria-labelledby": id }, head, ...children);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the backdrop
  });
  document.body.append(dialog);
  return dialog;
}
