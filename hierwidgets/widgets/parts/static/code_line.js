// A button that asks the kernel for the present state as a line of Python, shows it and copies it.

function render({ model, el }) {
  el.classList.add("hw-code");
  const button = Object.assign(document.createElement("button"), {
    textContent: "Copy this state as code",
  });
  const line = Object.assign(document.createElement("input"), { type: "text", readOnly: true });
  line.setAttribute("aria-label", "This state as code");
  line.hidden = true;
  const done = document.createElement("span");
  done.setAttribute("aria-live", "polite"); // the status line stays the only status
  el.append(button, line, done);

  button.addEventListener("click", () => {
    done.textContent = "";
    model.send({ wanted: true });
  });
  const show = async (message) => {
    if (message.code === undefined) return;
    line.value = message.code;
    line.hidden = false;
    try {
      await navigator.clipboard.writeText(message.code);
      done.textContent = "copied";
    } catch {
      line.select(); // a page may not write to the clipboard; the keys still can
      done.textContent = "press Ctrl+C to copy";
    }
  };
  model.on("msg:custom", show);
  return () => model.off("msg:custom", show);
}

export default { render };
