// A box in which a number is typed, the same in every language: a point or one comma before the
// decimals. The browser's own number boxes drop the comma in some languages: 0,5 becomes 5.

// Of a whole number a comma, or a point before three digits, may also stand between thousands.
function readNumber(text, whole) {
  const bare = text.trim().replace("\u2212", "-");
  const form = whole ? /^[+-]?\d+(\.\d{1,2})?$/ : /^[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?$/i;
  return form.test(bare) ? Number(bare.replace(",", ".")) : NaN;
}

// `accept` takes what was typed, `step` goes up (1) or down (-1) by key.
function typedBox(name, whole, accept, step) {
  const box = Object.assign(document.createElement("input"), {
    type: "text", inputMode: whole ? "numeric" : "decimal", autocomplete: "off",
    className: "hw-typed",
  });
  box.setAttribute("role", "spinbutton");
  box.setAttribute("aria-label", name);
  box.addEventListener("change", accept);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") accept(); // JupyterLab keeps this key from making a change event
    const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    step(way);
  });
  return box;
}

function showTyped(box, text, min, max) {
  box.value = text;
  for (const [key, value] of [["now", text], ["min", min], ["max", max]]) {
    if (value === "") box.removeAttribute(`aria-value${key}`);
    else box.setAttribute(`aria-value${key}`, value);
  }
  box.removeAttribute("aria-invalid");
}

// Why a number is refused; put in anew each time, so that it is read out.
function refuse(box, problem, text, place) {
  problem.className = "hw-rejected";
  problem.textContent = text;
  problem.setAttribute("role", "alert");
  box.setAttribute("aria-invalid", "true");
  place.append(problem);
}
