// On paper: the photos shown, up to a limit, one after another.

const PRINTED = 500;
const printed = el("div", { class: "printed" });

addEventListener("beforeprint", () => {
  if (tabs.current?.id !== "photos") return;
  const omitted = view.order.length - PRINTED;
  const filtersText = toolbar.filters().map((each) => each.text).join(", ");
  printed.replaceChildren(
    el("p", { class: "dim", text: toolbar.count.textContent + (filtersText ? `: ${filtersText}` : "") + (omitted > 0 ? `. The first ${number(PRINTED)} are printed; ${number(omitted)} are omitted.` : "") }));
  const flow = el("div", { class: "printed-flow" });
  for (const group of view.groups) {
    if (group.start >= PRINTED) break;
    if (group.title) flow.append(el("h2", { text: `${group.title}: ${photosText(group.end - group.start)}` }));
    for (const row of view.order.slice(group.start, Math.min(group.end, PRINTED))) flow.append(printedCell(row));
  }
  printed.append(flow);
  photosPanel.append(printed);
});

function printedCell(row) {
  const cell = makeCell();
  cell.parts.image.decoding = "sync";
  fillCell(cell, row);
  for (const name of ["id", "role", "aria-selected"]) cell.removeAttribute(name);
  return cell;
}

addEventListener("afterprint", () => printed.remove());
