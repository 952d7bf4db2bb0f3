"use strict";
const drawings = JSON.parse(document.getElementById("drawings").textContent);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A chart takes the colours of the page's theme, and leaves room for itself beside long names.
function config(width) {
  const axis = { labelColor: colour("--ink"), titleColor: colour("--quiet"), gridColor: colour("--line"),
    domainColor: colour("--line"), tickColor: colour("--line"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
    labelFlush: false, labelOverlap: "greedy", labelSeparation: 6 };
  const narrow = width < 520;
  return { background: "transparent", font: "system-ui, sans-serif", view: { stroke: null }, axis,
    padding: { left: 0, top: 5, bottom: 5, right: 20 },
    axisY: { labelLimit: Math.max(130, Math.min(280, width * 0.45)) },
    axisYDiscrete: { labelOverlap: false, ...(narrow ? { labelFontSize: 11, labelLineHeight: 12 } : {}) },
    text: { fill: colour("--ink") },
    legend: { labelColor: colour("--ink"), titleColor: colour("--quiet") } };
}

const drawn = new Set();
async function draw(place) {
  drawn.add(place);
  const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : undefined;
  const options = { actions: false, renderer: "svg", config: config(place.clientWidth), tooltip: { theme } };
  const drawing = { ...drawings[place.id], params: [{ name: "across", value: place.clientWidth }] };
  try {
    const { view } = await vegaEmbed(place, drawing, options);
    place.querySelector("svg").setAttribute("aria-hidden", "true"); // the label of `place` says what it shows
    // A finger has no place to hover: a tap shows what hovering shows.
    view.addEventListener("click", (event, item) => view.tooltip().call(view, view, event, item, item?.tooltip ?? null));
  } catch (error) {
    place.textContent = error;
    console.error(error);
  }
}

// What is not seen yet is not drawn yet: a page of many charts opens at once.
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) { seen.unobserve(target); draw(target); }
}, { rootMargin: "400px" });
const places = document.querySelectorAll(".chart");
places.forEach((place) => seen.observe(place));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(draw));
addEventListener("beforeprint", () => places.forEach((place) => drawn.has(place) || draw(place)));

const cell = (value) => (value === null || value === undefined ? "" : /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
for (const button of document.querySelectorAll("button.data")) {
  button.addEventListener("click", () => {
    const rows = drawings[button.dataset.chart].datasets.table, names = Object.keys(rows[0]);
    const text = [names, ...rows.map((row) => names.map((name) => row[name]))].map((line) => line.map(cell).join(",")).join("\n") + "\n";
    const link = Object.assign(document.createElement("a"), { download: `${button.dataset.chart}.csv`, href: URL.createObjectURL(new Blob([text], { type: "text/csv" })) });
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    const text = button.parentElement.querySelector("pre");
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "copied";
    } catch { // a page that was opened as a file may be refused: the reader copies what is selected
      getSelection().selectAllChildren(text);
      button.textContent = "selected";
    }
    setTimeout(() => { button.textContent = "copy"; }, 2000);
  });
}

const table = document.getElementById("rows"), bodies = [...table.tBodies], rows = [...table.querySelectorAll("tr[data-variant]")];
document.getElementById("wide").addEventListener("change", (event) => table.classList.toggle("wide", event.target.checked));
const words = new Map(rows.map((row) => [row, `${row.closest("tbody").rows[0].textContent} ${row.textContent}`.toLowerCase()]));
const search = document.getElementById("search"), choices = [...document.querySelectorAll("select[data-column]")];
function filter() {
  const asked = search.value.toLowerCase().split(/\s+/);
  let count = 0;
  for (const row of rows) {
    row.hidden = !(asked.every((word) => words.get(row).includes(word)) && choices.every((choice) => !choice.value || row.dataset[choice.dataset.column] === choice.value));
    count += !row.hidden;
  }
  for (const body of bodies) body.hidden = [...body.rows].slice(1).every((row) => row.hidden);
  document.getElementById("count").textContent = `${count} of ${rows.length} rows`;
}
search.addEventListener("input", filter);
choices.forEach((choice) => choice.addEventListener("change", filter));
filter();

// Any two variants of the same rounds can be compared: another base changes three columns of the table.
const against = document.getElementById("against"), titles = [...document.querySelectorAll("#rows thead th")].map((head) => head.textContent);
const [verdicts, speedups, intervals] = ["verdict", "speedup", "interval"].map((title) => titles.indexOf(title));
const pairs = JSON.parse(document.getElementById("pairs").textContent);
const firsts = new Map(rows.map((row) => [row, [verdicts, speedups, intervals].map((place) => row.cells[place].cloneNode(true))]));
function compare() {
  for (const row of rows) {
    const [verdict, speedup, interval] = firsts.get(row).map((first) => first.cloneNode(true));
    if (against.value && row.dataset.variant) {
      const [value, low, high, word] = pairs[row.dataset.cell]?.[against.value]?.[row.dataset.variant] ?? [null, null, null, ""];
      verdict.textContent = word;
      verdict.className = `verdict ${word}`;
      speedup.textContent = value === null ? "" : `${value.toFixed(2)}x`;
      speedup.dataset.value = value ?? "";
      interval.textContent = low === null ? "" : `${low.toFixed(2)} to ${high.toFixed(2)}`;
      interval.dataset.value = low ?? "";
    }
    [verdict, speedup, interval].forEach((fresh, number) => row.cells[[verdicts, speedups, intervals][number]].replaceWith(fresh));
  }
}
against?.addEventListener("change", compare);

// Only rows of one group can be compared, so each group is sorted by itself. Figures sort as figures; rows without one come last.
const heads = [...document.querySelectorAll("#rows thead th")];
heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
  const number = head.classList.contains("number");
  const down = head.getAttribute("aria-sort") === (number ? "descending" : "ascending") ? !number : number;
  heads.forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => {
    const place = row.cells[column];
    if (!number) return place.textContent;
    const value = parseFloat(place.dataset.value ?? place.textContent);
    return Number.isNaN(value) ? null : value;
  };
  const order = (a, b) => (a === null) - (b === null) || (down ? -1 : 1) * (number ? a - b : a.localeCompare(b));
  for (const body of bodies) body.append(...[...body.rows].slice(1).sort((a, b) => order(key(a), key(b))));
}));
