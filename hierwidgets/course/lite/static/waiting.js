// A bar at the foot of the page that says what the notebook waits for: first what arrives, then
// what Python imports. It goes when the kernel has everything.

(() => {
  const WORDS = {
    python: "Starting Python in this page",
    packages: "Fetching Python's packages",
    start: "Starting Python",
  };
  const IMPORTS = 7;
  let bar;
  let imported = 0;

  const made = () => {
    const style = document.createElement("style");
    style.textContent = `
      #lectures-waiting { position: fixed; left: 0; right: 0; bottom: 0; z-index: 10000;
        display: flex; gap: 1em; align-items: center; padding: 0.6em 1em;
        background: #fff; color: #1f1f1f; border-top: 1px solid #767676;
        font: 14px/1.4 system-ui, sans-serif; }
      #lectures-waiting progress { flex: 1; max-width: 30em; height: 0.8em; accent-color: #1b6ca8; }
      #lectures-waiting button { font: inherit; }
      body[data-jp-theme-light="false"] #lectures-waiting { background: #1f1f1f; color: #f0f0f0; }`;
    document.head.append(style);
    const node = document.createElement("div");
    node.id = "lectures-waiting";
    const words = document.createElement("span");
    words.setAttribute("role", "status");
    const progress = document.createElement("progress");
    progress.max = 1;
    progress.setAttribute("aria-label", "what has been done of the start");
    node.append(words, progress);
    document.body.append(node);
    return { node, words, progress };
  };

  const say = (text, part) => {
    bar ??= made();
    if (bar.words.textContent !== text) {
      bar.words.textContent = text;
    }
    bar.progress.value = part;
  };

  new BroadcastChannel("hierwidgets-lite").addEventListener("message", ({ data }) => {
    if (data.step === "python") {
      imported = 0;
      say(WORDS.python, 0.02);
    } else if (data.step === "packages") {
      say(WORDS.packages, 0.02 + 0.38 * data.part);
    } else if (data.step === "start") {
      say(WORDS.start, 0.42);
    } else if (data.step === "import") {
      say(`Importing ${data.name}`, 0.5 + (0.5 * imported++) / IMPORTS);
    } else if (data.step === "failed") {
      say(`Python could not be started: ${data.reason}. Reload the page to try again.`, 0);
    } else if (data.step === "ready") {
      bar?.node.remove();
      bar = undefined;
    }
  });
})();
