"use strict";
// The page is whole without this. It makes the table of runs, shows values under the pointer, and lets
// figures be saved.

// The text of a link that holds a file compressed with gzip.
async function unpacked(link) {
  const bytes = Uint8Array.from(atob(link.href.split(",")[1]), letter => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

// The rows of a CSV file without its head.
function table(csv) {
  const rows = [[]];
  for (const [all, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    if (!all) break;
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\n") rows.push([]);
  }
  return rows.slice(1).filter(row => row.length);
}

async function runs(part) {
  const heads = [...part.querySelectorAll("th")], body = part.querySelector("tbody");
  const digits = heads.map(head => "digits" in head.dataset ? Number(head.dataset.digits) : null);
  const value = (cell, k) => digits[k] === null ? cell : cell === "" ? null : Number(cell);
  const rows = table(await unpacked(document.getElementById("runs-data"))).map(row => row.map(value));
  const field = part.querySelector("input"), said = part.querySelector("output");
  const more = part.querySelector(".more"), page = 100;
  const shown = (value, k) =>
    value === null ? "" : digits[k] === null ? value : digits[k] ? value.toFixed(digits[k]) : String(value);
  const text = rows.map(row => row.map(shown).join("\t").toLowerCase());
  const column = new Map(heads.map((head, k) => [head.textContent.trim().toLowerCase(), k]));
  // A word, or as in rule="this one|or that one" L=3: what stands in a column.
  function has(i, word) {
    const at = word.indexOf("="), name = word.slice(0, Math.max(at, 0));
    const plain = text => text.replaceAll('"', "");
    if (!column.has(name)) return text[i].includes(plain(word));
    const value = shown(rows[i][column.get(name)], column.get(name)).toLowerCase();
    return plain(word.slice(at + 1)).split("|").includes(plain(value));
  }
  let order = rows.map((_, i) => i), found = order, limit = page;

  function draw() {
    const cells = found.slice(0, limit).map(i => {
      const line = document.createElement("tr");
      rows[i].forEach((value, k) => {
        const cell = line.insertCell();
        cell.textContent = shown(value, k);
        if (digits[k] !== null) cell.className = "n";
      });
      return line;
    });
    body.replaceChildren(...cells);
    said.textContent = `${found.length} of ${rows.length} runs`;
    more.hidden = found.length <= limit;
  }
  function filter() {
    const words = field.value.toLowerCase().match(/(?:[^\s"]|"[^"]*"?)+/g) || [];
    found = words.length ? order.filter(i => words.every(word => has(i, word))) : order;
    limit = page;
    draw();
  }
  function sort(k) {
    const down = heads[k].getAttribute("aria-sort") === "ascending" ? -1 : 1;
    heads.forEach(head => head.removeAttribute("aria-sort"));
    heads[k].setAttribute("aria-sort", down > 0 ? "ascending" : "descending");
    order = [...order].sort((a, b) => {
      const x = rows[a][k], y = rows[b][k];
      if (x === null || y === null) return (x === null) - (y === null) || a - b; // the last, either way
      return down * (digits[k] === null ? x.localeCompare(y) : x - y) || a - b;
    });
    filter();
  }
  heads.forEach((head, k) => head.querySelector("button").addEventListener("click", () => sort(k)));
  field.addEventListener("input", filter);
  for (const link of document.querySelectorAll("a[data-filter]")) {
    link.addEventListener("click", () => { field.value = link.dataset.filter; filter(); });
  }
  more.addEventListener("click", () => { limit += 10 * page; draw(); });
  part.hidden = false;
  document.getElementById("runs-without").hidden = true;
  draw();
}

function tips() {
  const box = document.createElement("div");
  box.className = "tooltip";
  box.setAttribute("role", "status");
  box.hidden = true;
  document.body.append(box);
  // The browser's own tooltips come late, and not at all by touch.  A mark's text follows its group's.
  const titles = [...document.querySelectorAll("figure svg title")];
  for (const title of titles) {
    const group = title.parentNode.parentNode.closest("[data-tip]");
    const text = group ? `${group.dataset.tip}, ${title.textContent}` : title.textContent;
    title.parentNode.setAttribute("data-tip", text);
  }
  titles.forEach(title => title.remove());
  function show(event) {
    const part = event.target.closest ? event.target.closest("[data-tip]") : null;
    box.hidden = !part;
    if (!part) return;
    box.textContent = part.getAttribute("data-tip");
    const width = document.documentElement.clientWidth, height = window.innerHeight;
    box.style.left = `${Math.max(4, Math.min(event.clientX + 12, width - box.offsetWidth - 4))}px`;
    const above = event.clientY + 16 + box.offsetHeight > height;
    box.style.top = `${above ? event.clientY - box.offsetHeight - 8 : event.clientY + 16}px`;
  }
  document.addEventListener("pointermove", show);
  document.addEventListener("pointerdown", show);
}

function downloads() {
  for (const link of document.querySelectorAll("figcaption a[download$='.svg']")) {
    const svg = link.closest("figure").querySelector("svg").outerHTML;
    link.href = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    link.hidden = false;
  }
}

downloads();
runs(document.getElementById("runs-part"));
tips();
