// What the reviewed photos show of the accuracy: figures without elements.

/** Wilson's interval of a share at 95 % (Wilson, J. Am. Stat. Assoc. 22, 1927): [low, high]. */
function wilson(right, count) {
  if (!count) return [0, 1];
  const z = 1.959964;
  const share = right / count;
  const scale = 1 + (z * z) / count;
  const centre = (share + (z * z) / (2 * count)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

const UNKNOWN_LABEL = ""; // of a photo that is wrong

/** What was predicted and what is right: a category if a category was given. */
function confusionOf(row, { review, label }) {
  if (review === "wrong") return [predictedName(row), UNKNOWN_LABEL];
  const inCategories = predictedCategory(row) && report.categories.includes(label) && !report.names.includes(label);
  return [inCategories ? predictedCategory(row) : predictedName(row), label];
}

/** All figures: counts by review, {count, right} of those that count, confusions and classes. */
function reviewFigures() {
  const figures = { reviews: Object.fromEntries(REVIEWS.map((each) => [each, 0])), count: 0, right: 0, scores: 0 };
  const confusions = new Map();
  const classes = new Map();
  for (const [row, value] of corrections.map) {
    figures.reviews[value.review] += 1;
    const right = wasRight(row, value);
    if (right === null) continue;
    figures.count += 1;
    figures.right += right;
    figures.scores += scoreOf(row);
    countIn(classes, [predictedName(row)], right);
    if (!right) countIn(confusions, confusionOf(row, value), false);
  }
  const byCount = (a, b) => b.count - a.count || collator.compare(a.names.join(), b.names.join());
  figures.confusions = [...confusions.values()].sort(byCount);
  figures.classes = [...classes.values()].sort(byCount);
  return figures;
}

function countIn(map, names, right) {
  const key = JSON.stringify(names);
  if (!map.has(key)) map.set(key, { names, count: 0, right: 0 });
  const entry = map.get(key);
  entry.count += 1;
  entry.right += right;
}

/** Mean and standard deviation of the best scores of all photos that have a label. */
const scoreSpread = (() => {
  let [count, sum, squares] = [0, 0, 0];
  for (let row = 0; row < rowCount; row++) {
    if (labelOf(row) < 0) continue;
    count += 1;
    sum += scoreOf(row);
    squares += scoreOf(row) ** 2;
  }
  const mean = count ? sum / count : 0;
  return { count, mean, deviation: count ? Math.sqrt(Math.max(0, squares / count - mean * mean)) : 0 };
})();

/** -1 or 1 if the reviewed photos score clearly lower or higher than all; else 0. */
function sampleBias({ count, scores: sum }) {
  const { count: all, mean, deviation } = scoreSpread;
  if (count < 5 || count >= all) return 0;
  const left = Math.sqrt((all - count) / Math.max(1, all - 1)); // a sample without replacement
  const distance = sum / count - mean;
  return Math.abs(distance) > Math.max(0.03, (2 * deviation * left) / Math.sqrt(count)) ? Math.sign(distance) : 0;
}
