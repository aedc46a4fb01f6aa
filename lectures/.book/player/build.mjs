// node build.mjs OUT NBEXTENSIONS: the player and its front ends, bundled into OUT.
//
// bqplot, bqscales and anywidget come from the Python packages that are installed, as the AMD
// modules that Jupyter's own pages load: what plays a recording is what made it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const [out, nbextensions] = process.argv.slice(2);
if (!out || !nbextensions) throw new Error("usage: node build.mjs OUT NBEXTENSIONS");

const amd = {
  name: "amd",
  setup(building) {
    building.onResolve({ filter: /^amd:/ }, ({ path }) => ({ path: path.slice(4), namespace: "amd" }));
    building.onLoad({ filter: /.*/, namespace: "amd" }, async ({ path }) => {
      const text = await readFile(join(nbextensions, path, "index.js"), "utf8");
      return { contents: `export default function (define) {\n${text}\n}`, loader: "js" };
    });
  },
};
const common = {
  bundle: true, minify: true, outdir: out, target: "es2022", legalComments: "linked",
  logLevel: "warning", logOverride: { "direct-eval": "silent" },
  loader: { ".svg": "dataurl", ".woff": "dataurl", ".woff2": "dataurl", ".ttf": "dataurl", ".eot": "dataurl" },
};

await build({ ...common, entryPoints: ["src/player.js"], format: "iife" });
await build({ ...common, entryPoints: ["src/mount.js", "src/theme.css"], format: "esm", plugins: [amd] });
