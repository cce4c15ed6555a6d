// The rubber band: photos are selected by a rectangle that the mouse draws.

const BAND_START = 5; // px that the mouse moves before a click is a drag
const BAND_EDGE = 36; // px from the edge where the grid scrolls

const band = { element: null, start: null, pointer: null, before: null, base: null, frame: 0, held: false };

/** A point of the window in the coordinates of the grid's content. */
function contentPoint({ clientX, clientY }) {
  const { left, top } = grid.element.getBoundingClientRect();
  return { x: clientX - left + grid.element.scrollLeft, y: clientY - top + grid.element.scrollTop };
}

function onBandDown(event) {
  band.held = false;
  if (event.pointerType !== "mouse" || event.button !== 0) return;
  const { left, top } = grid.element.getBoundingClientRect();
  const inside = event.clientX - left < grid.element.clientWidth && event.clientY - top < grid.element.clientHeight;
  if (!inside) return; // the scroll bar
  band.start = contentPoint(event);
  band.pointer = event;
  addEventListener("pointermove", onBandMove);
  addEventListener("pointerup", endBand);
  addEventListener("pointercancel", cancelBand);
}

function onBandMove(event) {
  band.pointer = event;
  if (band.element) return;
  const { x, y } = contentPoint(event);
  if (Math.hypot(x - band.start.x, y - band.start.y) < BAND_START) return;
  band.held = true; // the click that ends a drag opens no photo
  band.before = new Set(selection.rows);
  const adds = event.shiftKey || event.ctrlKey || event.metaKey;
  const kept = [...selection.rows].filter((row) => adds || grid.position(row) < 0);
  band.base = new Set(kept);
  band.element = el("div", { class: "rubber-band" });
  grid.canvas.append(band.element);
  grid.element.classList.add("banding");
  addEventListener("keydown", onBandKey, true);
  band.frame = requestAnimationFrame(drawBand);
}

/** Follow the mouse, and scroll while it is at the edge. */
function drawBand() {
  const { top, bottom } = grid.element.getBoundingClientRect();
  const { clientY } = band.pointer;
  const beyond = Math.min(0, clientY - top - BAND_EDGE) + Math.max(0, clientY - bottom + BAND_EDGE);
  if (beyond) grid.element.scrollTop += Math.sign(beyond) * Math.min(60, 4 + Math.abs(beyond) / 2);
  const { x, y } = contentPoint(band.pointer);
  const right = Math.min(grid.element.clientWidth, Math.max(band.start.x, x));
  const lower = Math.min(grid.canvas.offsetHeight, Math.max(band.start.y, y));
  const [left, upper] = [Math.max(0, Math.min(band.start.x, x)), Math.max(0, Math.min(band.start.y, y))];
  Object.assign(band.element.style, { left: `${left}px`, top: `${upper}px`, width: `${right - left}px`, height: `${lower - upper}px` });
  const next = new Set([...band.base, ...grid.rowsIn(left, upper, right, lower)]);
  if (next.size !== selection.rows.size || [...next].some((row) => !selection.rows.has(row))) selection.set(next);
  band.frame = requestAnimationFrame(drawBand);
}

function onBandKey(event) {
  if (event.key !== "Escape") return;
  event.preventDefault();
  event.stopPropagation();
  cancelBand();
}

function cancelBand() {
  if (band.element) selection.set(band.before);
  stopBand();
}

function endBand() {
  if (band.element) {
    cancelAnimationFrame(band.frame);
    drawBand();
    selection.anchor = -1;
    announce(selectionText());
  }
  stopBand();
}

function stopBand() {
  cancelAnimationFrame(band.frame);
  band.element?.remove();
  band.element = null;
  grid.element.classList.remove("banding");
  removeEventListener("pointermove", onBandMove);
  removeEventListener("pointerup", endBand);
  removeEventListener("pointercancel", cancelBand);
  removeEventListener("keydown", onBandKey, true);
}

function startRubberBand() {
  grid.element.addEventListener("pointerdown", onBandDown);
  grid.element.addEventListener("click", (event) => band.held && event.stopImmediatePropagation(), true);
  grid.element.addEventListener("dragstart", (event) => event.preventDefault());
}
