"use strict";
// Filter, search and word differences. Texts are only ever read and written as text, never as markup.
(() => {
  const rows = [...document.querySelectorAll("details.row")];
  const at = (id) => document.getElementById(id);
  const controls = at("controls");
  if (!controls || !rows.length) return;
  controls.hidden = false;
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

  const narrow = () => {
    const suite = at("suite").value, kind = at("kind").value, wanted = at("search").value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = (suite && row.dataset.suite !== suite) || (kind && row.dataset.kind !== kind)
        || (wanted && !texts.get(row).includes(wanted));
      shown += row.hidden ? 0 : 1;
    }
    for (const group of document.querySelectorAll(".group"))
      group.hidden = ![...group.querySelectorAll("details.row")].some((row) => !row.hidden);
    at("found").textContent = shown + " of " + rows.length + " rows on this page";
  };

  const words = (text) => text.match(/\s+|[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) || [];

  // The longest common subsequence of words, by the usual table; too long texts are left as they are.
  const differences = (before, after) => {
    const a = words(before), b = words(after);
    if (a.length * b.length > 1e6) return [["same", after]];
    const best = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i--)
      for (let j = b.length - 1; j >= 0; j--)
        best[i][j] = a[i] === b[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
    const parts = [];
    const add = (kind, word) => {
      const last = parts[parts.length - 1];
      if (last && last[0] === kind) last[1] += word; else parts.push([kind, word]);
    };
    let i = 0, j = 0;
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i] === b[j]) { add("same", b[j]); i++; j++; }
      else if (j >= b.length || (i < a.length && best[i + 1][j] >= best[i][j + 1])) add("del", a[i++]);
      else add("ins", b[j++]);
    }
    return parts;
  };

  const originals = new Map();
  const mark = (row) => {
    const wanted = at("against").value;
    const texts = [...row.querySelectorAll(".answer pre")];
    for (const pre of texts) if (!originals.has(pre)) originals.set(pre, pre.textContent);
    const source = texts.find((pre) => pre.parentElement.dataset.arm === wanted);
    for (const pre of texts) {
      if (!source || pre === source || pre.parentElement.dataset.arm === "expected") {
        pre.textContent = originals.get(pre);
        continue;
      }
      pre.replaceChildren(...differences(originals.get(source), originals.get(pre)).map(([kind, text]) => {
        if (kind === "same") return document.createTextNode(text);
        const element = document.createElement(kind);
        element.textContent = text;
        return element;
      }));
    }
  };

  const arms = () => {
    for (const box of controls.querySelectorAll("input[data-arm]"))
      for (const answer of document.querySelectorAll(".answer"))
        if (answer.dataset.arm === box.dataset.arm) answer.hidden = !box.checked;
  };

  for (const id of ["suite", "kind"]) at(id).addEventListener("change", narrow);
  at("search").addEventListener("input", narrow);
  at("against").addEventListener("change", () => rows.filter((row) => row.open).forEach(mark));
  for (const row of rows) row.addEventListener("toggle", () => row.open && mark(row));
  for (const box of controls.querySelectorAll("input[data-arm]")) box.addEventListener("change", arms);
  narrow();
})();
