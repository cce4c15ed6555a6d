// Charts: drawings made by the script.

const BINS = 20;

/** How many values fall into each of 20 equal parts from 0 to 1. */
function binned(order, values) {
  const counts = new Uint32Array(BINS);
  for (const row of order) if (rows.count[row]) counts[Math.min(BINS - 1, Math.floor(values[row] * BINS + EDGE))]++;
  return counts;
}

const WIDTH = 520;
const HEIGHT = 160;
const BASE = HEIGHT - 24;

/** Draw a histogram of shares; `pick(from, to)` is called with the bar that is chosen. */
function histogram(title, counts, pick) {
  const most = Math.max(1, ...counts);
  const step = WIDTH / BINS;
  const drawing = svg("svg", { class: "histogram", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": title });
  drawing.append(svg("line", { class: "axis", x1: 0, x2: WIDTH, y1: BASE + 0.5, y2: BASE + 0.5 }));
  counts.forEach((count, bin) => drawing.append(histogramBar(count, bin, most, pick)));
  for (let at = 0; at <= 10; at += 2) {
    const anchor = at === 0 ? "start" : at === 10 ? "end" : "middle";
    drawing.append(svg("text", { x: at * 2 * step, y: HEIGHT - 6, "text-anchor": anchor, "aria-hidden": "true", text: `${at * 10} %` }));
  }
  return drawing;
}

function histogramBar(count, bin, most, pick) {
  const step = WIDTH / BINS;
  const height = count ? Math.max(2, (count / most) * (BASE - 20)) : 0;
  const range = `${(bin * 100) / BINS} to ${((bin + 1) * 100) / BINS} %`;
  const bar = svg("g", count ? { class: "histogram-bar", role: "button", tabindex: "0", "aria-label": `${range}: ${photosText(count)}` } : { "aria-hidden": "true" },
    svg("title", { text: `${range}: ${photosText(count)}` }),
    svg("rect", { class: "hit", x: bin * step, y: 0, width: step, height: BASE }),
    svg("rect", { class: "ink", x: bin * step + 2, y: BASE - height, width: step - 4, height, rx: 2 }));
  if (!count) return bar;
  if (count === most) bar.append(svg("text", { x: (bin + 0.5) * step, y: BASE - height - 6, "text-anchor": "middle", "aria-hidden": "true", text: number(count) }));
  const choose = () => pick(bin / BINS, (bin + 1) / BINS);
  bar.addEventListener("click", choose);
  bar.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose();
  });
  return bar;
}

/** A list of counts with bars, as buttons. `items`: {text, title, count, pick}. */
function countList(items) {
  const most = Math.max(1, ...items.map((item) => item.count));
  return el("ul", { class: "count-list" }, ...items.map(({ text, title, count, pick }) => {
    const ink = svg("svg", { class: "count-bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "back", width: 100, height: 8 }), svg("rect", { class: "ink", width: (100 * count) / most, height: 8 }));
    return el("li", {}, el("button", { type: "button", class: "plain", onclick: pick, title },
      el("span", { class: "count-text", text }), ink, el("span", { class: "count-number", text: number(count) })));
  }));
}
