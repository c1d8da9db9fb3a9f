// Bundles static/src into static/dist. Names stay plain: Django's manifest storage adds the hashes,
// and pages hand the address of a lazily loaded bundle to the script that imports it.

import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const options = {
  absWorkingDir: here("."),
  entryPoints: [
    "css/site.css",
    "css/admin.css",
    "js/theme.js",
    "js/site.js",
    "js/search.js",
    "js/upload.js",
    "js/part.js",
    "js/viewer.js",
    "js/engines.js",
    "js/duplicates.js",
    "js/qc-start.js",
    "js/qc.js",
  ],
  entryNames: "[name]",
  outdir: here("../dist"),
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "eof",
  logLevel: "info",
};

await rm(options.outdir, { recursive: true, force: true });
if (process.argv.includes("--watch")) {
  const context = await esbuild.context(options);
  await context.watch();
} else {
  await esbuild.build(options);
}
