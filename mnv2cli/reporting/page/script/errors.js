// Photos without labels, such as those that cannot be read, by reason.

const ERRORS_LISTED = 200;

/** The rows of each reason, the most frequent first. */
function errorsByReason() {
  const found = new Map();
  for (const key of Object.keys(report.errors)) {
    const row = Number(key);
    const reason = reasonOf(row);
    if (!found.has(reason)) found.set(reason, []);
    found.get(reason).push(row);
  }
  return [...found].sort((a, b) => b[1].length - a[1].length);
}

function renderErrors(element) {
  if (element.firstChild) return;
  const found = errorsByReason();
  const total = Object.keys(report.errors).length;
  element.append(el("div", { class: "page-width" },
    el("p", { class: "dim", text: `${photosText(total)} of ${number(rowCount)} ${total === 1 ? "has" : "have"} no labels.` }),
    ...found.map(([reason, list]) => {
      const items = el("ul", { class: "error-list" });
      const more = el("button", { type: "button", class: "button" });
      const showMore = () => {
        const from = items.children.length;
        items.append(...list.slice(from, from + ERRORS_LISTED).map(errorItem));
        const rest = list.length - items.children.length;
        more.hidden = !rest;
        more.textContent = `Show more of ${number(rest)}`;
      };
      more.addEventListener("click", showMore);
      showMore();
      return el("details", { class: "error-group", open: true },
        el("summary", {}, el("h2", { text: shown(reason) }), el("span", { class: "badge", text: number(list.length) })), items, more);
    })));
}

function errorItem(row) {
  return el("li", {}, el("button", { type: "button", class: "plain path", text: shown(pathOf(row)), onclick: () => viewer.open(row) }),
    el("span", { class: "dim", text: shown(errorOf(row)) }));
}

if (Object.keys(report.errors).length) {
  tabs.add({ id: "errors", title: "Errors", render: renderErrors });
  tabs.setCount("errors", Object.keys(report.errors).length);
}
