// What the kernel's worker loads in place of pyodide.js: Pyodide with the lectures' packages
// already in its file system.
//
// One image holds every package as compiled modules. It is fetched while Pyodide itself is, kept
// in the browser's cache under its hash, and its files are put where they belong without being
// unpacked again. Compiled extensions are linked when they are imported, not before: most of scipy's
// never are.
//
// Each step is told to the page (waiting.js) by a BroadcastChannel.

const CHANNEL = "hierwidgets-lite";
const STORE = "hierwidgets-lite";

function teller() {
  const channel = new BroadcastChannel(CHANNEL);
  return (step, more = {}) => channel.postMessage({ step, ...more });
}

// A response under a name that holds its hash: from the cache if it is there. Older ones go.
async function kept(url) {
  let store;
  try {
    store = await caches.open(STORE);
    const found = await store.match(url);
    if (found) {
      return { response: found, keep: async () => {} };
    }
  } catch {
    store = undefined; // a private window: no cache, the network alone
  }
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`${url} cannot be had (${response.status})`);
  }
  const copy = store ? response.clone() : undefined;
  const keep = async () => {
    try {
      await store?.put(url, copy);
    } catch {
      // the disk is full, or the browser keeps nothing
    }
  };
  return { response, keep };
}

async function forget(urls) {
  try {
    const store = await caches.open(STORE);
    for (const request of await store.keys()) {
      if (!urls.includes(request.url)) {
        await store.delete(request);
      }
    }
  } catch {
    // no cache
  }
}

// The image's bytes, unpacked, with news of how much has arrived.
async function unpacked(response, size, tell) {
  const out = new Uint8Array(size);
  const reader = response.body.pipeThrough(new DecompressionStream("gzip")).getReader();
  let at = 0;
  let told = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    out.set(value, at);
    at += value.length;
    if (at - told > size / 50) {
      told = at;
      tell("packages", { part: at / size });
    }
  }
  if (at !== size) {
    throw new Error(`the image of the packages has ${at} bytes and not ${size}: reload the page`);
  }
  return out;
}

// The files of a tar archive (ustar: names up to 255 characters, no extensions).
function* filesIn(tar) {
  const words = new TextDecoder();
  const text = (from, length) => {
    const field = tar.subarray(from, from + length);
    const end = field.indexOf(0);
    return words.decode(end < 0 ? field : field.subarray(0, end));
  };
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const prefix = text(at + 345, 155);
    const name = text(at, 100);
    const length = parseInt(text(at + 124, 12), 8);
    yield { path: `/${prefix ? `${prefix}/` : ""}${name}`, data: tar.subarray(at + 512, at + 512 + length) };
    at += 512 + Math.ceil(length / 512) * 512;
  }
}

function place(FS, tar) {
  const made = new Set();
  for (const { path, data } of filesIn(tar)) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(folder)) {
      FS.mkdirTree(folder);
      made.add(folder);
    }
    FS.writeFile(path, data, { canOwn: true });
  }
}

self.loadPyodide = async (options) => {
  const tell = teller();
  try {
    return await started(options, tell);
  } catch (error) {
    console.error(error.message);
    const lines = error.message.trim().split("\n");
    const said = lines.findLast((line) => /^[\w.]*(Error|Exception)\b/.test(line));
    tell("failed", { reason: said ?? lines.at(-1) });
    throw error;
  }
};

async function started({ lectures, packages, ...options }, tell) {
  tell("python");
  const root = options.indexURL;
  const image = new URL(lectures.image, root).href;
  const fetched = kept(image).then(async ({ response, keep }) => {
    const tar = await unpacked(response, lectures.size, tell);
    tell("start");
    return { tar, keep };
  });
  importScripts(`${root}pyodide.js`);
  let afterwards;
  const pyodide = await self.loadPyodide({
    ...options,
    packages: [],
    fsInit: async (FS) => {
      const { tar, keep } = await fetched;
      place(FS, tar);
      afterwards = keep;
    },
  });
  for (const name of lectures.packages) {
    pyodide.loadedPackages[name] = "default channel";
  }
  for (const path of lectures.libraries) {
    await pyodide._api.loadDynlib(path, true);
  }
  for (const [name, modules] of lectures.imports) {
    tell("import", { name });
    pyodide.runPython(modules.map((module) => `import ${module}`).join("\n"), {
      globals: pyodide.toPy({}),
    });
  }
  tell("ready");
  afterwards().then(() => forget([image]));
  return pyodide;
}
