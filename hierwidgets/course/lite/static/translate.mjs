// Compile the modules of a folder for the Python that Pyodide is, by that Python itself, and let
// its matplotlib look at its fonts.
//
//     node translate.mjs PYODIDE FOLDER KEPT
//
// PYODIDE is the folder of npm's package. FOLDER is laid out as the root of Pyodide's file system.
// Below every folder named in KEPT (commas between them) sources stay, with their compiled form in
// __pycache__; everywhere else the compiled form stands beside the source, which may then go.

import { pathToFileURL } from "node:url";

const [pyodideFolder, folder, kept] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodideFolder}/pyodide.mjs`).href);
const pyodide = await loadPyodide({ indexURL: `${pyodideFolder}/` });
pyodide.FS.mkdirTree("/stage");
pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: folder }, "/stage");
pyodide.globals.set("kept", kept.split(","));
const failed = pyodide.runPython(`
import importlib.util
import os
import py_compile

failed = []
places = [f"/stage/{place}/" for place in kept]
for folder, _, names in os.walk("/stage"):
    for name in names:
        if not name.endswith(".py"):
            continue
        source = f"{folder}/{name}"
        shown = source.removeprefix("/stage")
        if any(source.startswith(place) for place in places):
            target = importlib.util.cache_from_source(source)
        else:
            target = source + "c"
        try:
            py_compile.compile(source, target, shown, doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        except (py_compile.PyCompileError, SyntaxError, UnicodeDecodeError) as error:
            failed.append(f"{shown}: {error}")
"\\n".join(failed)
`);
if (failed) {
  console.error(failed);
  process.exit(1);
}
try {
  pyodide.runPython(`
import os
import sys

site = "/stage/lib/python3.12/site-packages"
if os.path.isdir(f"{site}/matplotlib"):
    sys.path.insert(0, site)
    import matplotlib.font_manager  # writes its list beside itself unless it is up to date
`);
} catch (error) {
  console.error(error.message); // not the error itself: Node would print the whole interpreter
  process.exit(1);
}
